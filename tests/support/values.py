"""Values for the types of the wire that mostly fit.

What only an account knows stands there by a name that whoever sends the request replaces: `@Email:3` is one of its Emails,
`@now:Email` the state of Email, `@before:Email` an older one; `@account:0` and `@account:1` are accounts.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from jmapcore.protocol.wire import (
    Boolean,
    Date,
    Id,
    Int,
    IsTrue,
    ListOf,
    MapOf,
    Nullable,
    Number,
    ObjectOf,
    String,
    UTCDate,
    WireType,
)
from mail.types.wire import HeaderCondition, Keyword, MailboxName

ACCOUNT, OTHER = "@account:0", "@account:1"

Examples = st.SearchStrategy[Any]

KEYWORDS = [
    "$seen",
    "$draft",
    "$flagged",
    "$Answered",
    "$forwarded",
    "work",
    "x" * 255,
    "a/b",
    "~",
    "$recent",
]
WORDS = [
    "lunch", "Lunch", "zoë", "ann", "example", "example.org", "re", "", " ", "\0", "*", "lun*", '"lunch at"', '"', "\\", '\\"',
    "%", "_", "'", "x" * 300, "会议", "ﬁ", "a\u0301", "\U0001f600", "NOT", "OR", "-x", "<b>", "&amp;", ":", "|", "!", "(",
]  # fmt: skip
DATES = [
    "2020-01-01T00:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.5Z", "9999-12-31T23:59:59.9Z", "0001-01-01T00:00:00Z",
    "2020-11-20T10:00:00+01:00", "2020-02-30T00:00:00Z", "2016-12-31T23:59:60Z", "today",
]  # fmt: skip
FIELDS = [
    "Subject",
    "From",
    "to",
    "References",
    "X-Nobody",
    "List-Post",
    "Date",
    "Message-ID",
    "Received",
    "bad name",
    "",
    "ü",
]
FORMS = [
    "",
    ":asRaw",
    ":asText",
    ":asAddresses",
    ":asGroupedAddresses",
    ":asMessageIds",
    ":asDate",
    ":asURLs",
    ":asNothing",
]
HEADER_PROPERTIES = st.builds(
    "header:{}{}{}".format, st.sampled_from(FIELDS), st.sampled_from(FORMS), st.sampled_from(["", ":all"])
)
NUMBERS = [0, 1, 2, 5, -1, 100, 2**31 - 1, 2**31, 2**53 - 1, 2**53, -(2**53), 0.5, 1.0, 1e300]

TEXTS = st.sampled_from(WORDS) | st.text(max_size=8)
SCALARS = st.none() | st.booleans() | st.sampled_from(NUMBERS) | TEXTS | st.sampled_from(KEYWORDS + DATES)
JUNK: Examples = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS + FIELDS), inner, max_size=3)
    ),
    max_leaves=6,
)
CREATION_IDS = st.sampled_from(["a", "b", "c"])
CREATED = CREATION_IDS.map("#{}".format)


def object_ids(type_name: str | None) -> Examples:
    """Ids of a type, of another one, and references to creations."""
    names = [type_name] if type_name else ["Email", "Mailbox", "Thread", "Blob"]
    own = st.builds("@{}:{}".format, st.sampled_from(names), st.integers(0, 20))
    strange = st.sampled_from(
        ["singleton", "e0", "m99999999999", "@Blob:1-1", "@Blob:2-2", "-", "@Mailbox:0", "@Email:0"]
    )
    return st.one_of(own, own, own, own, own, own, CREATED, strange)


def mostly(fitting: Examples) -> Examples:
    """What fits, and something else now and then."""
    # Neither the first nor the last of a range: hypothesis is fond of those.
    return st.integers(0, 31).flatmap(lambda dice: JUNK if dice == 17 else fitting)


def values(wire: WireType) -> Examples:
    """Values that mostly fit a type of the wire."""
    match wire:
        case Nullable():
            return st.none() | values(wire.of) | values(wire.of)
        case Keyword():
            return st.sampled_from(KEYWORDS)
        case MailboxName():
            return TEXTS
        case HeaderCondition():
            return st.lists(st.sampled_from(FIELDS + WORDS), min_size=1, max_size=2)
        case Boolean():
            return st.booleans()
        case IsTrue():
            return st.just(True)
        case Int():
            edges = [each for each in NUMBERS if isinstance(each, int) and wire.low <= each <= wire.high]
            return st.sampled_from(edges) | st.integers(max(wire.low, 0), min(wire.high, 40))
        case Number():
            return st.sampled_from(NUMBERS)
        case Id():
            return object_ids(wire.to)
        case Date() | UTCDate():
            return st.sampled_from(DATES)
        case String():
            return st.sampled_from(sorted(wire.choices)) if wire.choices else TEXTS
        case ListOf():
            return st.lists(mostly(values(wire.of)), max_size=4)
        case MapOf():
            return st.dictionaries(values(wire.key).filter(_is_text), mostly(values(wire.of)), max_size=4)
        case ObjectOf():
            needed = {name: mostly(values(wire.members[name])) for name in wire.required}
            more = {name: mostly(values(of)) for name, of in wire.members.items() if name not in needed}
            return st.fixed_dictionaries(needed, optional=more)
        case _:
            return JUNK


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The members of both, those of the second first of all."""
    return {**first, **second}
