"""The WSGI application of the process `web`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jmapsite.settings")
_django = get_wsgi_application()

from jmapcore.edge import EdgeApplication  # noqa: E402  # needs the applications that the line above has set up

application = EdgeApplication(_django)

# A request makes objects by the thousand and hardly a cycle. By default each 700 of them are looked through, and now and then
# everything that was ever imported.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)
