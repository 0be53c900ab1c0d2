"""The method error that RFC 9404 adds."""

from __future__ import annotations

from jmapcore.protocol.errors import MethodError


class UnknownDataType(MethodError):  # noqa: N818  # the RFC's name of the error
    """A type that the server does not know, that holds no blobs, or whose capability is not in `using` (RFC 9404 §4.3)."""

    type = "unknownDataType"
