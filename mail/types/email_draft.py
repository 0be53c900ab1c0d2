"""What a client says of an Email that it creates, checked by the constraints of RFC 8621 §4.6."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from jmapcore.protocol.errors import InvalidProperties, TooLarge
from jmapcore.protocol.schema import SetBy
from jmapcore.protocol.wire import Boolean, ListOf, MapOf, ObjectOf, String, WireError
from jmapcore.standard.set import AnyObject
from mail.message.compose import Draft
from mail.message.compose_parts import DraftPart, arranged
from mail.message.compose_words import ComposeError
from mail.types.email_draft_fields import GivenField, checked_fields, field_of
from mail.types.email_draft_parts import PartChecker, PartError
from mail.types.email_properties import PROPERTIES

MOST_PARTS = 1_000
"""Body parts of one Email."""

MOST_OCTETS = 500_000
"""Octets of the JSON of one Email without its body values: some ten thousand recipients."""

_BODY_VALUES = MapOf(
    String(),
    ObjectOf(
        {"value": String(nul=True), "isEncodingProblem": Boolean(), "isTruncated": Boolean()},
        required=("value",),
    ),
)
_PARTS = ListOf(AnyObject())
_TYPES = {"textBody": "text/plain", "htmlBody": "text/html"}


def checked_draft(given: Mapping[str, Any], resolve: Callable[[str], str]) -> Draft:
    """The message to compose; `resolve` finds the id that a `#creationId` stands for.

    Raises `InvalidProperties`, which names all that is wrong but for ids of mailboxes, or `TooLarge`.
    """
    if len(orjson.dumps({name: given[name] for name in given if name != "bodyValues"})) > MOST_OCTETS:
        raise TooLarge(f"more than {MOST_OCTETS} octets beside the body values")
    return _Check(given, resolve).draft()


class _Check:
    """One Email to be created; `invalid` grows."""

    def __init__(self, given: Mapping[str, Any], resolve: Callable[[str], str]) -> None:
        # Null is what all of them are where they are not given.
        self.given = {name: value for name, value in given.items() if value is not None}
        self.resolve = resolve
        self.invalid: set[str] = {name for name in given if not _may_be_given(name)}
        self.parts = PartChecker(self._body_values(), resolve)

    def draft(self) -> Draft:
        """The message to compose."""
        self._check_metadata()
        headers: list[GivenField] = []
        for name, value in self.given.items():
            if (wanted := field_of(name)) is not None and name not in self.invalid:
                headers.append((name, wanted, value))
        fields, invalid = checked_fields(headers)
        self.invalid.update(invalid)
        root = self._structure() if "bodyStructure" in self.given else self._arranged()
        if root is not None and {name.lower() for name, _ in root.fields} & {
            wanted.name.lower() for _, wanted, _ in headers
        }:
            self.invalid.add("bodyStructure")
        if self.invalid:
            raise InvalidProperties(self.invalid)
        assert root is not None  # what is no part was named
        if sum(1 for _ in root.leaves()) > MOST_PARTS:
            raise TooLarge(f"more than {MOST_PARTS} parts")
        return Draft(fields, root)

    def _check_metadata(self) -> None:
        for name in ("mailboxIds", "keywords", "receivedAt"):
            declared = PROPERTIES[name]
            if name in self.given:
                try:
                    declared.type.check(self.given[name])
                except WireError:
                    self.invalid.add(name)
        if "mailboxIds" not in self.given:
            self.invalid.add("mailboxIds")

    def _body_values(self) -> dict[str, str]:
        """The texts by partId. "isEncodingProblem and isTruncated MUST be either false or omitted" (§4.6)."""
        try:
            values = _BODY_VALUES.check(self.given.get("bodyValues", {}))
        except WireError:
            self.invalid.add("bodyValues")
            return {}
        if any(value.get("isEncodingProblem") or value.get("isTruncated") for value in values.values()):
            self.invalid.add("bodyValues")
        return {part_id: value["value"] for part_id, value in values.items()}

    def _structure(self) -> DraftPart | None:
        twice = {"textBody", "htmlBody", "attachments"} & self.given.keys()
        if twice:
            self.invalid |= {"bodyStructure", *twice}
        return self._part("bodyStructure", self.given["bodyStructure"])

    def _arranged(self) -> DraftPart | None:
        bodies = {name: self._body(name) for name in _TYPES if name in self.given}
        attachments = [
            self._part("attachments", each)
            for each in self._list("attachments", self.given.get("attachments", []))
        ]
        found = [part for part in attachments if part is not None]
        if any(part.parts is not None for part in found):
            self.invalid.add("attachments")
        return arranged(bodies.get("textBody"), bodies.get("htmlBody"), found)

    def _body(self, name: str) -> DraftPart | None:
        """textBody or htmlBody, which "MUST contain exactly one body part" of its type (§4.6)."""
        given = self._list(name, self.given[name])
        part = self._part(name, given[0], _TYPES[name]) if len(given) == 1 else None
        if part is None or part.type != _TYPES[name]:
            self.invalid.add(name)
        return part

    def _list(self, name: str, value: Any) -> list[Any]:
        try:
            found: list[Any] = _PARTS.check(value)
        except WireError:
            self.invalid.add(name)
            return []
        return found

    def _part(self, name: str, value: Any, default_type: str = "") -> DraftPart | None:
        try:
            return self.parts.part(value, default_type)
        except (PartError, WireError, ComposeError):
            self.invalid.add(name)
            return None


def _may_be_given(name: str) -> bool:
    """Whether a client may give a property of this name at all (§4.6)."""
    declared = PROPERTIES.get(name)
    if declared is not None:
        return declared.set_by is not SetBy.SERVER
    wanted = field_of(name)
    # "Header fields beginning with "Content-" MUST NOT be specified on the Email object".
    return wanted is not None and not wanted.name.lower().startswith("content-")
