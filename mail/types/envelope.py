"""The Envelope of an EmailSubmission (RFC 8621 §7): what a client may give, and how it is made from the message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.addresses import normalise_address
from jmapcore.protocol.errors import InvalidProperties
from jmapcore.protocol.wire import ListOf, MapOf, Nullable, String, WireError, WireType, parse_date
from mail.message.originators import Originators
from mail.outbound.offers import submission_extensions
from mail.sending import ANY, covers, is_mailbox
from mail.types.errors import ForbiddenMailFrom, InvalidRecipients, NoRecipients, TooManyRecipients
from mail.types.wire import WholeObject

Envelope = dict[str, Any]
"""As on the wire, with every member."""

_SPELLINGS = 10
"""Recipients for each one allowed that are looked at for being the same."""

_NUMBER = re.compile(r"[0-9]{1,20}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_PRINTABLE = re.compile(r"[ -~]{1,100}")
_NOTIFY = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}", re.IGNORECASE)
_ORIGINAL = re.compile(r"[A-Za-z0-9-]{1,60};[^\x00-\x20\x7f-\xa0\u2028\u2029]{1,440}")


def _is_date(value: str) -> bool:
    try:
        parse_date(value)
    except WireError:
        return False
    return True


def _one_of(*choices: str) -> Callable[[str], bool]:
    return lambda value: value.upper() in choices


def _like(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


# By extension and parameter: whether a value will do, "any xtext or unitext encodings removed"; None for one without a value.
MAIL_PARAMETERS: dict[str, dict[str, Callable[[str], bool] | None]] = {
    "FUTURERELEASE": {"HOLDFOR": _like(_SECONDS), "HOLDUNTIL": _is_date},
    "SIZE": {"SIZE": _like(_NUMBER)},
    "DSN": {"RET": _one_of("FULL", "HDRS"), "ENVID": _like(_PRINTABLE)},
    "8BITMIME": {"BODY": _one_of("7BIT", "8BITMIME")},
    "SMTPUTF8": {"SMTPUTF8": None},
}
RECIPIENT_PARAMETERS: dict[str, dict[str, Callable[[str], bool] | None]] = {
    "DSN": {"NOTIFY": _like(_NOTIFY), "ORCPT": _like(_ORIGINAL)},
}

_ADDRESS = WholeObject(
    {"email": String(), "parameters": Nullable(MapOf(String(), Nullable(String())))}, required=("email",)
)
_PLAIN = WholeObject({"mailFrom": _ADDRESS, "rcptTo": ListOf(_ADDRESS)}, required=("mailFrom", "rcptTo"))
_MISSPELT = "mailfrom"
"""What go-jmap writes for mailFrom, and aerc with it, which could not send otherwise."""


@dataclass(frozen=True)
class EnvelopeType(WireType):
    """An Envelope whose parameters are those of the extensions in the session; addresses are judged with the message."""

    def check(self, value: Any) -> Envelope:
        if isinstance(value, dict) and _MISSPELT in value and "mailFrom" not in value:
            value = {("mailFrom" if name == _MISSPELT else name): each for name, each in value.items()}
        envelope: Envelope = _PLAIN.check(value)
        _check_parameters(envelope["mailFrom"]["parameters"], MAIL_PARAMETERS)
        for recipient in envelope["rcptTo"]:
            _check_parameters(recipient["parameters"], RECIPIENT_PARAMETERS)
        return envelope


def _check_parameters(
    given: Mapping[str, str | None] | None, declared: Mapping[str, Mapping[str, Callable[[str], bool] | None]]
) -> None:
    offered = submission_extensions() if given else ()
    known = {
        name: check
        for extension, parameters in declared.items()
        if extension in offered
        for name, check in parameters.items()
    }
    seen: set[str] = set()
    for written, value in (given or {}).items():
        name = written.upper()
        if name not in known or name in seen:
            raise WireError(f"no parameter {written[:40]}, or a second one")
        seen.add(name)
        check = known[name]
        if (value is not None) if check is None else (value is None or not check(value)):
            raise WireError(f"{name} has another value than it may have")


def release(envelope: Envelope, now: datetime) -> datetime:
    """When a message is to be released for delivery (RFC 4865): now, unless HOLDFOR or HOLDUNTIL says later.

    Raises `InvalidProperties` for both at once, and for what is beyond maxDelayedSend.
    """
    given = {name.upper(): value for name, value in (envelope["mailFrom"]["parameters"] or {}).items()}
    hold_for, hold_until = given.get("HOLDFOR"), given.get("HOLDUNTIL")
    if hold_for is not None and hold_until is not None:
        raise InvalidProperties(["envelope"], "HOLDFOR and HOLDUNTIL at once")
    latest = now + timedelta(seconds=settings.MAIL_MAX_DELAYED_SEND_SECONDS)
    moment = now
    if hold_for is not None:
        moment = now + timedelta(seconds=int(hold_for))
    elif hold_until is not None:
        moment = max(now, parse_date(hold_until))
    if moment > latest:
        raise InvalidProperties(["envelope"], "held for longer than maxDelayedSend")
    return moment


def envelope_of(message: Originators, identity: str) -> Envelope:
    """The envelope that the server "MUST generate" where the client gives none. Raises `ForbiddenMailFrom`."""
    address = (message.sender or message.from_)[-1][0]
    if not covers(identity, address):
        address = identity
        if address.startswith(f"{ANY}@"):
            raise ForbiddenMailFrom("the identity is for a domain that the message is not from")
    return {
        "mailFrom": {"email": address, "parameters": None},
        "rcptTo": [{"email": each, "parameters": None} for each in message.recipients],
    }


def checked_envelope(envelope: Envelope, own: frozenset[str]) -> Envelope:
    """The envelope with each recipient once. `own` are the addresses that the account may send as.

    Raises `ForbiddenMailFrom`, `NoRecipients`, `TooManyRecipients`, `InvalidRecipients`.
    """
    sender = envelope["mailFrom"]["email"]
    # "The JMAP server MAY allow the address to be the empty string": receipts and answers of machines have it.
    if sender and not (is_mailbox(sender) and normalise_address(sender) in own):
        raise ForbiddenMailFrom
    recipients = envelope["rcptTo"]
    most = settings.MAIL_MAX_RECIPIENTS
    if len(recipients) <= _SPELLINGS * most:  # more would take long to compare
        recipients = _each_once(recipients)
    if not recipients:
        raise NoRecipients
    if len(recipients) > most:
        raise TooManyRecipients(maxRecipients=most)
    invalid = [each["email"] for each in recipients if not is_mailbox(each["email"])]
    if invalid:
        raise InvalidRecipients(invalidRecipients=invalid)
    return {"mailFrom": envelope["mailFrom"], "rcptTo": recipients}


def _each_once(recipients: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Nobody gets a message twice; the first spelling of an address stays, with its parameters."""
    found: dict[str, dict[str, Any]] = {}
    for each in recipients:
        found.setdefault(normalise_address(each["email"]) or each["email"], each)
    return list(found.values())
