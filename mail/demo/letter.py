"""What a sample letter is made of, before it becomes a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Person = tuple[str, str]
"""A display name and an address."""

INBOX: tuple[str, ...] = ()
SENT = ("Sent",)
DRAFTS = ("Drafts",)
ARCHIVE = ("Archive",)
JUNK = ("Junk",)
BOATHOUSE = ("Projects", "Boathouse")


class File(StrEnum):
    """The files of `mail.demo.attachments`."""

    DRAWING = "boathouse.png"
    QUOTATION = "Angebot für Lärche.pdf"
    MEASUREMENTS = "measurements.csv"


@dataclass(frozen=True, slots=True)
class Copy:
    """Where one of the two people keeps a letter, and with which keywords (RFC 8621 §4.1.1)."""

    folder: tuple[str, ...] = INBOX
    keywords: frozenset[str] = frozenset({"$seen"})


@dataclass(frozen=True, slots=True)
class Letter:
    """One sample message.

    `key` makes its Message-ID, `answers` is the key of the letter that it answers, `hours` how long ago it
    was written. `alice` and `bob` say where each keeps it, None not at all. `picture` puts the drawing into
    the HTML body, `encloses` is the key of a letter that is attached as a message, `newsletter` adds the
    fields of a mailing list.
    """

    key: str
    hours: float
    author: Person
    to: tuple[Person, ...]
    subject: str
    text: str
    alice: Copy | None = None
    bob: Copy | None = None
    cc: tuple[Person, ...] = ()
    answers: str | None = None
    html: str | None = None
    files: tuple[File, ...] = ()
    picture: bool = False
    encloses: str | None = None
    newsletter: bool = False
