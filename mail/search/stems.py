"""Stems of words by the Snowball algorithms, for the languages that are set."""

import threading
from collections.abc import Callable

import Stemmer

from accounts.languages import UnknownLanguageError, check_languages

__all__ = ["UnknownLanguageError", "check_languages", "stemmers"]

LONGEST = 40
"""Characters of the longest word that is stemmed: what is longer is no word of a language."""

Stems = Callable[[str], list[str]]


def stemmers(languages: tuple[str, ...]) -> Stems:
    """What gives the stems of a normalised word, one or more for each language. Raises `UnknownLanguageError`."""
    check_languages(languages)
    own = threading.local()  # a stemmer keeps what it is at, and is no thing to share between threads

    def stems(word: str) -> list[str]:
        if len(word) > LONGEST or word.isdigit():
            return []
        made = getattr(own, "stemmers", None)
        if made is None:
            made = own.stemmers = [(language, Stemmer.Stemmer(language, 0)) for language in languages]
        found = []
        for language, stemmer in made:
            stem = stemmer.stemWord(word)
            found.append(stem)
            # "a text search for bus would match buses" (RFC 8621 §4.4.1), which Snowball leaves as buse.
            if language == "english" and stem.endswith("se") and word == stem + "s" and len(word) > 4:
                found.append(stem[:-1])
        return found

    return stems
