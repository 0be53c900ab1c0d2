"""Parsed forms of header fields and the properties that ask for them (RFC 8621 §4.1.2, §4.1.3)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mail.message.addresses import Address, parse_addresses
from mail.message.dates import as_date
from mail.message.encoded_words import LONGEST_FIELD, composed, decode_words, raw_text, unfolded

__all__ = [
    "FORMS",
    "Effort",
    "HeaderProperty",
    "HeaderValues",
    "as_addresses",
    "as_date",
    "as_grouped_addresses",
    "as_message_ids",
    "as_raw",
    "as_text",
    "as_urls",
    "header_property",
    "parse_header_property",
]

#: Octets that the parsed forms of one Email's fields, and those of its parts, look at together.
MOST_PARSED = 2 * LONGEST_FIELD

_ANGLE = re.compile(r"<([^<>]*+)>")
_ANGLE_OR_PAREN = re.compile(r"<([^<>]*+)>|([()])|\\.", re.DOTALL)
_QUOTED = r'"(?>(?:[^"\\]++|\\.)*)"'
_MESSAGE_ID_OR_PAREN = re.compile(rf'<((?>(?:[^<>"]++|{_QUOTED})*))>|([()])|{_QUOTED}|\\.', re.DOTALL)
_QUOTED_OR_SPACE = re.compile(rf"({_QUOTED})|\s++", re.DOTALL)
_HEADER_PROPERTY = re.compile(r"header:([!-9;-~]+)(?::(as[A-Za-z]+))?(:all)?")


def as_raw(value: bytes) -> str:
    """The Raw form: the octets as UTF-8, U+FFFD for what is none, without NUL (RFC 8621 §4.1.2.1)."""
    return raw_text(value)


def as_text(value: bytes) -> str:
    """The Text form: unfolded, leading spaces removed, encoded words decoded, NFC (RFC 8621 §4.1.2.2)."""
    return composed(decode_words(unfolded(value).lstrip(" ")))


def as_addresses(value: bytes) -> list[Address]:
    """The Addresses form: `[{"name": String|null, "email": String}]`, groups flattened (RFC 8621 §4.1.2.3)."""
    groups = parse_addresses(value)
    if len(groups) == 1:
        return groups[0].addresses
    return [address for group in groups for address in group.addresses]


def as_grouped_addresses(value: bytes) -> list[dict[str, Any]]:
    """The GroupedAddresses form: `[{"name": String|null, "addresses": EmailAddress[]}]` (RFC 8621 §4.1.2.4)."""
    return [{"name": group.name, "addresses": group.addresses} for group in parse_addresses(value)]


def as_message_ids(value: bytes) -> list[str] | None:
    """The MessageIds form: ids without angle brackets; None if there is none (RFC 8621 §4.1.2.5).

    A quoted string inside the brackets is kept as it is; outside of them it is part of a phrase (RFC 5322
    §4.5.4). Parentheses inside are of the id: what answers it repeats them.
    """
    text = unfolded(value)
    if '"' not in text and "(" not in text:
        return _without_spaces(_ANGLE.findall(text))
    found = _outside_comments(text, _MESSAGE_ID_OR_PAREN)
    ids = [_QUOTED_OR_SPACE.sub(r"\1", message_id) for message_id in found]
    return [message_id for message_id in ids if message_id] or None


def as_urls(value: bytes) -> list[str] | None:
    """The URLs form: what stands in angle brackets outside of comments (RFC 2369 §2); None if nothing (RFC
    8621 §4.1.2.7).
    """
    text = unfolded(value)
    return _without_spaces(
        _ANGLE.findall(text) if "(" not in text else _outside_comments(text, _ANGLE_OR_PAREN)
    )


def _without_spaces(found: list[str]) -> list[str] | None:
    items = ["".join(item.split()) for item in found]
    return [item for item in items if item] or None


def _outside_comments(text: str, angle_or_paren: re.Pattern[str]) -> list[str]:
    """The contents of angle brackets that are in no comment; a comment that never ends is none."""
    found: list[str] = []
    pending: list[str] = []
    depth = 0
    for match in angle_or_paren.finditer(text):
        if match[2] == "(":
            depth += 1
        elif match[2] == ")":
            depth = max(0, depth - 1)
            if depth == 0:
                pending.clear()
        elif match[1] is not None:
            (pending if depth else found).append(match[1])
    return found + pending


Form = Callable[[bytes], Any]

#: Wire names of the forms.
FORMS: dict[str, Form] = {
    "asRaw": as_raw,
    "asText": as_text,
    "asAddresses": as_addresses,
    "asGroupedAddresses": as_grouped_addresses,
    "asMessageIds": as_message_ids,
    "asDate": as_date,
    "asURLs": as_urls,
}

_RAW = frozenset({"asRaw"})
_TEXT = _RAW | {"asText"}
_ADDRESSES = _RAW | {"asAddresses", "asGroupedAddresses"}
_MESSAGE_IDS = _RAW | {"asMessageIds"}
_DATE = _RAW | {"asDate"}
_URLS = _RAW | {"asURLs"}

#: The forms that fields of RFC 5322 and RFC 2369 may be fetched in. Every other field may be fetched in any
#: form.
_ALLOWED: dict[str, frozenset[str]] = {
    **dict.fromkeys(("subject", "comments", "keywords"), _TEXT),
    **dict.fromkeys(("from", "sender", "reply-to", "to", "cc", "bcc"), _ADDRESSES),
    **dict.fromkeys(("resent-from", "resent-sender", "resent-reply-to"), _ADDRESSES),
    **dict.fromkeys(("resent-to", "resent-cc", "resent-bcc"), _ADDRESSES),
    **dict.fromkeys(("message-id", "in-reply-to", "references", "resent-message-id"), _MESSAGE_IDS),
    **dict.fromkeys(("date", "resent-date"), _DATE),
    **dict.fromkeys(("list-help", "list-unsubscribe", "list-subscribe"), _URLS),
    **dict.fromkeys(("list-post", "list-owner", "list-archive"), _URLS),
    **dict.fromkeys(("return-path", "received"), _RAW),
}


@dataclass(frozen=True, slots=True)
class HeaderProperty:
    """A property `header:{name}[:as{form}][:all]`; `form` is a key of `FORMS`, `name` is as the client wrote
    it.
    """

    name: str
    form: str = "asRaw"
    all: bool = False


def parse_header_property(text: str) -> HeaderProperty:
    """The header field property that a property name asks for (RFC 8621 §4.1.3).

    Raises ValueError if it is none, or asks for a form that is forbidden for the field.
    """
    match = _HEADER_PROPERTY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is no header field property")
    name, form = match[1], match[2] or "asRaw"
    if form not in FORMS:
        raise ValueError(f"{form} is no form of a header field")
    allowed = _ALLOWED.get(name.lower())
    if allowed is not None and form not in allowed:
        raise ValueError(f"The field {name} cannot be fetched {form}")
    return HeaderProperty(name, form, match[3] is not None)


@dataclass(slots=True)
class Effort:
    """Octets of fields that may still be parsed for one Email, however many properties are asked for."""

    left: int = MOST_PARSED

    def taken(self, value: bytes) -> bytes:
        """As much of a field as may still be parsed."""
        value = value[: min(self.left, LONGEST_FIELD)]
        self.left -= len(value)
        return value


class HeaderValues:
    """The fields of one header section by name. Each property of them is parsed once, whatever case it is asked in."""

    def __init__(self, fields: Sequence[tuple[str, bytes]], effort: Effort | None = None) -> None:
        self._effort = effort or Effort()
        self._by_name: dict[str, list[bytes]] = {}
        for name, value in fields:
            self._by_name.setdefault(name.lower(), []).append(value)
        self._parsed: dict[tuple[str, str, bool], Any] = {}

    def get(self, wanted: HeaderProperty) -> Any:
        """The value of a header field property: of the last instance, or a list with one for each (RFC 8621
        §4.1.3).

        None if there is no such field, an empty list with `all`.
        """
        key = wanted.name.lower(), wanted.form, wanted.all
        if key not in self._parsed:
            values = self._by_name.get(key[0], [])
            if wanted.all:
                self._parsed[key] = self._all_parsed(values, wanted.form)
            else:
                self._parsed[key] = self._one_parsed(values[-1], wanted.form) if values else None
        return self._parsed[key]

    def _one_parsed(self, value: bytes, form: str) -> Any:
        return FORMS[form](value if form == "asRaw" else self._effort.taken(value))

    def _all_parsed(self, values: list[bytes], form: str) -> list[Any]:
        """Each instance parsed. What is parsed of all of them together is bounded as it is for one."""
        if form == "asRaw" or sum(map(len, values)) <= LONGEST_FIELD:
            return [self._one_parsed(value, form) for value in values]
        parsed = []
        left = LONGEST_FIELD
        for value in values:
            parsed.append(self._one_parsed(value[:left], form))
            left = max(0, left - len(value))
        return parsed


def header_property(headers: Sequence[tuple[str, bytes]], wanted: HeaderProperty) -> Any:
    """The value of one header field property, as `HeaderValues.get` gives it."""
    return HeaderValues(headers).get(wanted)
