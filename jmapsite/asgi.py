"""The ASGI application of the process `push`: event streams and WebSockets (`push.application`)."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jmapsite.settings")
django.setup()

from push.application import application  # noqa: E402  # its modules read the settings

__all__ = ["application"]
