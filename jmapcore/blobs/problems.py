"""How uploads and downloads are refused: HTTP statuses with problem documents (RFC 8620 §3.6.1, §6)."""

from __future__ import annotations

from jmapcore.protocol.errors import LimitExceeded, RequestError


def bad_request(detail: str) -> RequestError:
    """400: the request is malformed."""
    return RequestError(detail, status=400, title="Bad Request")


def read_only() -> RequestError:
    """403: an upload to an account that the caller may only read."""
    return RequestError("This account is read-only.", status=403, title="Forbidden")


def not_found() -> RequestError:
    """404: there is no such blob, or the caller may not see it; the answer does not tell which."""
    return RequestError("There is no such blob in this account.", status=404, title="Not Found")


def too_large(limit: int) -> RequestError:
    """413: the upload has more octets than maxSizeUpload."""
    return LimitExceeded("maxSizeUpload", f"An upload may have {limit} octets.", status=413)


def range_not_satisfiable(size: int) -> RequestError:
    """416: the range begins behind the end."""
    return RequestError(
        f"The blob has {size} octets.",
        status=416,
        title="Range Not Satisfiable",
        headers={"Content-Range": f"bytes */{size}"},
    )


def no_room() -> RequestError:
    """503: the disk of the server is full."""
    return RequestError(
        "The server has no room for uploads at this moment.", status=503, headers={"Retry-After": "60"}
    )
