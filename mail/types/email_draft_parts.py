"""EmailBodyPart objects that a client gives as it creates an Email (RFC 8621 §4.1.4, §4.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jmapcore.protocol.wire import Id, ListOf, Nullable, String, UnsignedInt, WireType
from jmapcore.standard.set import AnyObject
from mail.message.compose_fields import header_field
from mail.message.compose_parameters import parameter_field
from mail.message.compose_parts import (
    DraftPart,
    checked_charset,
    checked_cid,
    checked_disposition,
    checked_language,
    checked_location,
    checked_name,
    checked_type,
)
from mail.message.compose_words import folded
from mail.message.headers import HeaderProperty
from mail.message.parameters import content_disposition, content_type
from mail.types.email_draft_fields import FORM_TYPES, GivenField, checked_fields
from mail.types.email_properties import header_of

_TEXT = Nullable(String())
PART_TYPES: dict[str, WireType] = {
    "partId": _TEXT,
    "blobId": Nullable(Id(to="Blob")),
    "size": Nullable(UnsignedInt()),
    "name": _TEXT,
    "type": _TEXT,
    "charset": _TEXT,
    "disposition": _TEXT,
    "cid": _TEXT,
    "language": Nullable(ListOf(String())),
    "location": _TEXT,
    "subParts": Nullable(ListOf(AnyObject())),
}
"""The properties of an EmailBodyPart that a client may give, beside header fields; null is as good as not given."""

_CONFLICTS = {
    "content-type": {"type", "charset"},
    "content-disposition": {"disposition", "name"},
    "content-id": {"cid"},
    "content-language": {"language"},
    "content-location": {"location"},
}
"""What stands for the same header field as a `header:…` property."""

_READ = frozenset({"content-type", "content-disposition"})
"""Fields that are read and written anew, so that there is a boundary, a charset and a file name in them."""


class PartError(ValueError):
    """A body part that breaks the constraints of RFC 8621 §4.6."""


class PartChecker:
    """Makes parts of EmailBodyPart objects; `texts` are the values of bodyValues, `resolve` finds the id of a `#creationId`."""

    def __init__(self, texts: Mapping[str, str], resolve: Callable[[str], str]) -> None:
        self._texts = texts
        self._used: set[str] = set()
        self._resolve = resolve

    def part(self, given: Any, default_type: str = "") -> DraftPart:
        """The part, with those in it. Raises `PartError`, `WireError` or `ComposeError`."""
        values: dict[str, Any] = {}
        headers: list[GivenField] = []
        for name, value in AnyObject().check(given).items():
            if name in PART_TYPES:
                checked = PART_TYPES[name].check(value)
                if checked is not None:
                    values[name] = checked
            elif (wanted := header_of(name)) is not None:
                headers.append((name, wanted, value))
            else:
                # "headers" among others: it "MUST NOT be given" (§4.6).
                raise PartError(f"no property {name}")
        part = self._headed(values, headers)
        self._describe(part, values)
        self._fill(part, values, default_type)
        return part

    @staticmethod
    def _headed(values: Mapping[str, Any], headers: list[GivenField]) -> DraftPart:
        """A part with what its header properties say."""
        part = DraftPart()
        others: list[GivenField] = []
        seen: set[str] = set()
        for name, wanted, value in headers:
            if value is None:
                continue
            field = wanted.name.lower()
            if field == "content-transfer-encoding":
                raise PartError("the server chooses the transfer encoding")
            if field in seen or values.keys() & _CONFLICTS.get(field, set()):
                raise PartError(f"{field} is given twice")
            seen.add(field)
            if field in _READ:
                _read(part, wanted, value)
            else:
                others.append((name, wanted, value))
        part.fields, invalid = checked_fields(others)
        if invalid:
            raise PartError(f"invalid: {', '.join(invalid)}")
        return part

    @staticmethod
    def _describe(part: DraftPart, values: Mapping[str, Any]) -> None:
        """Add what the properties of the part say."""
        if "charset" in values:
            part.charset = checked_charset(values["charset"])
        if "disposition" in values:
            part.disposition = checked_disposition(values["disposition"])
        if "name" in values:
            part.name = checked_name(values["name"])
        if "cid" in values:
            part.cid = checked_cid(values["cid"])
        if values.get("language"):
            tags = checked_language(values["language"])
            words = [f" {tag}," for tag in tags[:-1]] + [f" {tags[-1]}"]
            part.fields.append(("Content-Language", folded("Content-Language", words)))
        if "location" in values:
            part.fields.append(("Content-Location", f" {checked_location(values['location'])}"))

    def _fill(self, part: DraftPart, values: Mapping[str, Any], default_type: str) -> None:
        """Give the part its type and its content."""
        if "type" in values:
            part.type = checked_type(values["type"])
        if "subParts" in values or part.type.startswith("multipart/"):
            part.type = part.type or "multipart/mixed"
            if (
                not part.type.startswith("multipart/")
                or not values.get("subParts")
                or {"partId", "blobId", "charset"} & values.keys()
            ):
                raise PartError("a multipart has parts, and nothing else does")
            part.parts = [self.part(each) for each in values["subParts"]]
        elif "partId" in values:
            part_id = values["partId"]
            if {"blobId", "charset", "size"} & values.keys() or part_id not in self._texts:
                raise PartError("a partId goes with a body value, and without blobId, charset and size")
            if part_id in self._used:
                # "Identifies this part uniquely within the Email" (§4.1.4); one text many times over would be a bomb.
                raise PartError("two parts of one partId")
            self._used.add(part_id)
            part.type = part.type or default_type or "text/plain"
            part.text = self._texts[part_id]
            part.charset = None
        elif "blobId" in values:
            part.type = part.type or default_type
            part.blob_id = self._resolve(values["blobId"])
        else:
            raise PartError("a part without content")


def _read(part: DraftPart, wanted: HeaderProperty, value: Any) -> None:
    """Take Content-Type or Content-Disposition apart, as it will be read from the message."""
    values = ListOf(FORM_TYPES[wanted.form]).check(value if wanted.all else [value])
    if len(values) != 1 or wanted.form not in ("asRaw", "asText"):
        raise PartError(f"{wanted.name} is one value with parameters")
    header_field(wanted.name, "asRaw", values[0])  # nothing but what a field may say
    raw = values[0].encode()
    if wanted.name.lower() == "content-type":
        read = content_type(raw)
        part.type = checked_type(read.value)
        given = read.parameters
        charset = given.pop("charset", None)
        part.charset = None if charset is None else checked_charset(charset)
        given.pop("boundary", None)
        name = given.pop("name", None)
        part.name = part.name if part.name is not None or name is None else checked_name(name)
        part.type_parameters = list(given.items())
    else:
        read = content_disposition(raw)
        part.disposition = checked_disposition(read.value)
        given = read.parameters
        name = given.pop("filename", None)
        part.name = part.name if name is None else checked_name(name)
        part.disposition_parameters = list(given.items())
    parameter_field(wanted.name, "x", given.items())
