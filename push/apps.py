"""The Django application push."""

from django.apps import AppConfig


class PushConfig(AppConfig):
    """Configuration of the application push."""

    name = "push"
