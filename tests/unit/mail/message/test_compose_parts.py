"""The tree of a message, and what its parts may be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mail.message.compose_parts import (
    DraftPart,
    arranged,
    checked_charset,
    checked_cid,
    checked_disposition,
    checked_language,
    checked_location,
    checked_name,
    checked_type,
)
from mail.message.compose_words import ComposeError

Tree = Any


def tree(part: DraftPart) -> Tree:
    """A part as its type, a multipart as its type and its parts."""
    return part.type if part.parts is None else (part.type, *map(tree, part.parts))


def text() -> DraftPart:
    return DraftPart("text/plain", text="Text")


def html(source: str = "<p>") -> DraftPart:
    return DraftPart("text/html", text=source)


def image(**values: Any) -> DraftPart:
    return DraftPart("image/png", blob_id="b1", **values)


@pytest.mark.rfc("8621", "4.6")
def test_bodies_without_attachments() -> None:
    assert tree(arranged(text(), None, [])) == "text/plain"
    assert tree(arranged(None, html(), [])) == "text/html"
    assert tree(arranged(text(), html(), [])) == ("multipart/alternative", "text/plain", "text/html")
    nothing = arranged(None, None, [])
    assert (nothing.type, nothing.text) == ("text/plain", "")


def test_attachments_come_after_the_bodies() -> None:
    assert tree(arranged(None, None, [image()])) == ("multipart/mixed", "image/png")
    assert tree(arranged(text(), None, [image(cid="a")])) == ("multipart/mixed", "text/plain", "image/png")
    bodies = ("multipart/alternative", "text/plain", "text/html")
    assert tree(arranged(text(), html(), [image(), image()])) == (
        "multipart/mixed",
        bodies,
        "image/png",
        "image/png",
    )


@pytest.mark.rfc("8621", "4.6")
def test_what_the_html_refers_to_is_related_to_it() -> None:
    source = '<img src="cid:a@x"><img src=CID:b%40x><img src="cid:c&amp;d">'
    embedded = [image(cid="a@x"), image(cid="b@x"), image(cid="c&d")]
    other = image(cid="e@x")
    whole = arranged(text(), html(source), [*embedded, other])
    related = ("multipart/related", "text/html", "image/png", "image/png", "image/png")
    assert tree(whole) == ("multipart/mixed", ("multipart/alternative", "text/plain", related), "image/png")
    assert [part.disposition for part in [*embedded, other]] == ["inline", "inline", "inline", "attachment"]


def test_dispositions_that_are_given_decide() -> None:
    given = [
        image(cid="a", disposition="inline"),
        image(cid="b", disposition="attachment"),
        image(disposition="inline"),
    ]
    whole = arranged(None, html("<img src='cid:b'>"), given)
    assert tree(whole) == (
        "multipart/mixed",
        ("multipart/related", "text/html", "image/png"),
        "image/png",
        "image/png",
    )
    assert [part.disposition for part in given] == ["inline", "attachment", "inline"]


def test_html_that_is_a_blob_may_refer_to_anything() -> None:
    whole = arranged(None, DraftPart("text/html", blob_id="b2"), [image(cid="a")])
    assert tree(whole) == ("multipart/related", "text/html", "image/png")


def test_leaves_come_in_order() -> None:
    whole = arranged(text(), html(), [image(), image()])
    assert [leaf.type for leaf in whole.leaves()] == ["text/plain", "text/html", "image/png", "image/png"]


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (checked_type, "Text/Plain", "text/plain"),
        (checked_charset, "ISO-8859-1", "ISO-8859-1"),
        (checked_disposition, "Inline", "inline"),
        (checked_name, " a.png ", "a.png"),
        (checked_name, "  ", None),
        (checked_cid, "a@b", "a@b"),
        (checked_language, ["de", "en-GB"], ["de", "en-GB"]),
        (checked_location, "https://example.org/a?b", "https://example.org/a?b"),
    ],
)
def test_what_parts_may_be_called(check: Callable[[Any], Any], value: Any, expected: Any) -> None:
    assert check(value) == expected


@pytest.mark.rfc("8621", "4.6")
@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checked_type, "text"),
        (checked_type, "text/plain; charset=x"),
        (checked_type, "text/plain\r\nBcc: x"),
        (checked_type, "text/" + "x" * 128),
        (checked_charset, "utf 8"),
        (checked_charset, "utf-8\r\n"),
        (checked_disposition, "inline; filename=x"),
        (checked_disposition, "inline\n"),
        (checked_name, "a\r\nb"),
        (checked_name, "a\0"),
        (checked_name, "a" * 1025),
        (checked_cid, ""),
        (checked_cid, "<a@b>"),
        (checked_cid, "a b"),
        (checked_cid, "a\r\nb"),
        (checked_cid, "a" * 901),
        (checked_language, ["de,en"]),
        (checked_language, ["de\r\n"]),
        (checked_language, [""]),
        (checked_location, "a b"),
        (checked_location, "a\r\n"),
        (checked_location, "é" * 451),
        (checked_location, ""),
    ],
)
def test_what_parts_may_not_be_called(check: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(ComposeError):
        check(value)
