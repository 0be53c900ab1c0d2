"""The data types of the wire (RFC 8620 §1.2 to §1.4): checking a value, and putting it into its one form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

MAX_INT = 2**53 - 1

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}\Z")
_IDS = re.compile(r"[A-Za-z0-9_-]{1,255}(?>(?: [A-Za-z0-9_-]{1,255})*)\Z")
_OBJECT_ID = re.compile(r"([a-z])([1-9][0-9]{0,9})\Z")
_DATE = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))T((?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60))(\.\d+)?"
    r"(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)\Z",
    re.ASCII,
)
MAX_OBJECT_ID = 2**31 - 1


class WireError(ValueError):
    """A value does not have the type that is due."""


def is_id(value: Any) -> bool:
    """Whether a value is an Id (RFC 8620 §1.2)."""
    return type(value) is str and _ID.match(value) is not None


def _are_ids(items: list[Any]) -> bool:
    """Whether all of these are Ids, by one look at all of them; some lists that are may be missed."""
    try:
        joined = " ".join(items)
    except TypeError:
        return False
    return _IDS.match(joined) is not None and joined.count(" ") == len(items) - 1


def object_id(letter: str, number: int) -> str:
    """The id on the wire of an object: one letter for the type, and the number."""
    return f"{letter}{number}"


def object_number(letter: str, text: str) -> int | None:
    """The number of an object's id; None for an id that no object of this type can have."""
    match = _OBJECT_ID.match(text)
    if match is None or match[1] != letter:
        return None
    number = int(match[2])
    return number if number <= MAX_OBJECT_ID else None


class WireType:
    """A type of values on the wire."""

    nullable: bool = False

    def check(self, value: Any) -> Any:
        """The value in its normal form. Raises `WireError`."""
        raise WireError(
            f"no value can be {type(self).__name__}"
        )  # pragma: no cover  # every type has its own

    def references(self, value: Any) -> Iterator[tuple[str, str]]:
        """(type name, id) of each object that a checked value refers to."""
        return iter(())

    @cached_property
    def may_refer(self) -> bool:
        """Whether any value has `references`."""
        parts = [part for part in vars(self).values() if isinstance(part, WireType)]
        if parts:
            return any(part.may_refer for part in parts)
        return type(self).references is not WireType.references

    def replace(self, value: Any, created: Mapping[str, str]) -> Any:
        """The value with each `#creationId` in it replaced, where it is known (RFC 8620 §5.3)."""
        return value


@dataclass(frozen=True)
class Anything(WireType):
    """Any JSON value."""

    nullable = True

    def check(self, value: Any) -> Any:
        return value


@dataclass(frozen=True)
class Boolean(WireType):
    """true or false."""

    def check(self, value: Any) -> Any:
        if type(value) is not bool:
            raise WireError("a Boolean is due")
        return value


@dataclass(frozen=True)
class Int(WireType):
    """A whole number from -2^53+1 to 2^53-1, or a narrower range (RFC 8620 §1.3)."""

    low: int = -MAX_INT
    high: int = MAX_INT

    def check(self, value: Any) -> Any:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not self.low <= value <= self.high:
            raise WireError(f"a whole number from {self.low} to {self.high} is due")
        return value


def UnsignedInt() -> Int:  # noqa: N802  # a type, spelled as the RFC spells it
    """A whole number from 0 (RFC 8620 §1.3)."""
    return Int(0)


@dataclass(frozen=True)
class Number(WireType):
    """Any number."""

    def check(self, value: Any) -> Any:
        if type(value) not in (int, float):
            raise WireError("a Number is due")
        return value


@dataclass(frozen=True)
class String(WireType):
    """A string: `max_octets` of UTF-8 at most; NUL is never taken, since PostgreSQL cannot keep it."""

    max_octets: int | None = None
    min_octets: int = 0
    choices: frozenset[str] | None = None
    nul: bool = False

    def check(self, value: Any) -> Any:
        if type(value) is not str:
            raise WireError("a String is due")
        if self.choices is not None and value not in self.choices:
            raise WireError(f"one of {', '.join(sorted(self.choices))} is due")
        if not self.nul and "\0" in value:
            raise WireError("the character U+0000 is not allowed")
        if self.max_octets is not None or self.min_octets:
            octets = len(value.encode())
            if octets < self.min_octets or (self.max_octets is not None and octets > self.max_octets):
                raise WireError(f"{self.min_octets} to {self.max_octets} octets are due")
        return value


@dataclass(frozen=True)
class Id(WireType):
    """An Id; `to` names the type it refers to, for which `#creationId` may stand (RFC 8620 §5.3)."""

    to: str | None = None

    def check(self, value: Any) -> Any:
        if is_id(value) or (
            self.to is not None and type(value) is str and value[:1] == "#" and is_id(value[1:])
        ):
            return value
        raise WireError("an Id is due")

    def references(self, value: Any) -> Iterator[tuple[str, str]]:
        if self.to is not None:
            yield self.to, value

    def replace(self, value: Any, created: Mapping[str, str]) -> Any:
        if self.to is not None and type(value) is str and value[:1] == "#":
            return created.get(value[1:], value)
        return value


@dataclass(frozen=True)
class Date(WireType):
    """A date-time of RFC 3339 with any offset; kept as it came (RFC 8620 §1.4)."""

    def check(self, value: Any) -> Any:
        parse_date(value)
        return value


@dataclass(frozen=True)
class UTCDate(WireType):
    """A date-time in UTC; fractions of a second are taken and dropped (RFC 8620 §1.4)."""

    def check(self, value: Any) -> Any:
        moment = parse_date(value)
        if value[-1] != "Z":
            raise WireError("a UTCDate ends with Z")
        return format_utc(moment)


def parse_date(value: Any) -> datetime:
    """The moment of a Date or UTCDate. Raises `WireError`."""
    match = _DATE.match(value) if type(value) is str else None
    if match is None:
        raise WireError("a date-time of RFC 3339 is due")
    try:
        text = match[2].replace(":60", ":59") if match[2].endswith(":60") else match[2]
        return datetime.fromisoformat(f"{match[1]}T{text}{match[4].replace('Z', '+00:00')}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise WireError("no such date") from None


def format_utc(moment: datetime) -> str:
    """A moment as UTCDate."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if moment.year >= 1000
        else (f"{moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z")
    )


@dataclass(frozen=True)
class Nullable(WireType):
    """A value of another type, or null."""

    of: WireType
    nullable = True

    def check(self, value: Any) -> Any:
        return None if value is None else self.of.check(value)

    def references(self, value: Any) -> Iterator[tuple[str, str]]:
        return iter(()) if value is None else self.of.references(value)

    def replace(self, value: Any, created: Mapping[str, str]) -> Any:
        return None if value is None else self.of.replace(value, created)


@dataclass(frozen=True)
class ListOf(WireType):
    """An array of values of one type."""

    of: WireType
    max_items: int | None = None

    def check(self, value: Any) -> Any:
        if type(value) is not list:
            raise WireError("an array is due")
        if self.max_items is not None and len(value) > self.max_items:
            raise WireError(f"at most {self.max_items} items are due")
        if type(self.of) is Id and _are_ids(value):
            return value
        return [self.of.check(item) for item in value]

    def references(self, value: Any) -> Iterator[tuple[str, str]]:
        for item in value:
            yield from self.of.references(item)

    def replace(self, value: Any, created: Mapping[str, str]) -> Any:
        return [self.of.replace(item, created) for item in value] if type(value) is list else value


@dataclass(frozen=True)
class MapOf(WireType):
    """An object whose names are of one type and whose values of another: Id[Boolean], String[Foo] …"""

    key: WireType
    of: WireType
    min_items: int = 0

    def check(self, value: Any) -> Any:
        if type(value) is not dict:
            raise WireError("an object is due")
        if len(value) < self.min_items:
            raise WireError(f"at least {self.min_items} members are due")
        return {self.key.check(name): self.of.check(item) for name, item in value.items()}

    def references(self, value: Any) -> Iterator[tuple[str, str]]:
        for name, item in value.items():
            yield from self.key.references(name)
            yield from self.of.references(item)

    def replace(self, value: Any, created: Mapping[str, str]) -> Any:
        if type(value) is not dict:
            return value
        return {
            self.key.replace(name, created): self.of.replace(item, created) for name, item in value.items()
        }


@dataclass(frozen=True)
class IsTrue(WireType):
    """The value true alone, as in the sets that are written Id[Boolean] or String[Boolean]."""

    def check(self, value: Any) -> Any:
        if value is not True:
            raise WireError("the value true is due")
        return value


def SetOf(key: WireType, min_items: int = 0) -> MapOf:  # noqa: N802  # a type, spelled as the RFC spells it
    """A set, written as an object whose values are all true."""
    return MapOf(key, IsTrue(), min_items)


@dataclass(frozen=True)
class ObjectOf(WireType):
    """An object with known members; those not in `required` may be left out. Unknown ones are an error."""

    members: Mapping[str, WireType]
    required: Sequence[str] = field(default=())

    def check(self, value: Any) -> Any:
        if type(value) is not dict:
            raise WireError("an object is due")
        missing = [name for name in self.required if name not in value]
        unknown = [name for name in value if name not in self.members]
        if missing or unknown:
            raise WireError(f"members are missing or unknown: {', '.join([*missing, *unknown])}")
        return {name: self.members[name].check(item) for name, item in value.items()}

    def references(self, value: Any) -> Iterator[tuple[str, str]]:
        for name, item in value.items():
            yield from self.members[name].references(item)

    def replace(self, value: Any, created: Mapping[str, str]) -> Any:
        if type(value) is not dict:
            return value
        return {
            name: self.members[name].replace(item, created) if name in self.members else item
            for name, item in value.items()
        }
