"""Wire types of RFC 8621 that the core does not have."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jmapcore.protocol.wire import (
    ListOf,
    Nullable,
    ObjectOf,
    String,
    UTCDate,
    WireError,
    WireType,
    format_utc,
    parse_date,
)
from mail.types.capability import MAX_SIZE_MAILBOX_NAME

_KEYWORD = re.compile(r"[!#$&'+-\[^-z|}~]{1,255}\Z")
_LONGEST_NAME = 4 * MAX_SIZE_MAILBOX_NAME
"""Characters beyond which no name becomes short enough in NFC: finding that out would take quadratic time."""
_NAME_OCTETS = String(MAX_SIZE_MAILBOX_NAME, 1)
_NO_NAME_CHARACTER = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LONGEST_LINE = 1_000
"""Octets of a text that goes into a header field: what a line of a message may hold (RFC 5322 §2.1.1)."""
_MOST_ADDRESSES = 100


def is_keyword(text: str) -> bool:
    """Whether a text has the form of a keyword, in whatever case (RFC 8621 §4.1.1)."""
    return _KEYWORD.match(text) is not None


@dataclass(frozen=True)
class Keyword(WireType):
    """A keyword: 1 to 255 characters of %x21-7E without ( ) { ] % * " and the backslash, in lower case (RFC 8621 §4.1.1)."""

    def check(self, value: Any) -> str:
        if type(value) is not str or not is_keyword(value):
            raise WireError("a keyword is due")
        return value.lower()


@dataclass(frozen=True)
class MailboxName(WireType):
    """The name of a mailbox: Net-Unicode (RFC 5198), so in NFC, without control characters, 1 to 255 octets (RFC 8621 §2)."""

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise WireError("a String is due")
        if len(value) > _LONGEST_NAME:
            raise WireError("the name is too long")
        name = unicodedata.normalize("NFC", value)
        if any(unicodedata.category(character) in _NO_NAME_CHARACTER for character in name):
            raise WireError("control characters are not allowed")
        _NAME_OCTETS.check(name)
        return name


@dataclass(frozen=True)
class ReceivedBound(UTCDate):
    """A UTCDate to compare receivedAt with, which is in whole seconds: a fraction of one counts as the next (§4.4.1)."""

    def check(self, value: Any) -> str:
        checked: str = super().check(value)
        if value.rpartition(".")[2].strip("0Z") == "" or "." not in value:
            return checked
        try:
            return format_utc(parse_date(checked) + timedelta(seconds=1))
        except OverflowError:
            return checked


@dataclass(frozen=True)
class HeaderCondition(WireType):
    """The value of the filter `header`: a field's name, and maybe the text to look for (RFC 8621 §4.4.1)."""

    def check(self, value: Any) -> Any:
        if (
            type(value) is not list
            or len(value) not in (1, 2)
            or not all(type(item) is str for item in value)
        ):
            raise WireError("an array of one or two Strings is due")
        if not value[0]:
            raise WireError("the name of a header field is due")
        return value


@dataclass(frozen=True)
class Line(String):
    """A text that will stand in a header field: no control characters, which would begin another field, 1,000 octets at most."""

    max_octets: int | None = _LONGEST_LINE

    def check(self, value: Any) -> str:
        line: str = super().check(value)
        if any(unicodedata.category(character) in _NO_NAME_CHARACTER for character in line):
            raise WireError("control characters are not allowed")
        return line


@dataclass(frozen=True)
class WholeObject(ObjectOf):
    """An object whose members are all there in its normal form: null stands for those that were left out."""

    def check(self, value: Any) -> Any:
        checked = super().check(value)
        return {name: checked.get(name) for name in self.members}


ADDRESSES = Nullable(
    ListOf(WholeObject({"name": Nullable(Line()), "email": Line()}, required=("email",)), _MOST_ADDRESSES)
)
"""An EmailAddress[] to be written into a header field later (RFC 8621 §4.1.2.3)."""
