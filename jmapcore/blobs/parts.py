"""Finding a part of a blob, and a part of a part, so that it can be read as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jmapcore.blobs.references import PartSpan, part_resolver


def cut(pieces: Iterator[bytes], start: int, end: int) -> Iterator[bytes]:
    """The octets from `start` up to and without `end` of a stream that can only be read from its beginning."""
    position = 0
    for piece in pieces:
        if position >= end:
            return
        wanted = piece[max(start - position, 0) : end - position]
        position += len(piece)
        if wanted:
            yield wanted


def nested(outer: PartSpan, inner: PartSpan) -> PartSpan:
    """Where a part lies in a blob; `outer` is the part around it, and `inner` says where it lies in that part's octets."""
    if outer.decode is None:
        start, end = outer.start + inner.start, outer.start + inner.end
        return PartSpan(start, end, inner.size, inner.type, inner.decode)
    decode_outer, decode_inner = outer.decode, inner.decode

    def decode(raw: Iterator[bytes]) -> Iterator[bytes]:
        octets = cut(decode_outer(raw), inner.start, inner.end)
        return octets if decode_inner is None else decode_inner(octets)

    return PartSpan(outer.start, outer.end, inner.size, inner.type, decode)


def find_part(content: bytes, path: Sequence[int]) -> PartSpan | None:
    """Where the part lies in `content` that `path` leads to, from the outermost part inwards; None where there is none."""
    resolve = part_resolver()
    span: PartSpan | None = None
    for number in path:
        if resolve is None:
            return None
        found = resolve(content, number)
        if found is None:
            return None
        content = found.octets(content)
        span = found if span is None else nested(span, found)
    return span
