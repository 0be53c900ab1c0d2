"""The WSGI application of the process `web`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jmapsite.settings")
_django = get_wsgi_application()

from jmapcore.edge import EdgeApplication  # noqa: E402  # needs the applications that the line above has set up

application = EdgeApplication(_django)
