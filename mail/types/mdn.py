"""The data type MDN (RFC 9007 §2): what a client says of a notification to be sent, and what one that came says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accounts.access import MAIL_SCOPE
from jmapcore.protocol.errors import AccountNotFound, InvalidArguments, InvalidProperties
from jmapcore.protocol.registry import Capability
from jmapcore.protocol.wire import Boolean, Id, MapOf, Nullable, ObjectOf, String, WireError, WireType
from mail.message.scan import Message, body_text
from mail.receipts.composing import EXTENSION_NAME, KNOWN_FIELDS
from mail.receipts.reports import DispositionReport, typed_address
from mail.sending import is_mailbox
from mail.types.wire import Line

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

MDN = "urn:ietf:params:jmap:mdn"
MDN_CAPABILITY = Capability(MDN, account_value=lambda access: {}, scope=MAIL_SCOPE)
"""Of every account: those who may not send from it can still read what came (MDN/parse)."""

MOST_EXTENSIONS = 50
"""Extension fields of one notification."""
LONGEST_TEXT = 100_000
"""Characters of the text of a notification that is shown; the whole of it is in its blob."""

_PART_OF_DISPOSITION = {
    "actionMode": frozenset({"manual-action", "automatic-action"}),
    "sendingMode": frozenset({"mdn-sent-manually", "mdn-sent-automatically"}),
    "type": frozenset({"deleted", "dispatched", "displayed", "processed"}),
}
_DISPOSITION = ObjectOf(
    {name: String(choices=choices) for name, choices in _PART_OF_DISPOSITION.items()},
    required=tuple(_PART_OF_DISPOSITION),
)


@dataclass(frozen=True)
class ExtensionName(WireType):
    """The name of an extension field (RFC 8098 §3.3), which is none of the fields that have a meaning."""

    def check(self, value: Any) -> str:
        if type(value) is not str or not EXTENSION_NAME.fullmatch(value) or value.lower() in KNOWN_FIELDS:
            raise WireError("the name of an extension field is due")
        return value


GIVEN: dict[str, WireType] = {
    "forEmailId": Id(to="Email"),
    "subject": Nullable(Line()),
    "textBody": Nullable(String()),
    "includeOriginalMessage": Boolean(),
    "reportingUA": Nullable(Line()),
    "disposition": _DISPOSITION,
    "finalRecipient": Nullable(Line()),
    "extensionFields": Nullable(MapOf(ExtensionName(), Line())),
}
"""The properties that a client may give."""
SERVER_SET = ("mdnGateway", "originalRecipient", "originalMessageId", "error")
"""Those that it may not."""
PROPERTIES = (
    "forEmailId",
    "subject",
    "textBody",
    "includeOriginalMessage",
    "reportingUA",
    "disposition",
    "mdnGateway",
    "originalRecipient",
    "finalRecipient",
    "originalMessageId",
    "error",
    "extensionFields",
)


@dataclass(frozen=True, slots=True)
class GivenMDN:
    """A notification as a client gives it, checked as far as it can be without the account."""

    for_email_id: str
    disposition: Mapping[str, str]
    subject: str | None = None
    text_body: str | None = None
    include_original_message: bool = False
    reporting_ua: str | None = None
    final_recipient: str | None = None
    """The address alone."""
    extension_fields: Mapping[str, str] = field(default_factory=dict)


def checked_mdn(given: Mapping[str, Any], resolve: Callable[[str], str]) -> GivenMDN:
    """What a client gives; `resolve` finds the id for a `#creationId`. Raises `InvalidProperties`, naming all that is wrong."""
    checked: dict[str, Any] = {}
    invalid = [
        name
        for name, value in given.items()
        if name not in GIVEN and not (name in SERVER_SET and value is None)
    ]
    invalid += [name for name in ("forEmailId", "disposition") if name not in given]
    for name, wire in GIVEN.items():
        if name in given:
            try:
                checked[name] = wire.check(given[name])
            except WireError:
                invalid.append(name)
    recipient = typed_address(checked.get("finalRecipient") or "")
    if checked.get("finalRecipient") is not None and not is_mailbox(recipient):
        invalid.append("finalRecipient")
    extensions = checked.get("extensionFields") or {}
    if len(extensions) > MOST_EXTENSIONS or len({name.lower() for name in extensions}) < len(extensions):
        invalid.append("extensionFields")
    if invalid:
        raise InvalidProperties(invalid)
    return GivenMDN(
        for_email_id=resolve(checked["forEmailId"]),
        disposition=checked["disposition"],
        subject=checked.get("subject"),
        text_body=checked.get("textBody"),
        include_original_message=checked.get("includeOriginalMessage", False),
        reporting_ua=checked.get("reportingUA"),
        final_recipient=recipient or None,
        extension_fields=extensions,
    )


def mdn_of(
    report: DispositionReport, message: Message, subject: str | None, email_id: int | None
) -> dict[str, Any]:
    """The MDN object of a notification that came (RFC 9007 §2.2)."""
    return {
        "forEmailId": None if email_id is None else f"e{email_id}",
        "subject": subject,
        "textBody": _text(message),
        "includeOriginalMessage": report.has_original,
        "reportingUA": report.reporting_ua or None,
        "disposition": {
            "actionMode": report.action_mode,
            "sendingMode": report.sending_mode,
            "type": report.type,
        },
        "mdnGateway": report.mdn_gateway or None,
        "originalRecipient": report.original_recipient or None,
        "finalRecipient": report.final_recipient or None,
        "originalMessageId": report.original_message_id or None,
        "error": list(report.errors) or None,
        "extensionFields": report.extensions or None,
    }


def _text(message: Message) -> str | None:
    """The human readable part as plain text: the first part that is text, in the first part of the report."""
    part = next((each for each in message.all_parts()[1:] if not each.is_multipart), None)
    if part is None or part.type != "text/plain":
        return None
    return body_text(message.raw, part)[0].replace("\0", "")[:LONGEST_TEXT]


def access_of(context: RequestContext, values: Mapping[str, Any], *, write: bool) -> AccountAccess:
    """The account of a call. "If the accountId … cannot be found, the method call is rejected with" `invalidArguments`."""
    try:
        return context.account(values["accountId"], MDN, write=write)
    except AccountNotFound:
        raise InvalidArguments("there is no such account") from None
