"""From text to words, the same way for mail that comes in and for what is looked for.

Text is cut into raw words by script: letters and digits with their marks; Hangul; scripts that put no space between words
(Han, Kana, Thai and their like); symbols such as emoji. `Words` says what a raw word is found as. Linear in the text.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from mail.search.stems import stemmers

LONGEST_WORD = 80
"""Characters of a word that count; what follows them is left out, of mail as of what is looked for."""
LONGEST_RUN = 500
"""Characters without a space between them, of scripts that are taken apart; a longer run is several."""
LONGEST_ADDRESS = 254

_KEPT = 32_768
"""Words of a process that are taken apart once."""


def _ranges(code_points: Iterable[int]) -> str:
    """A character class's inside for sorted code points."""
    ranges: list[list[int]] = []
    for code_point in code_points:
        if ranges and ranges[-1][1] == code_point - 1:
            ranges[-1][1] = code_point
        else:
            ranges.append([code_point, code_point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_MARKS = _ranges(
    number for number in (*range(0x300, 0x20000), 0xE0100) if unicodedata.category(chr(number))[0] == "M"
)
# Han with its iteration mark and zero, Kana, Bopomofo; Thai, Lao, Myanmar, Khmer. Their digits are digits.
_UNSPACED = (
    "\u3005-\u3007\u303b\u3041-\u30fa\u30fc-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3\u17dc\u17dd"
)
_HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7a3\ud7b0-\ud7ff\uffa1-\uffdc"
_EMOJI = (
    "\u203c\u2049\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b00-\u2bff"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"

_UNSPACED_RUN = rf"[{_UNSPACED}][{_UNSPACED}{_MARKS}]{{0,{LONGEST_RUN - 1}}}+"
_HANGUL_RUN = rf"[{_HANGUL}]{{1,{LONGEST_RUN}}}+"
_WORD = rf"(?>(?:[^\W_{_UNSPACED}{_HANGUL}]++[{_MARKS}]*+)+)"
_RAW_WORD = re.compile(rf"{_WORD}|({_UNSPACED_RUN})|({_HANGUL_RUN})|{_FLAG}|[{_EMOJI}]")
_ANY_RAW_WORD = re.compile(rf"{_WORD}|{_UNSPACED_RUN}|{_HANGUL_RUN}|{_FLAG}|[{_EMOJI}]")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_UNIT = re.compile(rf".[{_MARKS}]*+", re.DOTALL)

ADDRESS = re.compile(
    r"(?<![\w.+@-])[\w!#$%&*+/=?^`{|}~-]++(?>(?:\.[\w!#$%&*+/=?^`{|}~-]++)*)@[^\W_](?:[\w-]*+)(?>(?:\.[^\W_][\w-]*+)*)"
)
"""An email address in text."""

# Not to be seen, and in the middle of words: soft hyphens, joiners, directions, variants, skin tones.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u200c-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef]+"
)

# Marks that are accents: European ones, Hebrew points, Arabic vowels. Those of other scripts are letters of their own.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_LETTERS = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ŀ": "l", "þ": "th", "æ": "ae", "œ": "oe", "ς": "σ",
    }
)  # fmt: skip
"""Letters that no normalisation takes apart, and that people look for without their strokes."""


def cleaned(text: str) -> str:
    """Text without what is not to be seen, of which mailers put some into words."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def normalised(text: str) -> str:
    """Text in NFKC and without case; the caller bounds its length (a run of marks takes quadratic time)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def without_accents(text: str) -> str:
    """Normalised text without accents, in NFC."""
    if text.isascii():
        return text
    plain = _ACCENTS.sub("", unicodedata.normalize("NFD", text)).translate(_LETTERS)
    return unicodedata.normalize("NFC", plain)


class Analysis(NamedTuple):
    """What a raw word is found as.

    `words` stand at one position each, one after the other: a word has one, a run of a script without spaces one for each
    character. `forms` are further lexemes that are at no position: stems, and the bigrams of Hangul.
    """

    words: tuple[str, ...]
    forms: tuple[str, ...] = ()


class RawWord(NamedTuple):
    """A raw word in its text."""

    text: str
    start: int
    end: int
    kind: int
    """WORD, UNSPACED or HANGUL."""


WORD, UNSPACED, HANGUL = 0, 1, 2


def raw_words(text: str) -> list[str]:
    """The raw words of cleaned text, in order."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _ANY_RAW_WORD.findall(text)


def located_words(text: str) -> Iterator[RawWord]:
    """The raw words of cleaned text with their places."""
    for match in _RAW_WORD.finditer(text):
        yield RawWord(match[0], match.start(), match.end(), match.lastindex or WORD)


def bigrams(units: list[str]) -> list[str]:
    """Each character with the next one; of one character, itself."""
    if len(units) == 1:
        return units
    return [first + second for first, second in pairwise(units)]


def units_of(text: str) -> list[str]:
    """The characters of a run, each with its marks."""
    return [unit[:LONGEST_WORD] for unit in _UNIT.findall(text)]


class Words:
    """Takes raw words apart for some languages."""

    def __init__(self, languages: tuple[str, ...], kept: int = _KEPT) -> None:
        self._stem = stemmers(languages)
        self.analysis = lru_cache(maxsize=kept)(self._analysis)

    def _analysis(self, raw: str) -> Analysis:
        """What a raw word is found as. What is very long is taken apart as far as its limits."""
        match = _RAW_WORD.match(raw)
        kind = (match.lastindex or WORD) if match else WORD
        if kind == UNSPACED:
            units = units_of(without_accents(normalised(raw)))
            return Analysis((*(bigrams(units) if len(units) > 1 else ()), *units[-1:]))
        if kind == HANGUL:
            word = normalised(raw)
            units = units_of(word)
            return Analysis(
                (word[:LONGEST_WORD],), tuple(dict.fromkeys(bigrams(units))) if len(units) > 2 else ()
            )
        word = normalised(raw[:LONGEST_WORD])
        if word.isalnum() and word.isascii():
            return Analysis((word,), self._stems(word))
        # Some characters fall apart into several words: ½, and what is written in one square.
        # Some symbols into what is no word at all, such as ‼: they stay as they are.
        pieces = _ANY_RAW_WORD.findall(word) or [raw[:LONGEST_WORD]]
        folded = tuple(without_accents(piece)[:LONGEST_WORD] or piece for piece in pieces)
        return Analysis(folded, self._stems(pieces[0]) if len(pieces) == 1 else ())

    def _stems(self, word: str) -> tuple[str, ...]:
        folded = without_accents(word)
        stems = (without_accents(stem) for stem in self._stem(word))
        return tuple(dict.fromkeys(stem for stem in stems if stem and stem != folded))


@lru_cache(maxsize=16)
def words_of(languages: tuple[str, ...]) -> Words:
    """The one `Words` of some languages. Raises ValueError for a language without a stemmer."""
    return Words(languages)


def addresses_in(text: str) -> list[str]:
    """The email addresses in cleaned text, folded as a whole."""
    if "@" not in text:
        return []
    return [folded_address(match[0]) for match in ADDRESS.finditer(text)]


def folded_address(text: str) -> str:
    """An address as a lexeme."""
    return without_accents(normalised(text[:LONGEST_ADDRESS]))
