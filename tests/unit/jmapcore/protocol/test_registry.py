"""Capabilities, types and methods: an impossible declaration refuses to boot."""

from __future__ import annotations

from typing import Any

import pytest

from jmapcore.protocol.registry import Capability, Method, Registry
from jmapcore.protocol.schema import (
    REQUIRED,
    Argument,
    DeclarationError,
    Filter,
    ObjectType,
    Property,
    SetBy,
    Sort,
    Unique,
)
from jmapcore.protocol.wire import Anything, Boolean, Id, Int, Nullable, String

URI = "urn:example:things"
ALL = frozenset({"get", "changes", "set", "copy", "query", "queryChanges"})


def thing(**members: Any) -> ObjectType:
    """A declaration that is possible, with some members of it changed."""
    given: dict[str, Any] = {
        "name": "Thing",
        "capability": URI,
        "letter": "t",
        "methods": ALL,
        "storage": object(),
        "properties": {"id": Property(Id(), set_by=SetBy.SERVER), "name": Property(String(), "x")},
        "filters": {"name": Filter(String(), ("name",))},
        "sorts": {"name": Sort(("name",))},
        "default_sort": ("name",),
        "unique": (Unique(("name",)),),
        "arguments": {"set": {"extra": Argument(Boolean(), False)}},
    }
    return ObjectType(**{**given, **members})


def registry(*types: ObjectType) -> Registry:
    made = Registry()
    made.add_capability(Capability(URI))
    for each in types:
        made.add_type(each)
    return made


def test_a_possible_declaration_is_registered() -> None:
    declared = thing()
    assert registry(declared).types == {"Thing": declared}


def test_a_type_may_have_a_state_alone() -> None:
    assert "Bell" in registry(ObjectType("Bell", URI, "y")).types


def made_up(access: Any, record: Any) -> int:
    return 1


def properties(**extra: Property) -> dict[str, Property]:
    return {"id": Property(Id(), set_by=SetBy.SERVER), "name": Property(String(), "x"), **extra}


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"letter": ""}, "letter"),
        ({"letter": "tt"}, "letter"),
        ({"letter": "T"}, "letter"),
        ({"letter": "1"}, "letter"),
        ({"letter": "é"}, "letter"),
        ({"methods": ALL | {"frobnicate"}}, "frobnicate"),
        ({"storage": None}, "storage"),
        ({"properties": {"name": Property(String(), "x")}}, "no property id"),
        ({"has_state": False}, "/changes needs a state"),
        ({"has_state": False, "methods": frozenset({"get", "query"}), "arguments": {}}, "/query needs a state"),
        ({"methods": frozenset({"get", "queryChanges"}), "arguments": {}}, "/queryChanges needs /query"),
        ({"methods": frozenset({"copy"}), "arguments": {}}, "/copy needs"),
        ({"methods": frozenset({"get"})}, "arguments for /set"),
        ({"has_account": False}, "without an account there is no /changes"),
        ({"singleton": True}, "a singleton has no /copy"),
        ({"filters": {"x": Filter(String(), ("x",))}}, "unknown properties: x"),
        ({"sorts": {"y": Sort(("y",))}, "default_sort": ()}, "unknown properties: y"),
        ({"unique": (Unique(("z",)),)}, "unknown properties: z"),
        ({"default_sort": ("size",)}, "default sort"),
        ({"sorts": {"name": Sort(("name",), arguments={"of": Argument(Int())})}}, "leaves out what name needs"),
        ({"properties": properties(a=Property(Int(), set_by=SetBy.SERVER, default=1, computed=made_up))}, "no default"),
        ({"properties": properties(a=Property(Int(), computed=made_up))}, "set by the server"),
        ({"properties": properties(a=Property(Int(), "x"))}, "does not fit"),
        ({"properties": properties(a=Property(Int(), None))}, "does not fit"),
        ({"properties": properties(a=Property(Int(), 1, writable_read_only=True))}, "per-user"),
    ],
)  # fmt: skip
def test_an_impossible_declaration_refuses_to_boot(members: dict[str, Any], problem: str) -> None:
    with pytest.raises(DeclarationError, match=problem):
        registry(thing(**members))


def test_defaults_that_a_function_makes_or_of_any_type_are_taken() -> None:
    made = Property(Anything(), dict)
    given = {
        "a": made,
        "b": Property(Anything(), "x"),
        "c": Property(Nullable(Int()), None),
        "d": Property(Boolean(), False, per_user=True, writable_read_only=True),
        "e": Property(Int(), set_by=SetBy.SERVER, volatile=True),
        "f": Property(Int(), set_by=SetBy.SERVER, computed=lambda access, record: 1),
    }
    declared = thing(properties=properties(**given))
    declared.check()
    assert made.default_value() == {}
    assert made.default_value() is not made.default_value()
    assert declared.properties["b"].default_value() == "x"
    assert declared.properties["e"].default is REQUIRED
    assert declared.volatile_properties == ("e",)


def test_what_is_registered_twice_refuses_to_boot() -> None:
    made = registry(thing())
    made.add_method(Method("Thing/do", URI, lambda context, arguments: [], None))
    with pytest.raises(DeclarationError, match="capability urn:example:things is registered twice"):
        made.add_capability(Capability(URI))
    with pytest.raises(DeclarationError, match="type Thing is registered twice"):
        made.add_type(thing())
    with pytest.raises(DeclarationError, match="method Thing/do is registered twice"):
        made.add_method(Method("Thing/do", URI, lambda context, arguments: [], None))
    with pytest.raises(DeclarationError, match="another type has the letter t"):
        made.add_type(thing(name="Other"))


def test_a_type_without_methods_shares_its_letter() -> None:
    assert len(registry(thing(), ObjectType("Bell", URI, "t")).types) == 2


def test_what_belongs_to_no_capability_refuses_to_boot() -> None:
    with pytest.raises(DeclarationError, match="not registered"):
        Registry().add_type(thing())
    with pytest.raises(DeclarationError, match="not registered"):
        Registry().add_method(Method("Thing/do", URI, lambda context, arguments: [], None))


@pytest.mark.rfc("8620", "1.8")
@pytest.mark.parametrize(
    ("using", "found"),
    [
        ({"urn:a"}, {"A/x"}),
        ({"urn:b"}, {"B/x"}),
        ({"urn:mail"}, {"B/x"}),
        ({"urn:a", "urn:b"}, {"A/x", "B/x", "A/both"}),
        ({"urn:a", "urn:mail"}, {"A/x", "B/x"}),
        (set(), set()),
    ],
)
def test_a_method_is_known_where_using_opens_it(using: set[str], found: set[str]) -> None:
    made = Registry()
    made.add_capability(Capability("urn:a"))
    made.add_capability(Capability("urn:b", opened_by=frozenset({"urn:mail"})))
    made.add_method(Method("A/x", "urn:a", lambda context, arguments: [], None))
    made.add_method(Method("A/both", "urn:a", lambda context, arguments: [], None, frozenset({"urn:b"})))
    made.add_method(Method("B/x", "urn:b", lambda context, arguments: [], None))
    names = {"A/x", "A/both", "B/x", "C/unknown"}
    assert {name for name in names if made.find_method(name, frozenset(using))} == found


def test_a_capability_is_available_unless_it_says_otherwise() -> None:
    assert Capability("urn:a").available(None)
    assert Capability("urn:a").session_value() == {}
