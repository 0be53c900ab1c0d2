"""Half-valid input for the methods of the registry, made from their declarations.

What only an account knows stands there by a name that whoever sends the request replaces: `@Email:3` is one of its Emails,
`@now:Email` the state of Email, `@before:Email` an older one; `@account:0` and `@account:1` are accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from jmapcore.protocol.registry import Method
from jmapcore.protocol.schema import REQUIRED, Argument, ObjectType, SetBy
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
from jmapcore.registry import registry
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


def filters(declared: ObjectType) -> Examples:
    """Filters of a type: conditions, and operators over them."""
    condition = st.fixed_dictionaries(
        {}, optional={name: mostly(values(each.type)) for name, each in declared.filters.items()}
    )
    # A dictionary of all that is optional would have half of it: one to three conditions say more.
    few = st.lists(st.sampled_from(sorted(declared.filters) or ["x"]), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries(
            {
                name: mostly(values(declared.filters[name].type)) if name in declared.filters else JUNK
                for name in names
            }
        )
    )
    operators = st.sampled_from(["AND", "OR", "NOT", "NOT", "XOR"])
    return st.recursive(
        few | few | few | condition,
        lambda inner: st.fixed_dictionaries(
            {"operator": operators, "conditions": st.lists(inner, max_size=3)}
        ),
        max_leaves=5,
    )


def sorts(declared: ObjectType) -> Examples:
    """Sorts of a type."""

    def comparator(name: str) -> Examples:
        arguments = declared.sorts[name].arguments
        return st.fixed_dictionaries(
            {
                "property": st.just(name),
                **{each: mostly(values(given.type)) for each, given in arguments.items()},
            },
            optional={
                "isAscending": mostly(st.booleans()),
                "collation": st.sampled_from(
                    ["i;ascii-casemap", "i;unicode-casemap", "i;ascii-numeric", "i;octet"]
                ),
            },
        )

    names = sorted(declared.sorts)
    if not names:
        return JUNK
    return st.lists(mostly(st.sampled_from(names).flatmap(comparator)), max_size=3)


def records(declared: ObjectType) -> Examples:
    """Records to create: what a client must give and some of what it may; rarely what the server alone sets."""
    if declared.name == "Email":
        return EMAILS
    settable = {name: each for name, each in declared.properties.items() if each.set_by is not SetBy.SERVER}
    needed = {name: mostly(values(each.type)) for name, each in settable.items() if each.default is REQUIRED}
    more = {name: mostly(values(each.type)) for name, each in settable.items() if name not in needed}
    record = st.fixed_dictionaries(needed, optional=more)
    others = st.dictionaries(st.sampled_from(sorted(declared.properties)) | TEXTS, JUNK, max_size=1)
    return st.integers(0, 15).flatmap(
        lambda dice: st.builds(_merged, record, others) if dice == 9 else record
    )


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {**first, **second}


def patches(declared: ObjectType) -> Examples:
    """PatchObjects: whole properties, and pointers into them."""
    names = st.sampled_from(sorted(declared.properties))
    whole = names.flatmap(
        lambda name: st.tuples(st.just(name), mostly(values(declared.properties[name].type)))
    )
    inside = st.sampled_from(
        [*KEYWORDS, "a~1b", "~0", "~2", "@Mailbox:0", "@Mailbox:1", "@Mailbox:2", "#a", "0", "-", "x/y", ""]
    )
    pointer = st.tuples(
        st.builds("{}/{}".format, names, inside), st.none() | st.just(True) | st.just(True) | JUNK
    )
    return st.lists(whole | pointer | pointer, max_size=3).map(dict)


def property_names(declared: ObjectType) -> Examples:
    """The argument `properties`."""
    return st.none() | st.lists(
        st.sampled_from(sorted(declared.properties)) | HEADER_PROPERTIES | mostly(TEXTS), max_size=6
    )


def argument(method: Method, name: str, given: Argument) -> Examples:
    """Values for an argument of a method."""
    kind = method.name.partition("/")[0]
    declared = registry.types.get(kind)
    match name:
        case "accountId":
            return st.just(ACCOUNT)
        case "fromAccountId":
            return st.sampled_from([OTHER, OTHER, ACCOUNT])
        case "sinceState" | "sinceQueryState" | "ifInState" | "ifFromInState":
            states = [f"@before:{kind}", f"@before:{kind}", f"@now:{kind}"]
            return st.sampled_from(states) if name[0] == "s" else st.none() | st.just(states[-1])
        case "emails":
            return st.dictionaries(CREATION_IDS, EMAIL_IMPORTS, max_size=3)
    if declared is not None:
        match name:
            case "filter":
                return st.none() | filters(declared)
            case "sort":
                return st.none() | sorts(declared)
            case "properties":
                return property_names(declared)
            case "create":
                return st.dictionaries(CREATION_IDS, mostly(records(declared)), max_size=3)
            case "update":
                return st.dictionaries(object_ids(declared.name), mostly(patches(declared)), max_size=3)
            case "ids" | "destroy":
                return st.none() | st.lists(object_ids(declared.name), max_size=5)
    return values(given.type)


EMAIL_IMPORTS = mostly(
    st.fixed_dictionaries(
        {
            "blobId": object_ids("Blob"),
            "mailboxIds": st.dictionaries(
                object_ids("Mailbox"), mostly(st.just(True)), min_size=1, max_size=2
            ),
        },
        optional={
            "keywords": st.dictionaries(st.sampled_from(KEYWORDS), st.just(True), max_size=3),
            "receivedAt": st.sampled_from(DATES),
            "size": JUNK,
        },
    )
)
ADDRESS_LISTS = st.lists(
    st.fixed_dictionaries({"email": TEXTS}, optional={"name": st.none() | TEXTS}), max_size=2
)
PARTS_OF_ONE = {
    "partId": st.sampled_from(["1", "2", "t"]),
    "blobId": object_ids("Blob"),
    "type": st.sampled_from(
        [
            "text/plain",
            "text/html",
            "image/png",
            "message/rfc822",
            "multipart/mixed",
            "x",
            "text/plain; a=b",
            "TEXT/plain",
        ]
    ),
    "charset": st.sampled_from(["utf-8", "x", "us-ascii"]),
    "name": TEXTS,
    "cid": TEXTS,
    "disposition": st.sampled_from(["inline", "attachment", "x\r\ny"]),
    "language": st.none() | st.lists(TEXTS, max_size=2),
    "location": TEXTS,
    "size": st.sampled_from([0, 3]),
}
HEADER_MEMBERS = st.dictionaries(
    HEADER_PROPERTIES, mostly(TEXTS | ADDRESS_LISTS | st.lists(TEXTS, max_size=2)), max_size=2
)


def body_parts(children: bool = True) -> Examples:
    """EmailBodyParts to create: of one to three members, mostly a type and what holds the content."""
    few = st.lists(st.sampled_from(sorted(PARTS_OF_ONE)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: mostly(PARTS_OF_ONE[name]) for name in names})
    )
    whole = st.fixed_dictionaries({"type": PARTS_OF_ONE["type"], "blobId": PARTS_OF_ONE["blobId"]})
    text = st.fixed_dictionaries(
        {"type": st.sampled_from(["text/plain", "text/html"]), "partId": st.just("t")}
    )
    leaf = st.builds(_merged, text | text | whole | few, st.just({}) | few | HEADER_MEMBERS)
    if not children:
        return leaf
    return st.recursive(
        leaf,
        lambda inner: st.fixed_dictionaries(
            {
                "type": st.sampled_from(
                    ["multipart/mixed", "multipart/alternative", "multipart/related", "text/plain"]
                ),
                "subParts": st.lists(inner, max_size=3),
            }
        ),
        max_leaves=5,
    )


def _parts(media_type: str) -> Examples:
    made = st.just([{"partId": "t", "type": media_type}])
    return made | made | mostly(st.lists(body_parts(False), max_size=2))


BODY_VALUES = st.dictionaries(
    st.sampled_from(["t", "t", "1", "2"]),
    mostly(
        st.fixed_dictionaries(
            {"value": TEXTS | st.text(max_size=2_000)},
            optional={
                "isTruncated": st.booleans(),
                "isEncodingProblem": st.just(False),
                "charset": st.just("utf-8"),
            },
        )
    ),
    max_size=3,
)
EMAILS = st.builds(
    _merged,
    st.fixed_dictionaries(
        {
            "mailboxIds": mostly(
                st.sampled_from(
                    [{"@Mailbox:0": True}, {"@Mailbox:1": True, "@Mailbox:0": True}, {"#a": True}]
                )
            )
        },
        optional={
            "keywords": mostly(st.dictionaries(st.sampled_from(KEYWORDS), st.just(True), max_size=2)),
            "subject": mostly(TEXTS),
            "from": mostly(ADDRESS_LISTS),
            "to": mostly(ADDRESS_LISTS),
            "replyTo": mostly(ADDRESS_LISTS),
            "messageId": mostly(st.lists(TEXTS | st.just("a@example.org"), max_size=2)),
            "inReplyTo": mostly(st.lists(TEXTS | st.just("1@example.org"), max_size=2)),
            "sentAt": mostly(st.sampled_from(DATES)),
            "receivedAt": mostly(st.sampled_from(DATES)),
            "size": JUNK,
        },
    ),
    st.builds(
        _merged,
        st.fixed_dictionaries({"bodyStructure": mostly(body_parts()), "bodyValues": mostly(BODY_VALUES)})
        | st.fixed_dictionaries(
            {"bodyValues": st.just({"t": {"value": "Text"}}) | BODY_VALUES},
            optional={
                "textBody": _parts("text/plain"),
                "htmlBody": _parts("text/html"),
                "attachments": mostly(st.lists(body_parts(False), max_size=2)),
            },
        )
        | st.just({}),
        st.just({}) | HEADER_MEMBERS,
    ),
)
"""Emails for Email/set create (RFC 8621 §4.6)."""

REFERENCES = st.fixed_dictionaries(
    {
        "resultOf": st.sampled_from("0123"),
        "name": st.sampled_from(sorted(registry.methods)),
        "path": st.sampled_from(
            [
                "/ids",
                "/list/*/id",
                "/list/*/threadId",
                "/created",
                "/updated",
                "/created/a/id",
                "/notFound",
                "/*",
                "",
                "/x~",
            ]
        ),
    }
)


def arguments(method: Method) -> Examples:
    """The arguments of a call: what it needs, some of the rest, and a result reference or nonsense now and then."""
    if method.arguments is None:
        return st.dictionaries(TEXTS, JUNK, max_size=2)
    needed: dict[str, Examples] = {}
    optional: dict[str, Examples] = {}
    for name, given in method.arguments.items():
        made = argument(method, name, given)
        if given.default is REQUIRED and not given.type.nullable:
            needed[name] = mostly(made) if name != "accountId" else made
        else:
            optional[name] = mostly(made)
    plain = st.fixed_dictionaries(needed, optional=optional)
    names = st.sampled_from(sorted(method.arguments))

    def spoiled(values: dict[str, Any]) -> Examples:
        referring = names.flatmap(
            lambda name: REFERENCES.map(lambda reference: _referring(values, name, reference))
        )
        return referring | st.dictionaries(names | TEXTS, JUNK, max_size=1).map(
            lambda more: {**values, **more}
        )

    return st.integers(0, 15).flatmap(lambda dice: plain.flatmap(spoiled) if dice == 9 else plain)


def _referring(values: dict[str, Any], name: str, reference: dict[str, Any]) -> dict[str, Any]:
    return {**{each: value for each, value in values.items() if each != name}, f"#{name}": reference}


def calls(methods: Mapping[str, Examples]) -> Examples:
    """Invocations of these methods, with the strategies of their arguments."""
    return st.sampled_from(sorted(methods)).flatmap(
        lambda name: st.tuples(st.just(name), methods[name], st.sampled_from("0123")).map(list)
    )
