"""From a checked draft to the octets of a message (RFC 8621 §4.6, RFC 5322, RFC 2045 to 2047, RFC 2231)."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

from mail.message.compose_content import Encoded, Octets, encoded_content, encoded_text
from mail.message.compose_fields import Field, moment_value
from mail.message.compose_parameters import parameter_field
from mail.message.compose_parts import DraftPart

_DELIMITER = re.compile(rb"--=_[0-9a-z]{1,64}")


@dataclass(slots=True)
class Draft:
    """A message to be composed: header fields in order, and the tree of body parts."""

    fields: list[Field]
    root: DraftPart


def random_token() -> str:
    """What nobody can guess: for a boundary, or for a Message-ID (128 bits)."""
    return secrets.token_hex(16)


def compose(
    draft: Draft,
    blobs: Mapping[str, Octets],
    now: datetime,
    domain: str,
    token: Callable[[], str] = random_token,
) -> bytes:
    """The message, with the fields that it lacks: Message-ID at `domain`, Date, MIME-Version.

    `blobs` has the content of each blob that a part names. The parts have types, and were checked (`compose_parts.checked_…`).
    """
    given = {name.lower() for name, _ in (*draft.fields, *draft.root.fields)}
    fields = [*draft.fields]
    # "If not included, the server MUST generate and set a Message-ID header field … and a Date header field".
    if "date" not in given:
        fields.append(("Date", moment_value(now)))
    if "message-id" not in given:
        fields.append(("Message-ID", f" <{token()}@{domain}>"))
    fields.append(("MIME-Version", " 1.0"))
    contents = {id(part): _encoded(part, blobs) for part in draft.root.leaves()}
    while True:
        writer = _Writer(contents, token)
        writer.part(draft.root, fields)
        raw = writer.out.getvalue()
        # A boundary that is in some content would cut it in two.
        if not writer.delimiters or _found(raw, writer.delimiters) == writer.delimiters:
            return raw


def _found(raw: bytes, delimiters: Mapping[bytes, int]) -> dict[bytes, int]:
    """How often each of these is in a message."""
    found = dict.fromkeys(delimiters, 0)
    for delimiter in _DELIMITER.findall(raw):
        if delimiter in found:
            found[delimiter] += 1
    return found


def _encoded(part: DraftPart, blobs: Mapping[str, Octets]) -> Encoded:
    if part.blob_id is not None:
        return encoded_content(part.type, blobs[part.blob_id], part.charset)
    if part.type.startswith("text/"):
        return encoded_text(part.text or "")
    raw = (part.text or "").encode()
    return encoded_content(part.type, Octets(len(raw), lambda: [raw]), part.charset)


@dataclass(slots=True)
class _Writer:
    """Writes the parts in order; `delimiters` says how often each delimiter has to be there in the end."""

    contents: Mapping[int, Encoded]
    token: Callable[[], str]
    out: BytesIO = field(default_factory=BytesIO)
    delimiters: dict[bytes, int] = field(default_factory=dict)

    def part(self, part: DraftPart, fields: list[Field]) -> None:
        """Write a part: its header section with `fields` before its own, and its body."""
        if part.parts is None:
            encoded = self.contents[id(part)]
            self.header(_header(part, encoded, fields))
            self.out.writelines(encoded.pieces())
            return
        # No line of base64 or quoted-printable has "=_" in it (RFC 2045 §6.7).
        boundary = f"=_{self.token()}"
        delimiter = f"--{boundary}".encode("ascii")
        self.delimiters[delimiter] = len(part.parts) + 1
        eight_bit = any(self.contents[id(leaf)].encoding == "8bit" for leaf in part.leaves())
        self.header(_multipart_header(part, boundary, eight_bit, fields))
        for sub_part in part.parts:
            self.out.write(delimiter + b"\r\n")
            self.part(sub_part, [])
            self.out.write(b"\r\n")
        self.out.write(delimiter + b"--\r\n")

    def header(self, fields: list[Field]) -> None:
        """Write a header section and the empty line after it."""
        self.out.write("".join([f"{name}:{value}\r\n" for name, value in fields]).encode())
        self.out.write(b"\r\n")


def _header(part: DraftPart, encoded: Encoded, fields: list[Field]) -> list[Field]:
    """The fields of a part that is no multipart."""
    charset = encoded.charset or part.charset
    parameters = [*([("charset", charset)] if charset else ()), *part.type_parameters]
    type_ = parameter_field("Content-Type", encoded.type or part.type, parameters, part.name)
    return [
        *fields,
        ("Content-Type", type_),
        *_described(part),
        ("Content-Transfer-Encoding", f" {encoded.encoding}"),
    ]


def _multipart_header(part: DraftPart, boundary: str, eight_bit: bool, fields: list[Field]) -> list[Field]:
    """The fields of a multipart."""
    parameters = [*part.type_parameters]
    if part.type == "multipart/related" and part.parts and all(name != "type" for name, _ in parameters):
        # "The type parameter must be specified" (RFC 2387 §3.1).
        parameters.append(("type", part.parts[0].type))
    parameters.append(("boundary", boundary))
    type_ = parameter_field("Content-Type", part.type, parameters, part.name)
    # "If an entity is of type multipart … an encoding other than 7bit, 8bit or binary is not permitted" (RFC 2045 §6.4).
    encoding = [("Content-Transfer-Encoding", " 8bit")] if eight_bit else []
    return [*fields, ("Content-Type", type_), *_described(part), *encoding]


def _described(part: DraftPart) -> list[Field]:
    fields = [*part.fields]
    if part.disposition is not None:
        parameters = [*part.disposition_parameters]
        if part.name is not None:
            parameters.insert(0, ("filename", part.name))
        fields.append(
            ("Content-Disposition", parameter_field("Content-Disposition", part.disposition, parameters))
        )
    if part.cid is not None:
        fields.append(("Content-ID", f" <{part.cid}>"))
    return fields
