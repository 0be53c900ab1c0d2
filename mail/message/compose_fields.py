"""Header fields from the forms of RFC 8621 §4.1.2, the other way round.

The values have the shapes of the forms already; what they say may still be something that no field can carry.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mail.message.addresses import Address, parse_addresses
from mail.message.compose_words import (
    ENCODED_WORD,
    LINE,
    LONGEST_LINE,
    LONGEST_WORD,
    ComposeError,
    checked,
    folded,
    octets,
    phrase_words,
    text_words,
)

Field = tuple[str, str]
"""A header field: its name, and its value with the space before it and its line breaks, without the last one."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
_RAW = re.compile(r"(?>(?:[^\r\n]|\r\n(?=[ \t]+[^ \t\r\n]))*)")
_IN_ANGLE = re.compile(r"[^\s<>]+")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*")
_TO_QUOTE = re.compile(r'(["\\])')


def header_field(name: str, form: str, value: Any) -> Field | None:
    """One instance of a header field from its value in a form (a key of `headers.FORMS`); None for an empty list.

    Raises `ComposeError` for what no field can say.
    """
    made = _FORMS[form](name, value)
    return None if made is None else (name, made)


def raw_value(name: str, value: str) -> str:
    """The Raw form as it is: folded as RFC 5322 §2.2.3 allows or not at all, without other control characters than TAB."""
    if not _RAW.fullmatch(value):
        raise ComposeError("a line break that folds nothing")
    checked(value.replace("\r\n", ""))
    if any(octets(line) > LONGEST_LINE for line in f"{name}:{value}".split("\r\n")):
        return folded(name, re.findall(r"[ \t]*[^ \t]+", value.replace("\r\n", "")))
    return value


def text_value(name: str, value: str) -> str:
    """The Text form."""
    return folded(name, text_words(name, value))


def date_value(name: str, value: str) -> str:
    """The Date form, which is a Date of RFC 8620 §1.4, as a date-time of RFC 5322 §3.3."""
    match = _DATE.fullmatch(value)
    if match is None:
        raise ComposeError("no date")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        raise ComposeError("no such date") from None
    sign, hours, minutes = match.groups()[6:]
    zone = "+0000" if sign is None else f"{sign}{hours}{minutes}"
    return _date(moment, zone)


def moment_value(moment: datetime) -> str:
    """A moment in its own zone as the value of a Date field (RFC 5322 §3.3)."""
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    sign = "-" if minutes < 0 else "+"
    return _date(moment, f"{sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}")


def _date(moment: datetime, zone: str) -> str:
    # strftime would speak the language of the process.
    day = f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year:04d}"
    return f" {day} {moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} {zone}"


def message_ids_value(name: str, value: Sequence[str]) -> str | None:
    """The MessageIds form: ids without angle brackets."""
    return folded(name, [f" <{_in_angle(each)}>" for each in value]) if value else None


def urls_value(name: str, value: Sequence[str]) -> str | None:
    """The URLs form (RFC 2369 §2)."""
    return folded(name, _separated([[f" <{_in_angle(each)}>"] for each in value])) if value else None


def _in_angle(text: str) -> str:
    if not _IN_ANGLE.fullmatch(checked(text)) or octets(text) > LONGEST_WORD:
        raise ComposeError("it does not fit into angle brackets")
    return text


def addresses_value(name: str, value: Sequence[Address]) -> str | None:
    """The Addresses form: `[{"name": String|null, "email": String}]`; what has neither name nor address is left out."""
    words = _list_words(name, value)
    return folded(name, words) if words else None


def grouped_addresses_value(name: str, value: Sequence[dict[str, Any]]) -> str | None:
    """The GroupedAddresses form: `[{"name": String|null, "addresses": EmailAddress[]}]`."""
    items: list[list[str]] = []
    for group in value:
        if group.get("name") is None:
            items += [_mailbox_words(each) for each in group["addresses"] if _says_something(each)]
            continue
        words = phrase_words(group["name"]) if group["name"].strip() else [' ""']
        # A space before the colon: nothing may touch an encoded word.
        words.append(" :")
        words += _list_words("", group["addresses"])
        words[-1] += ";"
        items.append(words)
    return folded(name, _separated(items)) if items else None


def _list_words(name: str, addresses: Sequence[Address]) -> list[str]:
    # The first one shares its line with the field's name.
    first = min(LINE - len(name) - 2, ENCODED_WORD)
    some = filter(_says_something, addresses)
    return _separated(
        [_mailbox_words(each, ENCODED_WORD if index else first) for index, each in enumerate(some)]
    )


def _says_something(address: Address) -> bool:
    return bool(address["email"] or (address.get("name") or "").strip())


def _separated(items: Iterable[list[str]]) -> list[str]:
    """The words of items with a comma between each two."""
    words: list[str] = []
    for item in items:
        if words:
            words[-1] += ","
        words += item
    return words


def _mailbox_words(address: Address, room: int = ENCODED_WORD) -> list[str]:
    name = address.get("name")
    email = _address(checked(address["email"] or ""))
    if name is None or not name.strip():
        return [f" {email}" if _PLAIN_ADDRESS.fullmatch(email) else f" <{email}>"]
    return [*phrase_words(name, room), f" <{email}>"]


def _address(email: str) -> str:
    """An address as it can stand in angle brackets.

    "The final message generated may be invalid per RFC 5322 … a half-finished draft" (RFC 8621 §4.6): what is no address is kept
    if it reads as one item, else it becomes a quoted string. It never becomes a further recipient.
    """
    if octets(email) > LONGEST_WORD // 2:
        raise ComposeError("an address is too long")
    if not email or _PLAIN_ADDRESS.fullmatch(email):
        return email
    groups = parse_addresses(f"<{email}>".encode())
    if len(groups) == 1 and groups[0].addresses == [{"name": None, "email": email}]:
        return email
    quoted = _TO_QUOTE.sub(r"\\\1", email)
    return f'"{quoted}"'


_FORMS: dict[str, Callable[[str, Any], str | None]] = {
    "asRaw": raw_value,
    "asText": text_value,
    "asAddresses": addresses_value,
    "asGroupedAddresses": grouped_addresses_value,
    "asMessageIds": message_ids_value,
    "asDate": date_value,
    "asURLs": urls_value,
}
