"""From parsed texts to the text of a tsquery. Every lexeme in it names the account: no other one's mail can match."""

from collections.abc import Iterable, Sequence

from mail.search.lexemes import Field
from mail.search.terms import AnyOf, Phrase, SearchText, Term

NOTHING = "'-'"
"""Matches no message: each lexeme begins with a number."""


class Writer:
    """Writes the tsqueries of one account."""

    def __init__(self, account_id: int) -> None:
        self._account = str(account_id)

    def exact(self, text: SearchText, fields: Sequence[Field]) -> str:
        """All terms, each in one of the fields."""
        return _all(_any(self._term(term, field) for field in fields) for term in text.terms)

    def perhaps(self, text: SearchText, fields: Sequence[Field]) -> str:
        """What `exact` leaves out since not every word of the message is at its place in the index."""
        cut = _any(self._lexeme(Field.CUT, field.value) for field in fields)
        wide = _all(
            _any(
                part for field in fields for part in (self._term(term, field), *self._scattered(term, field))
            )
            for term in text.terms
        )
        return f"{cut} & {wide} & !{self.exact(text, fields)}"

    def _scattered(self, term: Term, field: Field) -> Iterable[str]:
        """The words of a phrase at any place, in a field that says of itself that some are at none."""
        if isinstance(term, Phrase):
            words = {(word, is_open) for _, word, is_open in term.words}
            lexemes = [self._lexeme(field, word, is_open) for word, is_open in sorted(words)]
            yield _all([self._lexeme(Field.CUT, field.value), *lexemes])

    def _term(self, term: Term, field: Field) -> str:
        if isinstance(term, AnyOf):
            parts = [self._lexeme(field, word) for word in term.whole]
            if term.together:
                parts.append(_all(self._lexeme(field, word) for word in term.together))
            return _any(parts)
        if len(term.words) == 1:
            [(_, word, is_open)] = term.words
            lexeme = self._lexeme(field, word, is_open)
            # At its own place: a stem is at none.
            return lexeme if is_open else f"({lexeme} <0> {lexeme})"
        written, before = "", 0
        for distance, word, is_open in term.words:
            written += f" <{distance - before}> " if written else ""
            written += self._lexeme(field, word, is_open)
            before = distance
        return f"({written})"

    def _lexeme(self, field: Field, word: str, is_open: bool = False) -> str:
        return f"'{self._account}:{field.value}:{word}'{':*' if is_open else ''}"


def _all(parts: Iterable[str]) -> str:
    return _joined(" & ", parts)


def _any(parts: Iterable[str]) -> str:
    return _joined(" | ", parts)


def _joined(operator: str, parts: Iterable[str]) -> str:
    found = list(parts)
    if not found:
        return NOTHING
    return found[0] if len(found) == 1 else f"({operator.join(found)})"
