"""PostgreSQL and Redis below VAR_DIR, for where no DATABASE_URL and REDIS_URL name real servers.

`layout` says where everything lies, `server_user` as whom it runs, `postgresql` and `redis_server` how each
server is prepared and started. A server is the child of a small process of its own, the `keeper`, which stops
it as soon as nobody holds it any more; `holding` is how the commands of the service hold one. `upgrade`
brings a data directory of an older PostgreSQL to the present one. Nothing here needs Django or an installed
server, and nothing reads the environment.
"""

from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.holding import Holder
from jmapsite.embedded.layout import POSTGRESQL, REDIS, Layout

__all__ = ["POSTGRESQL", "REDIS", "EmbeddedServerError", "Holder", "Layout"]
