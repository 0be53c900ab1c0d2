"""The Django application jmapsite: the commands and checks of the service as a whole."""

from django.apps import AppConfig


class JmapsiteConfig(AppConfig):
    """Configuration of the application jmapsite."""

    name = "jmapsite"

    def ready(self) -> None:
        """Register the system checks, and make the tasks of every application known to Celery and its clock.

        Here and not above, since models are not loaded before this.
        """
        from jmapcore import tasks
        from jmapsite import checks  # noqa: F401 registers itself
        from jmapsite.celery import app
        from mail import tasks as mail_tasks
        from push import tasks as push_tasks

        app.conf.beat_schedule = {
            **tasks.BEAT_SCHEDULE,
            **mail_tasks.BEAT_SCHEDULE,
            **push_tasks.BEAT_SCHEDULE,
        }
