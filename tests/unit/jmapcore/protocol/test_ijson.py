"""I-JSON: what is taken and what is refused, and how long that takes."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from jmapcore.protocol.errors import NotJSON
from jmapcore.protocol.ijson import MAX_CONTAINERS, MAX_DEPTH, loads


@pytest.mark.rfc("8620", "1.5")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, "x", true, null]} ', {"a": [1, 2.5, "x", True, None]}),
        (b'{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}', {"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}),
        (b'{"a": "b\\":", "c": "\\\\"}', {"a": 'b":', "c": "\\"}),
        (b'["a:", "b" , "c"]', ["a:", "b", "c"]),
        (b'{"a"\n\t :1}', {"a": 1}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\u0000"', "\0"),
        (b"-0", 0),
        (b"1e2", 100.0),
    ],
)
def test_valid_texts_are_read(text: bytes, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.rfc("8620", "1.5")
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1,]",
        b"{'a': 1}",
        b"{} {}",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"01",
        b"+1",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"a\nb"',
        b'"\\x41"',
        b"// comment\n{}",
        '{"a": 1}'.encode("utf-16"),
        b"\0",
    ],
)
def test_what_is_no_i_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJSON):
        loads(text)


@pytest.mark.rfc("8620", "1.5")
@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"b": [{"a": 1, "a": 2}]}',
        b'{"\\"": 1, "\\u0022": 2}',
        b'{"": 1, "": 2}',
        b'{"\xc3\xa9": 1, "\\u00e9": 2}',
    ],
)
def test_a_name_that_stands_twice_is_refused(text: bytes) -> None:
    with pytest.raises(NotJSON, match="same name twice"):
        loads(text)


def test_names_that_differ_only_by_case_or_form_are_different() -> None:
    text = '{"a": 1, "A": 2, "\u00e9": 3, "e\u0301": 4}'
    assert loads(text.encode()) == {"a": 1, "A": 2, "\u00e9": 3, "e\u0301": 4}


def test_a_hundred_levels_are_taken() -> None:
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_more_than_a_hundred_levels_are_refused(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    depth = MAX_DEPTH + 2
    with pytest.raises(NotJSON, match="deeper"):
        loads(opening * depth + b"1" + closing * depth)


def test_brackets_in_strings_are_no_arrays() -> None:
    assert loads(b'["' + b"[{" * MAX_CONTAINERS + b'"]') == ["[{" * MAX_CONTAINERS]


def test_more_arrays_than_any_request_needs_are_refused() -> None:
    with pytest.raises(NotJSON, match="arrays and objects"):
        loads(b"[" + b"[]," * MAX_CONTAINERS + b"{}]")


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 10_000_000,
        b'{"a":' * 2_000_000,
        b"[" * 5_000_000 + b"]" * 5_000_000,
        b"[" + b"[]," * 3_000_000 + b"[]]",
        b'["' + b'\\"' * 4_999_000 + b'"]',
        b'"' + b"\\" * 9_999_999,
        b"[" + b'"a" ' + b" " * 9_000_000 + b"]",
        b"9" * 10_000_000,
        b"[" * 300_000 + b'"' + b"\\" * 9_000_000,
        b"[" + b'{"a":0},' * 240_000 + b"0]",
        b"[" + b"1.5," * 2_490_000 + b"0]",
        b"{" + b",".join(b'"%x":0' % number for number in range(900_000)) + b"}",
        b'{"a":1' + b" " * 9_000_000 + b"}",
    ],
    ids=lambda text: repr(text[:6]),
)
def test_hostile_texts_of_ten_megabytes_take_no_time(text: bytes) -> None:
    started = time.thread_time()
    with contextlib.suppress(NotJSON):
        loads(text)
    assert time.thread_time() - started < 2
