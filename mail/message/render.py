"""EmailBodyPart and EmailBodyValue objects for the wire (RFC 8621 §4.1.4, §4.2)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mail.message.bodies import truncate_text
from mail.message.headers import Effort, HeaderProperty, HeaderValues, as_raw, parse_header_property
from mail.message.scan import Fields, Part, body_text, header_fields

#: bodyProperties of Email/get and Email/parse where the argument is omitted.
DEFAULT_BODY_PROPERTIES = (
    "partId",
    "blobId",
    "size",
    "name",
    "type",
    "charset",
    "disposition",
    "cid",
    "language",
    "location",
)

_ATTRIBUTES: dict[str, Callable[[Part], Any]] = {
    "partId": lambda part: part.part_id,
    "size": lambda part: part.size,
    "name": lambda part: part.name,
    "type": lambda part: part.type,
    "charset": lambda part: part.charset,
    "disposition": lambda part: part.disposition,
    "cid": lambda part: part.cid,
    "language": lambda part: part.language,
    "location": lambda part: part.location,
}


@dataclass(frozen=True, slots=True)
class BodyProperties:
    """Which properties of body parts are wanted, in the order they were asked for."""

    names: tuple[str, ...]
    header_properties: tuple[tuple[str, HeaderProperty], ...]

    @property
    def need_raw(self) -> bool:
        """Whether the octets of the message are needed, for header fields."""
        return bool(self.header_properties) or "headers" in self.names


def parse_body_properties(names: Sequence[str]) -> BodyProperties:
    """The properties that `bodyProperties` names. Raises ValueError for one that an EmailBodyPart does not
    have.
    """
    plain: list[str] = []
    headers: list[tuple[str, HeaderProperty]] = []
    for name in dict.fromkeys(names):
        if name in _ATTRIBUTES or name in ("blobId", "headers", "subParts"):
            plain.append(name)
        else:
            headers.append((name, parse_header_property(name)))
    return BodyProperties(tuple(plain), tuple(headers))


#: `DEFAULT_BODY_PROPERTIES`, parsed.
DEFAULT = parse_body_properties(DEFAULT_BODY_PROPERTIES)


def render_part(
    part: Part, blob_id: str, properties: BodyProperties, raw: bytes = b"", effort: Effort | None = None
) -> dict[str, Any]:
    """One EmailBodyPart; `blob_id` is the message's, `raw` its octets (only used where
    `properties.need_raw`), `effort` what may be spent on its header fields.

    `subParts`, if asked for, are rendered with the same properties.
    """
    return _rendered(part, blob_id, properties, raw, effort or Effort(), "subParts" in properties.names)


def render_structure(
    root: Part, blob_id: str, properties: BodyProperties, raw: bytes = b"", effort: Effort | None = None
) -> dict[str, Any]:
    """bodyStructure: the root with all its parts. Multiparts have `subParts` whether or not they were asked
    for.
    """
    return _rendered(root, blob_id, properties, raw, effort or Effort(), True)


def render_parts(
    parts: Iterable[Part],
    blob_id: str,
    properties: BodyProperties,
    raw: bytes = b"",
    effort: Effort | None = None,
) -> list[dict[str, Any]]:
    """textBody, htmlBody or attachments."""
    effort = effort or Effort()
    return [render_part(part, blob_id, properties, raw, effort) for part in parts]


def _rendered(
    part: Part,
    blob_id: str,
    properties: BodyProperties,
    raw: bytes,
    effort: Effort,
    with_sub_parts: bool,
) -> dict[str, Any]:
    fields: Fields = _fields(part, raw) if properties.need_raw else []
    rendered: dict[str, Any] = {}
    for name in properties.names:
        if name == "blobId":
            rendered[name] = None if part.is_multipart else f"{blob_id}-{part.number}"
        elif name == "headers":
            rendered[name] = render_headers(fields)
        elif name == "subParts":
            rendered[name] = None
        else:
            rendered[name] = _ATTRIBUTES[name](part)
    if properties.header_properties:
        values = HeaderValues(fields, effort)
        rendered |= {name: values.get(wanted) for name, wanted in properties.header_properties}
    if with_sub_parts and part.is_multipart:
        rendered["subParts"] = [
            _rendered(sub_part, blob_id, properties, raw, effort, True) for sub_part in part.parts
        ]
    return rendered


def _fields(part: Part, raw: bytes) -> Fields:
    """A part's header fields; those of a part that was loaded from its stored form are read from the octets."""
    if part.headers or part.header_start == part.header_end:
        return part.headers
    return header_fields(raw, part.header_start, part.header_end)


def render_headers(fields: Fields) -> list[dict[str, str]]:
    """The property `headers` of an Email or a part: EmailHeader objects with the value in Raw form (RFC 8621
    §4.1.3).
    """
    return [{"name": name, "value": as_raw(value)} for name, value in fields]


def body_values(
    raw: bytes, parts: Iterable[Part], max_bytes: int = 0, *, detect: bool | None = None
) -> dict[str, dict[str, Any]]:
    """bodyValues for those of the parts that are `text/*`, by partId (RFC 8621 §4.1.4); `max_bytes` is
    maxBodyValueBytes.
    """
    values: dict[str, dict[str, Any]] = {}
    for part in parts:
        if part.part_id is None or part.part_id in values or not part.type.startswith("text/"):
            continue
        text, problem = body_text(raw, part, detect=detect)
        value, truncated = truncate_text(text, max_bytes, part.type == "text/html")
        values[part.part_id] = {"value": value, "isEncodingProblem": problem, "isTruncated": truncated}
    return values
