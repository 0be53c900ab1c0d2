"""The three families of errors (RFC 8620 §3.6): of a request, of a method call, of one record of a /set.

The wire `type` is a class attribute; the RFC's name is the class's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar


class RequestError(Exception):
    """The whole request is refused: an HTTP status and a problem document (RFC 8620 §3.6.1, RFC 7807)."""

    type: str = "about:blank"
    status: int = 400

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        title: str | None = None,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.title = title
        self.members = members
        self.headers = headers or {}
        if status is not None:
            self.status = status

    def document(self) -> dict[str, Any]:
        """The problem document."""
        document: dict[str, Any] = {"type": self.type, "status": self.status, "detail": self.detail}
        if self.title is not None:
            document["title"] = self.title
        return document | self.members


class NotJSON(RequestError):
    """The body is no I-JSON, or its media type is not application/json."""

    type = "urn:ietf:params:jmap:error:notJSON"


class NotRequest(RequestError):
    """The body is JSON but no Request object."""

    type = "urn:ietf:params:jmap:error:notRequest"


class UnknownCapability(RequestError):
    """`using` names a capability that this server does not have."""

    type = "urn:ietf:params:jmap:error:unknownCapability"


class LimitExceeded(RequestError):
    """A limit of the core capability was exceeded; the member `limit` names it."""

    type = "urn:ietf:params:jmap:error:limit"

    def __init__(self, limit: str, detail: str, *, status: int = 400, headers: dict[str, str] | None = None):
        super().__init__(detail, status=status, headers=headers, limit=limit)


class MethodError(Exception):
    """One method call fails; the others of the request go on (RFC 8620 §3.6.2).

    `reason` goes to the log alone; clients compare whole error objects, so nothing but the RFC's members goes out.
    """

    type: ClassVar[str] = "serverFail"

    def __init__(self, reason: str = "", **members: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.members = members

    def arguments(self) -> dict[str, Any]:
        """The arguments of the error response."""
        return {"type": self.type, **self.members}


class ServerUnavailable(MethodError):
    """Something internal is away or busy for now."""

    type = "serverUnavailable"


class ServerFail(MethodError):
    """Something unforeseen; `description` carries an incident id."""

    type = "serverFail"


class UnknownMethod(MethodError):
    """No such method, or its capability is not in `using`."""

    type = "unknownMethod"


class InvalidArguments(MethodError):
    """An argument is missing, unknown, of the wrong type or otherwise invalid."""

    type = "invalidArguments"


class InvalidResultReference(MethodError):
    """A result reference does not resolve (RFC 8620 §3.7)."""

    type = "invalidResultReference"


class Forbidden(MethodError):
    """The caller may not do this."""

    type = "forbidden"


class AccountNotFound(MethodError):
    """No account of that id that the caller may see."""

    type = "accountNotFound"


class AccountNotSupportedByMethod(MethodError):
    """The account has no data of this type."""

    type = "accountNotSupportedByMethod"


class AccountReadOnly(MethodError):
    """The account may be read only."""

    type = "accountReadOnly"


class RequestTooLarge(MethodError):
    """More objects, or a larger answer, than the server gives in one call."""

    type = "requestTooLarge"


class CannotCalculateChanges(MethodError):
    """The state is too old, or was never issued."""

    type = "cannotCalculateChanges"


class StateMismatch(MethodError):
    """`ifInState` is not the current state."""

    type = "stateMismatch"


class AnchorNotFound(MethodError):
    """The anchor is not in the results."""

    type = "anchorNotFound"


class UnsupportedSort(MethodError):
    """The sort has an unknown property or collation."""

    type = "unsupportedSort"


class UnsupportedFilter(MethodError):
    """The filter is well formed, and the server cannot process it."""

    type = "unsupportedFilter"


class TooManyChanges(MethodError):
    """More changes of a query than maxChanges."""

    type = "tooManyChanges"


class FromAccountNotFound(MethodError):
    """The account to copy from does not exist for the caller."""

    type = "fromAccountNotFound"


class FromAccountNotSupportedByMethod(MethodError):
    """The account to copy from has no data of this type."""

    type = "fromAccountNotSupportedByMethod"


class SetError(Exception):
    """One record of a /set, /copy or /import is refused (RFC 8620 §5.3)."""

    type: ClassVar[str] = "forbidden"

    def __init__(self, reason: str = "", **members: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.members = members

    def document(self) -> dict[str, Any]:
        """The SetError object."""
        return {"type": self.type, **self.members}


class ForbiddenSet(SetError):
    """The caller may not do this to the record."""

    type = "forbidden"


class OverQuota(SetError):
    """There would be too many, or too much."""

    type = "overQuota"


class RateLimit(SetError):
    """Too many were created lately."""

    type = "rateLimit"


class TooLarge(SetError):
    """The object would be larger than the server lets one be."""

    type = "tooLarge"


class BlobNotFound(SetError):
    """Blobs that the object is made of are not there, or not the caller's to see; the member `notFound` lists their ids.

    RFC 8621 §4.6 has it for Emails; the creation of blobs (RFC 9404 §4.1) says the same with it.
    """

    type = "blobNotFound"

    def __init__(self, blob_ids: Iterable[str], reason: str = "") -> None:
        super().__init__(reason, notFound=list(dict.fromkeys(blob_ids)))


class NotFound(SetError):
    """No record of that id."""

    type = "notFound"


class InvalidPatch(SetError):
    """The PatchObject breaks the rules of RFC 8620 §5.3."""

    type = "invalidPatch"


class WillDestroy(SetError):
    """The record is destroyed in the same call."""

    type = "willDestroy"


class InvalidProperties(SetError):
    """Properties are invalid; the member `properties` lists all of them."""

    type = "invalidProperties"

    def __init__(self, properties: Iterable[str], reason: str = "") -> None:
        self.properties = sorted(set(properties))
        super().__init__(reason, properties=self.properties)

    def add(self, properties: Iterable[str]) -> None:
        """List further properties."""
        self.properties[:] = sorted({*self.properties, *properties})


class Singleton(SetError):
    """A singleton can be neither created nor destroyed."""

    type = "singleton"


class AlreadyExists(SetError):
    """The record exists already; the member `existingId` names it."""

    type = "alreadyExists"

    def __init__(self, existing_id: str, reason: str = "") -> None:
        super().__init__(reason, existingId=existing_id)
