"""The lexemes of one message for `email_search.tsv`, and the bounds of what is indexed.

A lexeme is account, field and word: `2:s:lunch`. Words stand at positions; stems, whole addresses and the bigrams of Hangul at
none, so that a phrase never meets them. Fields count their positions apart.
"""

from collections.abc import Iterable
from enum import Enum

from mail.search.words import Words, addresses_in, cleaned, raw_words

LAST_POSITION = 16_383
"""tsvector has no higher one."""
MOST_POSITIONS = 255
"""Of one lexeme, as in tsvector."""
MOST_LEXEMES = 20_000
"""Distinct lexemes of a message, so that none holds up the account for long."""
MOST_PLACES = 500_000
"""Words of one field, repeated ones included, after which nothing new is taken up."""
MOST_OCTETS = 900_000
"""Of all lexemes and positions: a tsvector ends at 1 MB."""
BETWEEN_TEXTS = 10
"""Positions between two texts of a field, so that no phrase goes from one into the other."""

LONGEST_ACCOUNT = 24
"""Octets of an account's number, and what else a lexeme takes."""

ACCOUNT = "\x01"
"""Stands for the account in what `rendered` gives, until it is known."""


class Field(Enum):
    """Where a word is; the value is the letter in its lexemes."""

    FROM = "f"
    TO = "t"
    CC = "c"
    BCC = "b"
    SUBJECT = "s"
    BODY = "p"
    ATTACHMENT = "a"
    """The file names of attachments."""
    CUT = "x"
    """Its words are the letters of fields of which not every word is at its position."""


class _Found:
    """The words of one field: their positions, and the forms that are at none."""

    __slots__ = ("forms", "is_cut", "next", "positions")

    def __init__(self) -> None:
        self.positions: dict[str, list[int]] = {}
        self.forms: set[str] = set()
        self.next = 1
        self.is_cut = False


class Lexemes:
    """Collects the words of one message."""

    def __init__(self, words: Words) -> None:
        self._analysis = words.analysis
        self._fields: dict[Field, _Found] = {}

    def add(self, field: Field, text: str) -> None:
        """Add one text of a field; what is beyond the bounds is left out."""
        text = cleaned(text)
        self.add_words(field, raw_words(text), addresses_in(text))

    def add_words(self, field: Field, raws: Iterable[str], addresses: Iterable[str] = ()) -> None:
        """Add the raw words of one text, in order, and the addresses in it."""
        found = self._fields.get(field)
        if found is None:
            found = self._fields[field] = _Found()
        positions, forms, position, analysis = found.positions, found.forms, found.next, self._analysis
        forms.update(addresses)
        seen: dict[str, list[int]] = {}
        for raw in raws:
            places = seen.get(raw)
            if places is not None:
                places.append(position)
                position += 1
                continue
            if position > MOST_PLACES:
                found.is_cut = True
                break
            words, more = analysis(raw)
            if more:
                forms.update(more)
            if len(words) == 1:
                word = words[0]
                places = positions.get(word)
                if places is None:
                    positions[word] = seen[raw] = [position]
                else:
                    seen[raw] = places
                    places.append(position)
                position += 1
                continue
            for word in words:
                positions.setdefault(word, []).append(position)
                position += 1
        found.next = position + BETWEEN_TEXTS

    def rendered(self) -> str:
        """The text of the tsvector, with `ACCOUNT` for the account. No word has a quote or a backslash in it."""
        pieces: list[str] = []
        for field, found in self._fields.items():
            found.forms.difference_update(found.positions)
            if found.next > MOST_POSITIONS:
                _cut(found)
            prefix = f"'{ACCOUNT}:{field.value}:"
            pieces += [
                f"{prefix}{word}':{','.join(map(str, places))}"
                if len(places) > 1
                else f"{prefix}{word}':{places[0]}"
                if places
                else f"{prefix}{word}'"
                for word, places in found.positions.items()
            ]
            pieces += [f"{prefix}{form}'" for form in sorted(found.forms)]
        pieces = self._within_bounds(pieces)
        pieces += [
            f"'{ACCOUNT}:{Field.CUT.value}:{field.value}'"
            for field, found in self._fields.items()
            if found.is_cut
        ]
        return " ".join(pieces)

    def _within_bounds(self, pieces: list[str]) -> list[str]:
        """As many lexemes as a message may have."""
        if len(pieces) <= MOST_LEXEMES and sum(map(len, pieces)) * 4 < MOST_OCTETS:
            return pieces
        kept, octets = [], 0
        for piece in pieces[:MOST_LEXEMES]:
            octets += len(piece.encode()) + LONGEST_ACCOUNT
            if octets > MOST_OCTETS:
                break
            kept.append(piece)
        if len(kept) < len(pieces):
            for found in self._fields.values():
                found.is_cut = True
        return kept


def _cut(found: _Found) -> None:
    """Leave out positions that a tsvector cannot hold."""
    for word, places in found.positions.items():
        if len(places) > MOST_POSITIONS or places[-1] > LAST_POSITION:
            found.positions[word] = [at for at in places[:MOST_POSITIONS] if at <= LAST_POSITION]
            found.is_cut = True


def of_account(rendered: str, account_id: int) -> str:
    """The text of an account's tsvector."""
    return rendered.replace(ACCOUNT, str(account_id))
