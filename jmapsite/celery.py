"""The Celery application: `celery -A jmapsite.celery worker`."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jmapsite.settings")

app = Celery("jmapsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# For every thread of every process: without it a thread that sends a task would do so by an unconfigured application.
app.set_default()
