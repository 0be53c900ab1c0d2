"""The text of a filter: words, quoted phrases and beginnings of words, all of which must be found (RFC 8621 §4.4.1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mail.search.lexemes import Field
from mail.search.words import (
    ADDRESS,
    HANGUL,
    UNSPACED,
    WORD,
    Words,
    bigrams,
    cleaned,
    folded_address,
    located_words,
    units_of,
)

MOST_WORDS = 100
"""Words of one text that can be looked for."""
MOST_PHRASE = 200
"""Words of one phrase."""

ADDRESS_FIELDS = (Field.FROM, Field.TO, Field.CC, Field.BCC)
TEXT_FIELDS = (*ADDRESS_FIELDS, Field.SUBJECT, Field.BODY, Field.ATTACHMENT)

FIELDS = {
    "text": TEXT_FIELDS,
    "from": (Field.FROM,),
    "to": (Field.TO,),
    "cc": (Field.CC,),
    "bcc": (Field.BCC,),
    "subject": (Field.SUBJECT,),
    "body": (Field.BODY,),
}
"""The conditions of Email/query, and where each looks."""

_TOKEN = re.compile(r"""(['"])((?>(?:\\.|(?!\1).)*))\1(?=\s|\Z)|(\S+)""", re.DOTALL)
_ESCAPE = re.compile(r"\\(['\"\\])")


class TooManyWordsError(ValueError):
    """A text has more words than can be looked for."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A word: one of `whole` is there, or all of `together` are."""

    whole: tuple[str, ...]
    together: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words at distances from the first, each (distance, text, whether it is the beginning of a word)."""

    words: tuple[tuple[int, str, bool], ...]


Term = AnyOf | Phrase


@dataclass(frozen=True, slots=True)
class SearchText:
    """A parsed text; `is_blank` where it says nothing at all, which every Email has."""

    terms: tuple[Term, ...]
    is_blank: bool = False

    @property
    def has_phrases(self) -> bool:
        """Whether the places of words matter."""
        return any(isinstance(term, Phrase) for term in self.terms)


def parse(text: str, words: Words) -> SearchText:
    """The terms of a text; none where it is nothing but punctuation, which is found nowhere. Raises `TooManyWordsError`."""
    terms: dict[Term, None] = {}
    for content, quoted in tokens(text):
        term = _phrase(content, words) if quoted else _word(content, words)
        if term is not None:
            terms[term] = None
        if len(terms) > MOST_WORDS:
            raise TooManyWordsError(f"more than {MOST_WORDS} words")
    return SearchText(tuple(terms), not terms and not any(content.strip() for content, _ in tokens(text)))


def tokens(text: str) -> Iterator[tuple[str, bool]]:
    """What white space divides, and quoted phrases without their quotes: (text, whether it was quoted)."""
    for match in _TOKEN.finditer(text):
        if match[1] is None:
            yield match[3], False
        else:
            yield _ESCAPE.sub(r"\1", match[2]), True


def _word(text: str, words: Words) -> Term | None:
    """A word outside of quotes: whichever of its forms is there. Of several in one, as foo-bar, a phrase."""
    text = cleaned(text)
    if ADDRESS.fullmatch(text):
        return AnyOf((folded_address(text),))
    located = list(islice(located_words(text), 2))
    if len(located) == 1 and not text.endswith("*"):
        [raw] = located
        found, forms = words.analysis(raw.text)
        if raw.kind == HANGUL:
            return _hangul(found[0])
        if raw.kind == WORD and len(found) == 1:
            return AnyOf((found[0], *forms))
    return _phrase(text, words, is_open=text.endswith("*"))


def _hangul(word: str) -> Term:
    """Words of Korean have endings: one is found inside of others, by its bigrams."""
    units = units_of(word)
    if len(units) == 1:
        return Phrase(((0, word, True),))
    return AnyOf((word,), tuple(dict.fromkeys(bigrams(units))) if len(units) > 2 else ())


def _phrase(text: str, words: Words, *, is_open: bool = False) -> Phrase | None:
    """The exact words, one after the other; with `is_open` the last is the beginning of one.

    A run of a script without spaces is found inside of longer ones: the bigram that goes on after it is left out.
    """
    found: list[tuple[int, str, bool]] = []
    position = 0
    for raw in located_words(cleaned(text)):
        pieces, _ = words.analysis(raw.text)
        if raw.kind != UNSPACED:
            found += [(position + place, piece, False) for place, piece in enumerate(pieces)]
        elif len(pieces) == 1:
            found.append((position, pieces[0], True))
        else:
            found += [(position + place, piece, False) for place, piece in enumerate(pieces[:-1])]
        position += len(pieces)
        if len(found) > MOST_PHRASE:
            raise TooManyWordsError(f"a phrase of more than {MOST_PHRASE} words")
    if is_open and found:
        found[-1] = (*found[-1][:2], True)
    return Phrase(tuple(found)) if found else None
