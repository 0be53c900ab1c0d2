"""The capabilities, types and methods of this server; apps add theirs in `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from jmapcore.blobs.copy import copy_blobs
from jmapcore.blobs.methods.registration import register_blobs
from jmapcore.context import RequestContext, opens_blobs
from jmapcore.protocol.collation import COLLATIONS
from jmapcore.protocol.errors import Forbidden
from jmapcore.protocol.registry import CORE, Capability, Method, Registry, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Id, ListOf
from jmapcore.standard.bounds import check_objects_in_set

registry = Registry()


def _core_value() -> Mapping[str, Any]:
    """The core capability of the session: every limit is enforced (RFC 8620 §2)."""
    return {**settings.JMAP_LIMITS, "collationAlgorithms": sorted(COLLATIONS)}


def echo(context: RequestContext, arguments: dict[str, Any]) -> list[Response]:
    """Core/echo: the arguments, as they came (RFC 8620 §4)."""
    return [("Core/echo", arguments)]


BLOB_COPY = {
    "fromAccountId": Argument(Id()),
    "accountId": Argument(Id()),
    "blobIds": Argument(ListOf(Id(to="Blob"))),
}


def blob_copy(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """Blob/copy: the bytes of blobs into another account (RFC 8620 §6.3)."""
    check_objects_in_set(len(values["blobIds"]))
    if not opens_blobs(context.registry, context.caller):
        raise Forbidden
    source, target = context.account_pair(values, CORE)
    blob_ids = [context.resolve_id(text) for text in values["blobIds"]]
    copied, not_copied = copy_blobs(context.caller, source, target, blob_ids)
    response = {
        "fromAccountId": values["fromAccountId"],
        "accountId": values["accountId"],
        "copied": copied or None,
        "notCopied": not_copied or None,
    }
    return [("Blob/copy", response)]


def register_core(target: Registry) -> None:
    """Register what RFC 8620 itself defines."""
    # Clients look for core in primaryAccounts and accountCapabilities, so it is in every account.
    target.add_capability(Capability(CORE, _core_value, account_value=lambda access: {}))
    target.add_method(Method("Core/echo", CORE, echo, None))
    target.add_method(Method("Blob/copy", CORE, blob_copy, BLOB_COPY, writes=True))


register_core(registry)
register_blobs(registry)
