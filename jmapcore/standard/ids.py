"""Ids of objects in requests: from the wire to numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jmapcore.protocol.schema import ObjectType
from jmapcore.protocol.wire import object_id, object_number

if TYPE_CHECKING:
    from jmapcore.context import RequestContext

SINGLETON = "singleton"


def number_of(declared: ObjectType, text: str) -> int | None:
    """The number in an id of this type; None for what is no id of it."""
    if declared.singleton:
        return 0 if text == SINGLETON else None
    return object_number(declared.letter, text)


def wire_id(declared: ObjectType, number: int) -> str:
    """The id on the wire of a record of this type."""
    return SINGLETON if declared.singleton else object_id(declared.letter, number)


def numbers(
    context: RequestContext, declared: ObjectType, ids: Iterable[str]
) -> tuple[dict[str, int], list[str]]:
    """(id as given → number) each id once, and the ids that no record of this type can have."""
    found: dict[str, int] = {}
    unknown: dict[str, None] = {}
    letter = "" if declared.singleton else declared.letter
    for text in ids:
        # The common case without a call: some hundred ids come with each request.
        digits = text[1:]
        if (
            text[:1] == letter
            and digits.isdecimal()
            and digits.isascii()
            and digits[0] != "0"
            and len(digits) < 10
        ):
            found[text] = int(digits)
            continue
        number = number_of(declared, context.resolve_id(text))
        if number is None:
            unknown[text] = None
        else:
            found[text] = number
    return found, list(unknown)
