"""What the methods of RFC 9404 have in common: their capability, who may call them, and the connection they use."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from jmapcore.context import opens_blobs
from jmapcore.protocol.errors import Forbidden

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.blobs.backends import Borrow
    from jmapcore.context import RequestContext

BLOB = "urn:ietf:params:jmap:blob"


def blob_access(context: RequestContext, values: dict[str, Any], *, write: bool = False) -> AccountAccess:
    """The account of a call on blobs.

    Raises as `RequestContext.account` does, and `Forbidden` where the credential opens nothing that holds blobs.
    """
    access = context.account(values["accountId"], BLOB, write=write)
    if not opens_blobs(context.registry, context.caller):
        raise Forbidden
    return access


def request_connection(context: RequestContext) -> Borrow:
    """Lends the connection that the request has anyhow: a second one would be another request's."""
    return lambda: nullcontext(context.connection)
