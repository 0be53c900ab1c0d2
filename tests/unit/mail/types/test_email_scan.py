"""What a search text means, and what is searched (RFC 8621 §4.4.1)."""

from __future__ import annotations

import pytest

from mail.types.email_scan import haystack, needles


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("two words", ["two", "words"]),
        ("'one phrase'", ["one phrase"]),
        ('"one  phrase" Word', ["one phrase", "word"]),
        (r"'it\'s'", ["it's"]),
        ("it's", ["it's"]),
        ("'open", ["'open"]),
        ("Straße", ["strasse"]),
        ("", []),
        ("  ", []),
        ("''", ["''"]),
    ],
)
def test_words_and_phrases(text: str, found: list[str]) -> None:
    assert needles(text) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("A  Subject", "a subject"),
        (["a@b", "c@d"], "<a@b> <c@d>"),
        (
            [{"name": "Ann", "email": "A@B.example"}, {"name": None, "email": "c@d"}],
            "ann <a@b.example> <c@d>",
        ),
    ],
)
def test_what_is_searched(value: object, text: str) -> None:
    assert haystack(value) == text
