"""What a SearchSnippet shows: the subject and a piece of the body with the words of a search marked (RFC 8621 §5)."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from mail.search.places import LocatedText, Span
from mail.search.terms import Term
from mail.search.words import Words, cleaned

MOST_OCTETS = 255
"""Of a preview: "It MUST NOT be bigger than 255 octets in size"."""
BEFORE = 40
"""Characters that are shown before the first mark."""
WINDOW = 150
"""Characters that words are best found within."""
SLICE = 20_000
"""Characters that are looked at at once: what is found early in a long text costs little."""
MOST_SPANS = 500
"""Places that are looked at in one text."""

_OPEN, _CLOSE, _MORE = "<mark>", "</mark>", "…"


def marked_subject(subject: str, terms: Sequence[Term], words: Words) -> str | None:
    """The subject with the terms that are in it marked; None where none is."""
    located = LocatedText(cleaned(subject), words)
    spans = _merged(span for term in terms for span in located.spans(term))
    if not spans:
        return None
    pieces, end = [], 0
    for start, stop in spans:
        pieces += [_escaped(located.text[end:start]), _OPEN, _escaped(located.text[start:stop]), _CLOSE]
        end = stop
    return "".join([*pieces, _escaped(located.text[end:])])


def preview(texts: Iterable[str], terms: Sequence[Term], words: Words) -> str | None:
    """The piece of the texts that has most of the terms, at most 255 octets of UTF-8; None where there is none of them."""
    best: tuple[int, LocatedText, list[list[Span]]] | None = None
    for text in _slices(texts):
        located = LocatedText(text, words)
        spans = [sorted(located.spans(term))[:MOST_SPANS] for term in terms]
        count = sum(map(bool, spans))
        if count and (best is None or count > best[0]):
            best = count, located, spans
            if count == len(terms):
                break
    if best is None:
        return None
    _, located, spans = best
    return _cut(located.text, _merged(span for of_term in spans for span in of_term), _densest(spans))


def _slices(texts: Iterable[str]) -> Iterator[str]:
    """Texts with single spaces, in pieces that end at a space where there is one."""
    for text in texts:
        line = " ".join(cleaned(text).split())
        while len(line) > SLICE:
            end = line.rfind(" ", SLICE // 2, SLICE)
            end = SLICE if end < 0 else end
            yield line[:end]
            line = line[end:].lstrip()
        yield line


def _densest(spans: Sequence[Sequence[Span]]) -> int:
    """Where the window begins that has the most terms; the first of several."""
    places = sorted((start, term) for term, of_term in enumerate(spans) for start, _ in of_term)
    inside: dict[int, int] = {}
    best, best_start, last = 0, places[0][0], 0
    for start, term in places:
        # The window ends with this place: let go of what is too far before it.
        inside[term] = inside.get(term, 0) + 1
        while places[last][0] < start - WINDOW:
            gone = places[last][1]
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            last += 1
        if len(inside) > best:
            best, best_start = len(inside), places[last][0]
    return best_start


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap as one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _cut(text: str, spans: Sequence[Span], first_mark: int) -> str:
    """The text from a little before the first mark on, as far as the octets go; at words, where there are any."""
    start = max(0, first_mark - BEFORE)
    if start:
        space = text.find(" ", start, first_mark)
        start = space + 1 if space >= 0 else start
    shown = [(begin, end) for begin, end in spans if begin >= start]
    room = MOST_OCTETS - 2 * len(_MORE.encode())
    pieces = [_MORE] if start else []
    position = start
    for begin, end in [*shown, (len(text), len(text))]:
        plain, taken, used = _fitting(text[position:begin], room)
        pieces.append(plain)
        position, room = position + taken, room - used
        if position < begin:
            break
        tags = len(_OPEN) + len(_CLOSE)
        inside, taken, used = _fitting(text[begin:end], room - tags)
        if not taken:
            break
        pieces += [_OPEN, inside, _CLOSE]
        position, room = position + taken, room - used - tags
        if position < end:
            break
    return "".join([*pieces, _MORE] if position < len(text) else pieces)


def _fitting(text: str, room: int) -> tuple[str, int, int]:
    """As much of a text as fits, escaped: (it, how many characters it was, its octets)."""
    pieces: list[str] = []
    used = 0
    for character in text[: max(0, room)]:
        piece = _escaped(character)
        octets = len(piece.encode())
        if used + octets > room:
            break
        pieces.append(piece)
        used += octets
    taken = len(pieces)
    if taken < len(text) and (space := text.rfind(" ", 0, taken)) > taken - 20 and space > 0:
        for piece in pieces[space:]:
            used -= len(piece.encode())
        pieces, taken = pieces[:space], space
    return "".join(pieces), taken, used


def _escaped(text: str) -> str:
    return escape(text, quote=False)
