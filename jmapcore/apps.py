"""The Django application jmapcore."""

from django.apps import AppConfig


class JmapcoreConfig(AppConfig):
    """Configuration of the application jmapcore."""

    name = "jmapcore"
