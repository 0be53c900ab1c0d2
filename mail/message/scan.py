"""The MIME structure of a message as offsets into its octets, in one pass (RFC 5322 §2, RFC 2046 §5.1).

Made for mail as it comes: bare LF or CR line ends, header sections without an empty line after them, an mbox
"From " line, boundaries that never come. Every step is linear in the size of the message and limits bound
what a hostile one can cost.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mail.message.charsets import decode_text
from mail.message.encoded_words import raw_text, unfolded
from mail.message.parameters import content_disposition, content_type, file_name
from mail.message.transfer import KNOWN, decode, decode_chunks

#: Multiparts deeper than this are parts of unknown content.
DEEPEST = 100
#: Body parts of one message; what follows belongs to the last one.
MOST_PARTS = 5_000
#: Header fields of one part, and of all of them together; further ones are left out.
MOST_FIELDS = 10_000
MOST_FIELDS_IN_ALL = 100_000
#: "From " lines of mbox files among the fields of a header section.
MOST_ENVELOPE_LINES = 10
#: Lines that begin with "--" are looked at one by one: no more than this many.
MOST_CANDIDATES = 1_000_000
#: Octets that are transfer-decoded at a time.
CHUNK = 262_144

#: A header field: name, colon, value with its folded lines.
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:((?>(?:[^\n]*+\n(?=[ \t]))*)[^\n]*+)\n?+")
_EMPTY_LINE = re.compile(rb"\r*+\n")
_EMPTY_LINE_AHEAD = re.compile(rb"\n\r*+\n")
_ENVELOPE_LINE = re.compile(rb">?From [^\n]*+\n?+")
_CANDIDATE = re.compile(rb"\n--([^\n]{0,1024})")
_DELIMITER = re.compile(rb"--([^\n]{0,1024})")
_ENCODING = re.compile(rb"""[\s"';]*+([^\s"';()]++)""")
_COMMENT = re.compile(r"\([^()]*+\)")
_LANGUAGE = re.compile(r"[A-Za-z0-9*-]+")

Fields = list[tuple[str, bytes]]


@dataclass(slots=True)
class Part:
    """One MIME part. Offsets are octets in the message; `size` counts octets of the decoded body (RFC 8621
    §4.1.4).
    """

    part_id: str | None
    number: int
    header_start: int
    header_end: int
    body_start: int
    body_end: int
    headers: Fields
    type: str
    charset: str | None
    disposition: str | None
    name: str | None
    cid: str | None
    language: list[str] | None
    location: str | None
    encoding: str
    parts: "list[Part]"
    size: int

    @property
    def is_multipart(self) -> bool:
        """Whether the part has parts instead of content of its own."""
        return self.part_id is None


@dataclass(slots=True)
class Message:
    """A message's octets and its structure."""

    raw: bytes
    root: Part
    _parts: list[Part] = field(repr=False)

    def part(self, number: int) -> Part:
        """The part with this number in document order (the root is 0). Raises IndexError if there is none."""
        if number < 0:
            raise IndexError(number)
        return self._parts[number]

    def all_parts(self) -> list[Part]:
        """All parts in document order, multiparts included; each stands at the index that is its number."""
        return self._parts


def scan(raw: bytes) -> Message:
    """The structure of a message. Never fails: what is no message at all has a root without header fields."""
    scanner = _Scanner(raw)
    scanner.run()
    return Message(raw, scanner.parts[0], scanner.parts)


def header_section(raw: bytes) -> tuple[Fields, int]:
    """The fields of a message's header section, and where its body starts: after the empty line, or at what is no field."""
    fields, _, body_start = _Scanner(raw).header(0, {})
    return fields, body_start


def header_fields(raw: bytes, start: int, end: int) -> Fields:
    """The fields of a header section whose place is known from an earlier scan, as in `Part.headers`.

    `raw` is the message from its beginning, as far as the section at least.
    """
    section = _Scanner(raw[start:end])
    if section.lines is not section.raw and raw.find(b"\n", 0, start) >= 0:
        # Without LF alone: the message has some, and its CRs end no line here either.
        section.lines = section.raw
    return section.header(0, {})[0]


def decoded_body(raw: bytes, part: Part) -> bytes:
    """A part's content after transfer decoding (RFC 8621 §4.1.4, `blobId`)."""
    return decode(part.encoding, raw[part.body_start : part.body_end])


def decoded_chunks(part: Part, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A part's content from pieces of its body's octets (`body_start` to `body_end`), so that it is never in
    memory whole.
    """
    return decode_chunks(part.encoding, chunks)


def body_text(
    raw: bytes, part: Part, *, detect: bool | None = None, allow_utf7: bool | None = None
) -> tuple[str, bool]:
    """A part's text with LF line ends and isEncodingProblem (RFC 8621 §4.1.4, EmailBodyValue).

    `detect` and `allow_utf7` are those of `charsets.decode_text`.
    """
    text, problem = decode_text(
        decoded_body(raw, part),
        part.charset,
        detect=detect,
        allow_utf7=allow_utf7,
        is_html=part.type == "text/html",
    )
    return text.replace("\r\n", "\n"), problem or part.encoding not in KNOWN


class _Scanner:
    """One pass over a message; `open` holds the multiparts around the current position, outermost first."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        # A message without any LF has CR line ends. The copy has the same offsets.
        self.lines = raw if b"\n" in raw or b"\r" not in raw else raw.replace(b"\r", b"\n")
        self.parts: list[Part] = []
        self.open: list[Part] = []
        self.closed: list[bool] = []
        self.boundaries: list[bytes] = []
        self.delimiters: dict[bytes, tuple[int, bool]] = {}
        self.leaf_count = 0
        self.field_count = 0

    def run(self) -> None:
        """Find all parts."""
        envelope = _ENVELOPE_LINE.match(self.lines)
        self.begin_part(envelope.end() if envelope else 0, "text/plain")
        if self.open:
            self.find_parts()
        self.end_parts(0, len(self.raw))
        for part in self.parts:
            part.size = self.size_of(part)

    def find_parts(self) -> None:
        """Go through all lines that begin with "--" and cut the message at those that are delimiters."""
        delimiters = self.delimiters
        # The line end before a delimiter belongs to it, and may be the one that ends the header section.
        start = self.open[0].body_start - 1
        for count, match in enumerate(_CANDIDATE.finditer(self.lines, start)):
            delimiter = delimiters.get(match[1].rstrip(b" \t\r"))
            if delimiter is None:
                if count >= MOST_CANDIDATES:
                    break
                continue
            position = match.start()
            if position < self.parts[-1].body_start - 1:
                continue
            if len(self.parts) >= MOST_PARTS or not delimiters:
                break
            self.cut(position, match.end(), *delimiter)

    def cut(self, position: int, after: int, level: int, closing: bool) -> None:
        """End what the delimiter line at `position` ends, and begin the next part if it is no closing one."""
        body_end = position - 1 if position and self.raw[position - 1] == 0x0D else position
        self.end_parts(level + 1, body_end)
        parent = self.open[level]
        if closing:
            self.forget_boundary(level)
            self.closed[level] = True
            return
        line_end = self.lines.find(b"\n", after)
        start = line_end + 1 if line_end >= 0 else len(self.raw)
        self.begin_part(start, "message/rfc822" if parent.type == "multipart/digest" else "text/plain")

    def begin_part(self, start: int, implicit_type: str) -> None:
        """Read a header section and add its part to the innermost open multipart."""
        headers, header_end, body_start = self.header(start, self.delimiters)
        part, boundary = _described(headers, implicit_type)
        part.number = len(self.parts)
        part.header_start, part.header_end = start, header_end
        part.body_start = part.body_end = body_start
        is_multipart = part.type.startswith("multipart/")
        if is_multipart and len(self.open) >= DEEPEST:
            part.type, is_multipart = "application/octet-stream", False
        if self.open:
            self.open[-1].parts.append(part)
        self.parts.append(part)
        if not is_multipart:
            self.leaf_count += 1
            part.part_id = str(self.leaf_count)
            return
        level = len(self.open)
        self.open.append(part)
        self.closed.append(False)
        self.boundaries.append(boundary)
        if boundary:
            # An inner multipart with the boundary of an outer one cannot be told from it: the outer one wins.
            self.delimiters.setdefault(boundary, (level, False))
            self.delimiters.setdefault(boundary + b"--", (level, True))

    def end_parts(self, level: int, position: int) -> None:
        """End the multiparts from `level` inwards, and the part that is open in the innermost of them, at
        `position`.
        """
        innermost = len(self.open) - 1
        if innermost < 0 or not self.closed[innermost]:
            self.end_body(self.parts[-1], position)
        while len(self.open) > level:
            part = self.open[-1]
            self.forget_boundary(len(self.open) - 1)
            self.end_body(part, position)
            if not part.parts:
                self.add_only_part(part)
            self.open.pop()
            self.closed.pop()
            self.boundaries.pop()

    def end_body(self, part: Part, position: int) -> None:
        """Set where a part ends, never before where its body begins."""
        part.body_end = max(part.body_start, position)

    def forget_boundary(self, level: int) -> None:
        """Look for the delimiters of this level no more."""
        boundary = self.boundaries[level]
        for key in (boundary, boundary + b"--"):
            if self.delimiters.get(key, (-1, False))[0] == level:
                del self.delimiters[key]

    def add_only_part(self, multipart: Part) -> None:
        """Where no boundary was found the text would be lost: the whole body becomes the only part."""
        if multipart.body_end > multipart.body_start and len(self.parts) < MOST_PARTS:
            part, _ = _described([], "text/plain")
            part.number = len(self.parts)
            self.leaf_count += 1
            part.part_id = str(self.leaf_count)
            part.header_start = part.header_end = part.body_start = multipart.body_start
            part.body_end = multipart.body_end
            multipart.parts.append(part)
            self.parts.append(part)

    def header(self, start: int, delimiters: dict[bytes, tuple[int, bool]]) -> tuple[Fields, int, int]:
        """Fields, end of the fields and start of the body of a header section; a line that is no field ends
        it.
        """
        raw, lines = self.raw, self.lines
        fields: Fields = []
        append = fields.append
        room = min(MOST_FIELDS, MOST_FIELDS_IN_ALL - self.field_count)
        position, envelope_lines = start, 0
        while True:
            match = _FIELD.match(lines, position)
            if match is None:
                envelope = _ENVELOPE_LINE.match(lines, position)
                if envelope is None or envelope_lines >= MOST_ENVELOPE_LINES:
                    break
                envelope_lines += 1
                position = envelope.end()
                continue
            name, value = match.groups()
            if name[0] == 0x2D and self.is_delimiter(position, delimiters):
                break
            if len(fields) >= room:
                position = self.after_many_fields(position)
                break
            if lines is not raw:
                value = raw[match.start(2) : match.end(2)]
            append((name.decode("ascii"), value.rstrip(b"\r")))
            position = match.end()
        self.field_count += len(fields)
        empty = _EMPTY_LINE.match(lines, position)
        return fields, position, empty.end() if empty else position

    def is_delimiter(self, position: int, delimiters: dict[bytes, tuple[int, bool]]) -> bool:
        """Whether the line at `position`, which could be a field whose name begins with "-", is a delimiter."""
        match = _DELIMITER.match(self.lines, position)
        return match is not None and match[1].rstrip(b" \t\r") in delimiters

    def after_many_fields(self, position: int) -> int:
        """Where a header section that is too long ends: at the next empty line.

        No delimiter before that line is looked at any more, so that no octet is searched twice.
        """
        found = _EMPTY_LINE_AHEAD.search(self.lines, max(0, position - 1))
        return found.start() + 1 if found else len(self.lines)

    def size_of(self, part: Part) -> int:
        """Octets of the decoded body, decoded in pieces so that memory stays flat."""
        start, end = part.body_start, part.body_end
        if part.encoding not in ("base64", "quoted-printable") or part.is_multipart:
            return end - start
        if end - start <= CHUNK:
            return len(decode(part.encoding, self.raw[start:end]))
        view = (self.raw[at : min(at + CHUNK, end)] for at in range(start, end, CHUNK))
        return sum(len(chunk) for chunk in decode_chunks(part.encoding, view))


def _described(headers: Fields, implicit_type: str) -> tuple[Part, bytes]:
    """A part with what its own header fields say, without its place; and its boundary. The first of equal
    fields counts.
    """
    type_, charset, boundary, type_name = implicit_type, "us-ascii", "", None
    part = Part(None, 0, 0, 0, 0, 0, headers, type_, charset, None, None, None, None, None, "7bit", [], 0)
    seen: set[str] = set()
    for name, value in headers:
        if name[0] not in "Cc" or name[:8].lower() != "content-":
            continue
        lower = name.lower()
        if lower in seen:
            continue
        seen.add(lower)
        if lower == "content-type":
            parsed = content_type(value)
            part.type = parsed.value
            part.charset = parsed.parameters.get("charset") or (
                "us-ascii" if parsed.value.startswith("text/") else None
            )
            boundary = parsed.parameters.get("boundary", "")
            type_name = parsed.parameters.get("name")
        elif lower == "content-transfer-encoding":
            token = _ENCODING.match(value)
            part.encoding = _encoding_name(token[1]) if token else "7bit"
        elif lower == "content-disposition":
            parsed = content_disposition(value)
            part.disposition = parsed.value or None
            part.name = file_name(parsed.parameters.get("filename", ""))
        elif lower == "content-id":
            part.cid = _content_id(value)
        elif lower == "content-language":
            part.language = _LANGUAGE.findall(_COMMENT.sub(" ", unfolded(value[:8192]))) or None
        elif lower == "content-location":
            part.location = "".join(unfolded(value[:65_536]).split()) or None
    if part.name is None and type_name is not None:
        part.name = file_name(type_name)
    return part, boundary.rstrip().encode("utf_8", "replace")


def _encoding_name(token: bytes) -> str:
    encoding = raw_text(token[:80]).lower()
    return {"7-bit": "7bit", "8-bit": "8bit", "quotedprintable": "quoted-printable"}.get(encoding, encoding)


def _content_id(value: bytes) -> str | None:
    """A Content-ID without comments, white space and angle brackets."""
    text = unfolded(value[:8192])
    if "<" in text:
        text = text.partition("<")[2].partition(">")[0]
    elif "(" in text:
        text = _COMMENT.sub("", text)
    return "".join(text.split()) or None
