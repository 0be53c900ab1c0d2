"""JSON Pointers with `*`, and what may stand as a result reference."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmapcore.protocol.errors import InvalidArguments, InvalidResultReference, RequestTooLarge
from jmapcore.protocol.references import MAX_ITEMS, Steps, evaluate, referenced_arguments, tokens

THREADS = {"list": [{"emailIds": ["a", "b"]}, {"emailIds": []}, {"emailIds": ["c"]}], "n": [[1, [2]], [3]]}


@pytest.mark.rfc("8620", "3.7")
@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", THREADS),
        ("/list/0/emailIds", ["a", "b"]),
        ("/list/0/emailIds/1", "b"),
        ("/list/*/emailIds", ["a", "b", "c"]),
        ("/list/*", THREADS["list"]),
        ("/list/*/emailIds/*", ["a", "b", "c"]),
        ("/n/*", [1, [2], 3]),
        ("/n/*/*", [1, 2, 3]),
    ],
)
def test_a_pointer_selects(pointer: str, value: Any) -> None:
    assert evaluate(pointer, THREADS, Steps()) == value


@pytest.mark.rfc("8620", "3.7")
def test_stars_and_escapes_are_plain_names_in_an_object() -> None:
    value = {"*": {"a/b": 1, "m~n": 2, "": 3, "~1": 4, "0": 5}}
    assert [evaluate(f"/*/{name}", value, Steps()) for name in ("a~1b", "m~0n", "", "~01", "0")] == [
        1,
        2,
        3,
        4,
        5,
    ]


@pytest.mark.rfc("8620", "3.7")
@pytest.mark.parametrize(
    "pointer",
    [
        "list", "/missing", "/list/3", "/list/-", "/list/-1", "/list/01", "/list/x", "/list/0/emailIds/0/x",
        "/list/*/missing", "/~", "/~2", "/list/99999999999999999999", "/list/", "//", "/n/*/*/*",
    ],
)  # fmt: skip
def test_a_pointer_that_selects_nothing_fails(pointer: str) -> None:
    with pytest.raises((LookupError, ValueError)):
        evaluate(pointer, THREADS, Steps())


def test_a_pointer_through_nothing_selects_nothing() -> None:
    assert evaluate("/a/*/b/*/c", {"a": []}, Steps()) == []


def test_an_index_is_an_ascii_number() -> None:
    with pytest.raises(LookupError):
        evaluate("/٠", [1], Steps())


def test_a_reference_selects_a_bounded_number_of_items() -> None:
    with pytest.raises(LookupError):
        evaluate("/*", list(range(MAX_ITEMS + 1)), Steps())


def test_the_references_of_a_request_visit_a_bounded_number_of_items() -> None:
    steps = Steps(25)
    assert evaluate("/*", [[]] * 20, steps) == []
    with pytest.raises(RequestTooLarge):
        evaluate("/*", [[]] * 6, steps)


def test_many_stars_take_no_time() -> None:
    value: Any = 0
    for _ in range(17):
        value = [value, value]
    started = time.thread_time()
    with pytest.raises((LookupError, RequestTooLarge)):
        evaluate("/*" * 17, value, Steps())
    with pytest.raises(LookupError):
        evaluate("/*" * 3_000_000, [[[[1]]]], Steps())
    assert time.thread_time() - started < 2


def test_the_tokens_of_a_pointer() -> None:
    assert tokens("") == []
    assert tokens("/") == [""]
    assert tokens("/a//~1~0") == ["a", "", "/~"]


@pytest.mark.rfc("8620", "3.7")
def test_references_are_found_among_the_arguments() -> None:
    arguments = {"a": 1, "#ids": {"resultOf": "c", "name": "Foo/get", "path": "/x"}}
    assert referenced_arguments(arguments) == {"ids": ("c", "Foo/get", "/x")}


@pytest.mark.rfc("8620", "3.7")
def test_an_argument_in_both_forms_is_invalid() -> None:
    with pytest.raises(InvalidArguments):
        referenced_arguments({"ids": [], "#ids": {"resultOf": "c", "name": "n", "path": "/x"}})


@pytest.mark.rfc("8620", "3.7")
@pytest.mark.parametrize(
    "value",
    [
        None,
        "c",
        [],
        {},
        {"resultOf": "c", "name": "n"},
        {"resultOf": "c", "name": "n", "path": 1},
        {"resultOf": None, "name": "n", "path": ""},
        {"resultOf": "c", "name": "n", "path": "", "more": 1},
    ],
)
def test_what_is_no_result_reference_does_not_resolve(value: Any) -> None:
    with pytest.raises(InvalidResultReference):
        referenced_arguments({"#ids": value})


NAMES = st.sampled_from(["a", "b", "", "*", "0", "1", "a/b", "m~n", "~1"])
DOCUMENTS = st.recursive(
    st.none() | st.integers(0, 3) | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
POINTERS = st.lists(NAMES | st.sampled_from(["*", "0", "1", "-", "01", "²"]), max_size=5).map(
    lambda names: "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
) | st.text("/~01*a", max_size=8)


def by_the_text(names: list[str], value: Any) -> Any:
    """What RFC 8620 §3.7 says that a pointer of these names selects, as it says it. Raises `LookupError`."""
    if not names:
        return value
    first, rest = names[0], names[1:]
    if isinstance(value, dict):
        return by_the_text(rest, value[first])
    if not isinstance(value, list):
        raise LookupError
    if first != "*":
        if str(first) not in map(str, range(len(value))):
            raise LookupError
        return by_the_text(rest, value[int(first)])
    selected = [by_the_text(rest, item) for item in value]
    return [each for item in selected for each in (item if isinstance(item, list) else [item])]


@pytest.mark.rfc("8620", "3.7")
@given(POINTERS, DOCUMENTS)
def test_whatever_pointer_comes_selects_what_the_text_says_or_nothing(pointer: str, document: Any) -> None:
    expected, found = [], []
    try:
        names = tokens(pointer)
    except ValueError:
        assert pointer[:1] != "/" or "~" in pointer
        names = None
    with contextlib.suppress(LookupError):
        expected = [] if names is None else [by_the_text(names, document)]
    with contextlib.suppress(LookupError, ValueError):
        found = [evaluate(pointer, document, Steps())]
    assert found == expected
