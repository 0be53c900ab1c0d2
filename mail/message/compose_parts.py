"""The body parts of a message to be composed, and the tree that textBody, htmlBody and attachments make (RFC 8621 §4.6)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import unquote

from mail.message.compose_fields import Field
from mail.message.compose_parameters import LONGEST_NAME, TOKEN, TYPE
from mail.message.compose_words import LONGEST_WORD, ComposeError, checked, octets

_LINK = re.compile(r"""cid:([^\s"'<>()]+)""", re.IGNORECASE)
_ID = re.compile(r"[^\s<>]+")
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){0,10}")
_CHARSET = re.compile(r"[A-Za-z0-9!#$&+\-^_.:]{1,60}")
_URI = re.compile(r"\S+")


@dataclass(slots=True)
class DraftPart:
    """One part: a multipart with `parts`, or a leaf whose content is `text` or the blob `blob_id`.

    `fields` are its further header fields. `type` is empty where the blob is to say it.
    """

    type: str = ""
    type_parameters: list[tuple[str, str]] = field(default_factory=list)
    charset: str | None = None
    disposition: str | None = None
    disposition_parameters: list[tuple[str, str]] = field(default_factory=list)
    name: str | None = None
    cid: str | None = None
    fields: list[Field] = field(default_factory=list)
    text: str | None = None
    blob_id: str | None = None
    parts: "list[DraftPart] | None" = None

    def leaves(self) -> "Iterator[DraftPart]":
        """The parts that are no multipart, in order."""
        if self.parts is None:
            yield self
            return
        for part in self.parts:
            yield from part.leaves()


def checked_type(text: str) -> str:
    """A media type in lower case. Raises `ComposeError`."""
    if not TYPE.fullmatch(text):
        raise ComposeError("no media type")
    return text.lower()


def checked_charset(text: str) -> str:
    """The name of a charset. Raises `ComposeError`."""
    if not _CHARSET.fullmatch(text):
        raise ComposeError("no charset")
    return text


def checked_disposition(text: str) -> str:
    """A disposition in lower case. Raises `ComposeError`."""
    if not TOKEN.fullmatch(text):
        raise ComposeError("no disposition")
    return text.lower()


def checked_name(text: str) -> str | None:
    """A file name; None for one of white space alone. Raises `ComposeError`."""
    if len(text) > LONGEST_NAME:
        raise ComposeError("the name is too long")
    return checked(text).strip() or None


def checked_cid(text: str) -> str:
    """A Content-ID without angle brackets. Raises `ComposeError`."""
    if not _ID.fullmatch(checked(text)) or octets(text) > LONGEST_WORD:
        raise ComposeError("no Content-ID")
    return text


def checked_language(tags: list[str]) -> list[str]:
    """Language tags (RFC 3282). Raises `ComposeError`."""
    if not all(_LANGUAGE.fullmatch(tag) for tag in tags):
        raise ComposeError("no language tag")
    return tags


def checked_location(text: str) -> str:
    """A URI (RFC 2557 §4). Raises `ComposeError`."""
    if not _URI.fullmatch(checked(text)) or octets(text) > LONGEST_WORD:
        raise ComposeError("no URI")
    return text


def arranged(text: DraftPart | None, html: DraftPart | None, attachments: list[DraftPart]) -> DraftPart:
    """The tree of a message: mixed[alternative[text, related[HTML, what it embeds]], attachments], without what is not needed.

    An attachment with a cid goes to the HTML if that refers to it, or if it is marked as inline; unless it is marked as an
    attachment. The others are marked as attachments where they are not marked.
    """
    embedded: list[DraftPart] = []
    if html is not None and any(part.cid is not None for part in attachments):
        links = _links(html.text)
        embedded = [part for part in attachments if _is_embedded(part, links)]
    inside = {id(part) for part in embedded}
    others = [part for part in attachments if id(part) not in inside]
    for part in embedded:
        part.disposition = part.disposition or "inline"
    for part in others:
        part.disposition = part.disposition or "attachment"
    if html is not None and embedded:
        html = DraftPart("multipart/related", parts=[html, *embedded])
    body = text or html or DraftPart("text/plain", text="")
    if text is not None and html is not None:
        body = DraftPart("multipart/alternative", parts=[text, html])
    if not others:
        return body
    first = [body] if text is not None or html is not None else []
    return DraftPart("multipart/mixed", parts=[*first, *others])


def _links(text: str | None) -> frozenset[str] | None:
    """The Content-IDs that HTML refers to; None where the HTML is a blob."""
    if text is None:
        return None
    return frozenset(unquote(unescape(found)) for found in _LINK.findall(text))


def _is_embedded(part: DraftPart, links: frozenset[str] | None) -> bool:
    if part.cid is None or part.disposition == "attachment":
        return False
    return part.disposition == "inline" or links is None or part.cid in links
