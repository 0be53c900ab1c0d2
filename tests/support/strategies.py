"""Half-valid input for the methods of the registry, made from their declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from jmapcore.protocol.registry import Method
from jmapcore.protocol.schema import REQUIRED, Argument, ObjectType, SetBy
from jmapcore.registry import registry
from tests.support.new_emails import EMAIL_IMPORTS, EMAILS
from tests.support.values import (
    ACCOUNT,
    CREATION_IDS,
    HEADER_PROPERTIES,
    JUNK,
    KEYWORDS,
    OTHER,
    TEXTS,
    Examples,
    merged,
    mostly,
    object_ids,
    values,
)


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
    return st.integers(0, 15).flatmap(lambda dice: st.builds(merged, record, others) if dice == 9 else record)


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
