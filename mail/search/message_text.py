"""What of a message is searched: address fields, subject, text and HTML parts, file names (RFC 8621 §4.4.1).

Of HTML only what is shown is taken, and the attributes alt and title; messages that are attached count as text. All of it is
bounded, whatever a sender makes up.
"""

import re
from collections.abc import Iterable, Iterator
from html import unescape

from mail.message.addresses import Address
from mail.message.bodies import body_lists
from mail.message.charsets import decode_text
from mail.message.headers import as_addresses, as_text
from mail.message.html_text import html_to_text
from mail.message.scan import Message, Part, scan
from mail.message.summary import Summary
from mail.message.transfer import decode
from mail.search.lexemes import Field, Lexemes
from mail.search.words import Words, addresses_in, cleaned, raw_words

MOST_TEXT = 1_000_000
"""Characters of the bodies of a message that are searched."""
MOST_OCTETS = 4_000_000
"""Octets of one part, before it is decoded, that are looked at."""
MOST_PARTS = 200
MOST_NAMES = 500
MOST_HEADER_TEXT = 100_000
"""Characters of one header field."""
DEEPEST = 3
"""Messages attached to messages attached to messages."""

_NO_TEXT = frozenset({"text/css", "text/javascript", "text/rtf", "text/richtext"})
_MESSAGES = frozenset({"message/rfc822", "message/global"})
_ATTRIBUTE = re.compile(r"""\s(?:alt|title)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE)


def index(message: Message, summary: Summary, words: Words) -> str:
    """The text of the tsvector of a message, with `lexemes.ACCOUNT` for the account."""
    lexemes = Lexemes(words)
    for field, text in short_texts(message, summary):
        lexemes.add(field, text)
    before: list[str] | None = None
    for text in body_texts(message):
        text = cleaned(text)
        raws = raw_words(text)
        # The alternative in HTML often says the very same.
        if raws != before:
            lexemes.add_words(Field.BODY, raws, addresses_in(text))
        before = raws
    return lexemes.rendered()


def short_texts(message: Message, summary: Summary) -> Iterator[tuple[Field, str]]:
    """All that is searched of a message but its bodies."""
    for field, addresses in (
        (Field.FROM, summary.from_),
        (Field.TO, summary.to),
        (Field.CC, summary.cc),
        (Field.BCC, summary.bcc),
    ):
        for text in address_texts(addresses or ()):
            yield field, text
    if summary.subject:
        yield Field.SUBJECT, summary.subject[:MOST_HEADER_TEXT]
    for name in file_names(message):
        yield Field.ATTACHMENT, name


def address_texts(addresses: Iterable[Address]) -> Iterator[str]:
    """Names and addresses, one text for each."""
    room = MOST_HEADER_TEXT
    for address in addresses:
        email = address["email"] or ""
        text = f"{address['name']} <{email}>" if address["name"] else email
        yield text[:room]
        room -= len(text)
        if room <= 0:
            return


def file_names(message: Message) -> Iterator[str]:
    """The file names of the parts."""
    names = [part.name for part in message.all_parts() if part.name]
    return (name[:1000] for name in names[:MOST_NAMES])


def body_texts(message: Message) -> Iterator[str]:
    """The texts of a message's parts: bodies first, then other parts of text and attached messages."""
    return _texts(message, MOST_TEXT, 0)


def _texts(message: Message, room: int, depth: int) -> Iterator[str]:
    for part in _parts_of_text(message, depth):
        for text in _part_texts(message.raw, part, room, depth):
            if text:
                yield text[:room]
                room -= len(text)
                if room <= 0:
                    return


def _parts_of_text(message: Message, depth: int) -> list[Part]:
    parts = message.all_parts()
    if len(parts) == 1:
        first = parts
    else:
        text, html, _ = body_lists(message.root)
        first = list({part.number: part for part in (*text, *html)}.values())
        taken = {part.number for part in first}
        first += [part for part in parts if part.number not in taken]
    return [
        part
        for part in first
        if (part.type.startswith("text/") and part.type not in _NO_TEXT)
        or (part.type in _MESSAGES and depth < DEEPEST)
    ][:MOST_PARTS]


def _part_texts(raw: bytes, part: Part, room: int, depth: int) -> Iterator[str]:
    end = min(part.body_end, part.body_start + MOST_OCTETS)
    octets = decode(part.encoding, raw[part.body_start : end])
    if part.type in _MESSAGES:
        yield from _attached(octets, room, depth + 1)
        return
    is_html = part.type == "text/html"
    text, _ = decode_text(octets, part.charset, is_html=is_html)
    if is_html:
        yield html_to_text(text)
        yield "\n".join(
            unescape(match[1] or match[2] or match[3] or "") for match in _ATTRIBUTE.finditer(text)
        )
    else:
        yield text


def _attached(octets: bytes, room: int, depth: int) -> Iterator[str]:
    """The texts of an attached message: who, what about, and what it says."""
    message = scan(octets)
    last = {name.lower(): value for name, value in message.root.headers}
    head = [
        text
        for name in ("from", "to", "cc")
        if name in last
        for text in address_texts(as_addresses(last[name]) or ())
    ]
    if "subject" in last:
        head.append(as_text(last["subject"])[:MOST_HEADER_TEXT])
    yield "\n".join(head)
    yield from _texts(message, room, depth)
