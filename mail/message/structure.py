"""The compact form of a message's structure that is stored at ingest, and parts made from it again.

A flat list with one entry per part in document order, so that neither storing nor loading nests:

    [type, charset, disposition, name, cid, language, location, encoding, size,
     header_start, header_end, body_start, body_end, number of sub-parts or null for a part that is no
     multipart]

The number of a part is its index, its partId the count of the parts up to it that are no multipart. Header
fields are not in it: their offsets lead to them in the message's octets.
"""

from collections.abc import Sequence
from typing import Any

from mail.message.scan import Message, Part

#: Changes when the meaning of the list does.
FORMAT = 1

CompactStructure = list[list[Any]]


def compact_structure(message: Message) -> CompactStructure:
    """The structure of a message as JSON-able lists."""
    return [
        [
            part.type,
            part.charset,
            part.disposition,
            part.name,
            part.cid,
            part.language,
            part.location,
            part.encoding,
            part.size,
            part.header_start,
            part.header_end,
            part.body_start,
            part.body_end,
            len(part.parts) if part.is_multipart else None,
        ]
        for part in message.all_parts()
    ]


def load_parts(structure: Sequence[Sequence[Any]]) -> list[Part]:
    """All parts in document order, linked as `scan` links them, but without header fields; the first is the
    root.
    """
    parts: list[Part] = []
    unfilled: list[tuple[Part, int]] = []
    leaf_count = 0
    for number, entry in enumerate(structure):
        part = _part(entry, number)
        if part.part_id is not None:
            leaf_count += 1
            part.part_id = str(leaf_count)
        parts.append(part)
        while unfilled and len(unfilled[-1][0].parts) == unfilled[-1][1]:
            unfilled.pop()
        if unfilled:
            unfilled[-1][0].parts.append(part)
        if entry[13]:
            unfilled.append((part, entry[13]))
    return parts


def load_part(structure: Sequence[Sequence[Any]], number: int) -> Part | None:
    """One part that can be downloaded, without the others; None if there is none of that number or it is a
    multipart.
    """
    if not 0 <= number < len(structure) or structure[number][13] is not None:
        return None
    part = _part(structure[number], number)
    part.part_id = str(sum(entry[13] is None for entry in structure[: number + 1]))
    return part


def _part(entry: Sequence[Any], number: int) -> Part:
    """A part from its entry; its partId is still to be counted."""
    type_, charset, disposition, name, cid, language, location, encoding, size, *offsets, sub_parts = entry
    header_start, header_end, body_start, body_end = offsets
    return Part(
        part_id="" if sub_parts is None else None,
        number=number,
        header_start=header_start,
        header_end=header_end,
        body_start=body_start,
        body_end=body_end,
        headers=[],
        type=type_,
        charset=charset,
        disposition=disposition,
        name=name,
        cid=cid,
        language=language,
        location=location,
        encoding=encoding,
        parts=[],
        size=size,
    )
