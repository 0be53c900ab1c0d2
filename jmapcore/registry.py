"""The capabilities, types and methods of this server; apps add theirs in `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from jmapcore.context import RequestContext
from jmapcore.protocol.collation import COLLATIONS
from jmapcore.protocol.registry import CORE, Capability, Method, Registry, Response

registry = Registry()


def _core_value() -> Mapping[str, Any]:
    """The core capability of the session: every limit is enforced (RFC 8620 §2)."""
    return {**settings.JMAP_LIMITS, "collationAlgorithms": sorted(COLLATIONS)}


def echo(context: RequestContext, arguments: dict[str, Any]) -> list[Response]:
    """Core/echo: the arguments, as they came (RFC 8620 §4)."""
    return [("Core/echo", arguments)]


def register_core(target: Registry) -> None:
    """Register what RFC 8620 itself defines."""
    # Clients look for core in primaryAccounts and accountCapabilities, so it is in every account.
    target.add_capability(Capability(CORE, _core_value, account_value=lambda access: {}))
    target.add_method(Method("Core/echo", CORE, echo, None))


register_core(registry)
