"""Languages of mail: names of Snowball's algorithms, which find the stems of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import Stemmer

MOST_LANGUAGES = 8
"""Languages of one account: each word that comes in is looked at in each of them."""


class UnknownLanguageError(ValueError):
    """There is no stemmer for a language."""


@lru_cache(maxsize=1)
def known_languages() -> frozenset[str]:
    """Every language that has a stemmer."""
    return frozenset(Stemmer.algorithms())


def check_languages(languages: Sequence[str]) -> None:
    """Raises `UnknownLanguageError` for the first that has no stemmer."""
    for language in languages:
        if language not in known_languages():
            raise UnknownLanguageError(f"{language!r} is none of {', '.join(sorted(known_languages()))}")


def parse_languages(text: str) -> tuple[str, ...]:
    """The languages of a setting, with spaces or commas between them, each once. Raises `UnknownLanguageError`."""
    languages = tuple(dict.fromkeys(text.replace(",", " ").lower().split()))
    check_languages(languages)
    return languages
