"""Ids of objects in requests: from the wire to numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from jmapcore.protocol.schema import ObjectType
from jmapcore.protocol.wire import object_id, object_number

if TYPE_CHECKING:
    from jmapcore.context import RequestContext

SINGLETON = "singleton"


@lru_cache
def _pattern(letter: str) -> re.Pattern[str]:
    """Matches ids of a type, with a space between them, whose numbers are surely small enough."""
    return re.compile(rf"{letter}[1-9][0-9]{{0,8}}(?>(?: {letter}[1-9][0-9]{{0,8}})*)\Z")


def number_of(declared: ObjectType, text: str) -> int | None:
    """The number in an id of this type; None for what is no id of it."""
    if declared.singleton:
        return 0 if text == SINGLETON else None
    return object_number(declared.letter, text)


def wire_id(declared: ObjectType, number: int) -> str:
    """The id on the wire of a record of this type."""
    return SINGLETON if declared.singleton else object_id(declared.letter, number)


def not_found(asked: Iterable[str], unknown: list[str], missing: Iterable[str]) -> list[str]:
    """The ids that are answered as not found, in the order in which they were asked for: `unknown` of `numbers`, and others."""
    found = [*unknown, *missing]
    if unknown and len(found) > len(unknown):
        wanted = set(found)
        return [text for text in dict.fromkeys(asked) if text in wanted]
    return found


def numbers(
    context: RequestContext, declared: ObjectType, ids: Iterable[str]
) -> tuple[dict[str, int], list[str]]:
    """(id as given → number) each id once, and the ids that no record of this type can have."""
    found: dict[str, int] = {}
    unknown: dict[str, None] = {}
    texts = list(ids)
    if texts and _pattern(declared.letter).match(" ".join(texts)) and not declared.singleton:
        # The common case, some hundred ids in one request, without a call for each.
        return {text: int(text[1:]) for text in texts}, []
    for text in texts:
        number = number_of(declared, context.resolve_id(text))
        if number is None:
            unknown[text] = None
        else:
            found[text] = number
    return found, list(unknown)
