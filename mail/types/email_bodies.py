"""The properties of an Email that are made from its structure or its octets: bodies, body values, header fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from jmapcore.protocol.deadline import checkpoint
from jmapcore.store.database import Row, Statement
from mail.message.bodies import body_lists
from mail.message.headers import Effort, HeaderProperty, HeaderValues
from mail.message.render import (
    DEFAULT,
    BodyProperties,
    body_values,
    parse_body_properties,
    render_headers,
    render_parts,
    render_structure,
)
from mail.message.scan import Fields, Part, header_fields
from mail.message.structure import CompactStructure, load_parts
from mail.types.email_properties import header_of

_RENDERED = frozenset({"bodyStructure", "textBody", "htmlBody", "attachments"})

STRUCTURES = "SELECT id, blob_id, body_json FROM email_static WHERE account_id = %s AND id = ANY(%b::int[])"


@dataclass(slots=True)
class Message:
    """The structure of one stored message, and how many of its first octets are needed."""

    blob_id: int
    parts: list[Part]
    text: list[Part]
    html: list[Part]
    attachments: list[Part]
    values_of: list[Part]
    """The parts whose text goes into bodyValues."""
    octets: int = 0


@dataclass(frozen=True, slots=True)
class BodyRequest:
    """What a client wants to see of bodies and header fields; the arguments of Email/get and Email/parse."""

    made: tuple[str, ...]
    headers: Mapping[str, HeaderProperty]
    body: BodyProperties
    fetch_text: bool
    fetch_html: bool
    fetch_all: bool
    max_bytes: int

    @classmethod
    def parse(cls, made: tuple[str, ...], arguments: Mapping[str, Any]) -> BodyRequest:
        """From the properties that are to be made and the method's arguments. Raises ValueError for bad bodyProperties."""
        names = arguments.get("bodyProperties")
        wants_values = "bodyValues" in made
        return cls(
            made=made,
            headers={name: wanted for name in made if (wanted := header_of(name)) is not None},
            body=DEFAULT if names is None else parse_body_properties(names),
            fetch_text=wants_values and bool(arguments.get("fetchTextBodyValues")),
            fetch_html=wants_values and bool(arguments.get("fetchHTMLBodyValues")),
            fetch_all=wants_values and bool(arguments.get("fetchAllBodyValues")),
            max_bytes=arguments.get("maxBodyValueBytes") or 0,
        )

    @property
    def needs_octets(self) -> bool:
        """Whether a message's octets are needed, as far as the request says."""
        return bool(
            self.fetch_text or self.fetch_html or self.fetch_all or self.headers or "headers" in self.made
        )

    def message(self, blob_id: int, body_json: str) -> Message:
        """A stored message's structure, with what this request needs of its octets."""
        return self.message_of(blob_id, orjson.loads(body_json))

    def message_of(self, blob_id: int, structure: CompactStructure) -> Message:
        """A message's structure, with what this request needs of its octets."""
        parts = load_parts(structure)
        message = Message(blob_id, parts, *body_lists(parts[0]), [])
        if self.fetch_all:
            message.values_of = parts
        else:
            message.values_of = [
                *(message.text if self.fetch_text else ()),
                *(message.html if self.fetch_html else ()),
            ]
        ends = [part.body_end for part in message.values_of if part.type.startswith("text/")]
        if self.headers or "headers" in self.made:
            ends.append(parts[0].header_end)
        if self.body.need_raw and not _RENDERED.isdisjoint(self.made):
            ends += [part.header_end for part in parts]
        message.octets = max(ends, default=0)
        return message

    def values(self, message: Message, raw: bytes, blob_id: str | None = None) -> list[str]:
        """The JSON text of each property that is made, in order; `raw` begins the message and has `octets` at least.

        `blob_id` is given for a message that is no blob by itself, but a part of one.
        """
        blob_id = blob_id or f"b{message.blob_id}"
        root = message.parts[0]
        effort = Effort()
        makers: dict[str, Callable[[], Any]] = {
            "bodyStructure": lambda: render_structure(root, blob_id, self.body, raw, effort),
            "textBody": lambda: render_parts(message.text, blob_id, self.body, raw, effort),
            "htmlBody": lambda: render_parts(message.html, blob_id, self.body, raw, effort),
            "attachments": lambda: render_parts(message.attachments, blob_id, self.body, raw, effort),
            "bodyValues": lambda: body_values(raw, message.values_of, self.max_bytes),
            "headers": lambda: render_headers(fields),
        }
        fields: Fields = []
        if self.headers or "headers" in self.made:
            fields = header_fields(raw, root.header_start, root.header_end)
        values = HeaderValues(fields, effort) if self.headers else None
        return [
            orjson.dumps(
                values.get(self.headers[name]) if values and name in self.headers else makers[name]()
            ).decode()
            for name in self.made
        ]


def load_bodies(
    run: Callable[[Statement], list[list[Row]]], account_id: int, ids: Sequence[int], names: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """`BODY_PROPERTIES` of these Emails as Email/get answers them without arguments: to compare with what a client sends back."""
    request = BodyRequest.parse(tuple(names), {})
    (rows,) = run((STRUCTURES, (account_id, list(ids))))
    records: dict[int, dict[str, Any]] = {}
    for number, blob_id, body in rows:
        checkpoint()
        texts = request.values(request.message(blob_id, body), b"")
        records[number] = dict(zip(names, map(orjson.loads, texts), strict=True))
    return records
