"""The Django application jmapsite: the commands and checks of the service as a whole."""

from django.apps import AppConfig


class JmapsiteConfig(AppConfig):
    """Configuration of the application jmapsite."""

    name = "jmapsite"

    def ready(self) -> None:
        """Register the system checks."""
        from jmapsite import checks  # noqa: F401 registers itself; models are not loaded before this
