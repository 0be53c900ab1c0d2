"""Where the terms of a search text are in a text: for snippets, and for phrases that the index cannot decide."""

from collections.abc import Iterable, Sequence

from mail.search.terms import Phrase, SearchText, Term
from mail.search.words import (
    ADDRESS,
    UNSPACED,
    RawWord,
    Words,
    folded_address,
    located_words,
    units_of,
)

Span = tuple[int, int]
"""Start and end in the text."""


class LocatedText:
    """A cleaned text (`words.cleaned`) with the places of its words."""

    def __init__(self, text: str, words: Words) -> None:
        self.text = text
        self._spans: list[Span] = []
        """By position."""
        self._positions: dict[str, list[int]] = {}
        self._forms: dict[str, list[Span]] = {}
        for raw in located_words(text):
            found, forms = words.analysis(raw.text)
            for word, span in zip(found, _spans(raw, len(found)), strict=True):
                self._positions.setdefault(word, []).append(len(self._spans))
                self._spans.append(span)
            for form in forms:
                self._forms.setdefault(form, []).append((raw.start, raw.end))
        if "@" in text:
            for match in ADDRESS.finditer(text):
                self._forms.setdefault(folded_address(match[0]), []).append(match.span())

    def spans(self, term: Term) -> list[Span]:
        """The places of a term; none where it is not there."""
        if isinstance(term, Phrase):
            return self._phrase(term)
        found = [span for word in term.whole for span in self._at(word)]
        if not found and term.together and all(word in self._forms for word in term.together):
            found = [span for word in term.together for span in self._forms[word]]
        return found

    def has(self, term: Term) -> bool:
        """Whether a term is there."""
        return bool(self.spans(term))

    def _at(self, word: str) -> Iterable[Span]:
        yield from (self._spans[position] for position in self._positions.get(word, ()))
        yield from self._forms.get(word, ())

    def _phrase(self, phrase: Phrase) -> list[Span]:
        (_, first, first_is_open), *others = phrase.words
        if first_is_open and not others:
            forms = [span for form in self._forms if form.startswith(first) for span in self._forms[form]]
            return [self._spans[at] for at in self._beginning(first)] + forms
        starts = self._beginning(first) if first_is_open else self._positions.get(first, ())
        rest = [
            (distance, set(self._beginning(word) if is_open else self._positions.get(word, ())))
            for distance, word, is_open in others
        ]
        last = phrase.words[-1][0]
        return [
            (self._spans[start][0], self._spans[start + last][1])
            for start in starts
            if all(start + distance in positions for distance, positions in rest)
        ]

    def _beginning(self, beginning: str) -> list[int]:
        return sorted(
            position
            for word, positions in self._positions.items()
            if word.startswith(beginning)
            for position in positions
        )


def _spans(raw: RawWord, count: int) -> list[Span]:
    """The places of the `count` words of a raw word: a bigram goes from its first character to the end of its second."""
    if raw.kind == UNSPACED and count > 1:
        units = units_of(raw.text)
        if len(units) == count:
            starts = [raw.start]
            for unit in units:
                starts.append(starts[-1] + len(unit))
            return [(start, starts[min(place + 2, count)]) for place, start in enumerate(starts[:-1])]
    return [(raw.start, raw.end)] * count


def found_in(text: SearchText, fields: Sequence[Sequence[LocatedText]]) -> bool:
    """Whether every term is in one of the texts of one of the fields."""
    return all(any(located.has(term) for field in fields for located in field) for term in text.terms)
