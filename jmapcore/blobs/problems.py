"""HTTP errors of upload and download, which the edge renders as problem documents (RFC 8620 §3.6.1, RFC
7807)."""

from __future__ import annotations

from collections.abc import Mapping

from jmapcore.protocol.errors import RequestError

LIMIT = "urn:ietf:params:jmap:error:limit"
BLANK = "about:blank"


class BlobProblem(RequestError):  # noqa: N818  # a problem of RFC 7807, by its name
    """An upload or download that is refused: `status`, and what the problem document says.

    `limit` names the limit that was reached where `type` is LIMIT (RFC 8620 §3.6.1); else it is None.
    """

    def __init__(
        self,
        status: int,
        type: str,  # noqa: A002  # the member's name in the document
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        limit: str | None = None,
    ) -> None:
        members = {} if limit is None else {"limit": limit}
        super().__init__(detail, status=status, title=title, headers=dict(headers or {}), **members)
        self.type = type
        self.limit = limit


def not_found() -> BlobProblem:
    """404: there is no such blob, or the caller may not see it; the answer does not tell which."""
    return BlobProblem(404, BLANK, "Not Found", "There is no such blob in this account.")
