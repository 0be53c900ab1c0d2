"""What the readers of mail files hand on: messages, and things that were left out with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MAX_MESSAGE_SIZE = 50_000_000
"""Octets of the largest message that is read: the server's maxSizeUpload (RFC 8620 §2)."""


class LeftOut(StrEnum):
    """Why something did not become a message."""

    DELETED = "deleted"  # its flags say that the user deleted it
    UNFINISHED = "unfinished"  # a delivery that never ended (Maildir's tmp)
    EMPTY = "empty"
    TOO_LARGE = "too large"
    UNREADABLE = "unreadable"  # permissions, broken archives, input errors
    NO_MESSAGE = "no message"  # a file that is not mail
    REFUSED = "refused"  # links, nested or encrypted archives, paths that lead outside, bombs


@dataclass(slots=True)
class SourceMessage:
    """One message as a reader found it.

    `folder` is the mailbox as a path of names, () the Inbox; `further_folders` are more of them. `raw` has CRLF
    line ends and is untouched otherwise. `keywords` are JMAP keywords (RFC 8621 §4.1.1). `from_line_date` comes
    from an mbox `From ` line and goes before the Date field; `file_time` is the last resort. `origin` says where
    it was found, for a person to look it up. `problem` says in a sentence what is damaged, as far as the reader
    can tell.
    """

    folder: tuple[str, ...]
    raw: bytes
    origin: str
    keywords: frozenset[str] = field(default_factory=frozenset)
    from_line_date: datetime | None = None
    file_time: datetime | None = None
    problem: str | None = None
    further_folders: tuple[tuple[str, ...], ...] = ()

    def labelled(self, folders: tuple[tuple[str, ...], ...]) -> SourceMessage:
        """Put the message into these mailboxes instead of where it was found, if there are any; the message."""
        if folders:
            self.folder, *further = folders
            self.further_folders = tuple(further)
        return self


@dataclass(slots=True)
class Skipped:
    """Something that was met and not read: where it is, the kind of reason, and the reason as a sentence."""

    origin: str
    kind: LeftOut
    reason: str


Found = Iterator[SourceMessage | Skipped]


def with_crlf(raw: bytes) -> bytes:
    """Return `raw` with each bare LF made CRLF (RFC 5322 §2.1); a lone CR stays as it is."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def too_large(origin: str, limit: int = MAX_MESSAGE_SIZE) -> Skipped:
    """Report a message that is larger than `limit` octets."""
    return Skipped(origin, LeftOut.TOO_LARGE, f"The message is larger than {limit:,} bytes.")
