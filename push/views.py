"""Where tickets are fetched: a route of the process `web`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from accounts.access import Caller
from accounts.standing import standings
from jmapcore.answer import Answer
from jmapcore.protocol.errors import RequestError
from jmapcore.store.database import connection
from jmapcore.views import JSON_HEADERS
from push.capability import event_source_url, web_socket_url
from push.tickets import FIRST_USE_SECONDS, Transport, issue

if TYPE_CHECKING:
    from jmapcore.edge import RequestLog


def ticket(environ: dict[str, Any], caller: Caller, log: RequestLog, groups: tuple[str, ...]) -> Answer:
    """A new ticket for who asks: the URL to connect to, the ticket that is in it, and until when it must be used first."""
    transport = Transport(groups[0])
    with connection() as lent:
        standing = standings(lent, [caller.credential]).get(caller.credential)
        if standing is None:
            raise RequestError("The credential is over.", status=401)
        secret = issue(lent, transport, standing)
    if transport is Transport.WEB_SOCKET:
        url = f"{web_socket_url()}?ticket={secret}"
    else:
        url = f"{event_source_url()}?types={{types}}&closeafter={{closeafter}}&ping={{ping}}&ticket={secret}"
    until = datetime.now(UTC) + timedelta(seconds=FIRST_USE_SECONDS)
    document = {"url": url, "ticket": secret, "firstUseBefore": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return Answer(200, JSON_HEADERS, [orjson.dumps(document)])
