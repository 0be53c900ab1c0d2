"""What other programs say of a message beside its text: IMAP flags, status fields, Dovecot's letters, Gmail's labels.

All of it becomes keywords (RFC 8621 §4.1.1), a mark of deletion, or further mailboxes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mail.importing.folders import clean_folder
from mail.message.headers import as_text
from mail.types.capability import MAX_KEYWORDS_PER_EMAIL
from mail.types.wire import is_keyword

_FLAGS = {
    "\\seen": "$seen",
    "\\answered": "$answered",
    "\\flagged": "$flagged",
    "\\draft": "$draft",
    "forwarded": "$forwarded",
    "mdnsent": "$mdnsent",
    "junk": "$junk",
    "nonjunk": "$notjunk",
    "notjunk": "$notjunk",
    "$nonjunk": "$notjunk",
    "phishing": "$phishing",
}
"""Flags that JMAP, or the registry of keywords, spells otherwise; in lower case."""

_FIELD = re.compile(
    rb"^(Status|X-Status|X-Mozilla-Status2?|X-Mozilla-Keys|X-Keywords|X-Gmail-Labels):((?>(?:[^\n]*+\n(?=[ \t]))*)[^\n]*+)",
    re.IGNORECASE | re.MULTILINE,
)
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{1,8}")
_MOZILLA_DELETED = 0x0008
_MOZILLA = {0x0001: "$seen", 0x0002: "$answered", 0x0004: "$flagged", 0x1000: "$forwarded"}
_MOZILLA_2 = {0x0080_0000: "$mdnsent"}
_LETTERS = {
    (b"status", "R"): "$seen",
    (b"x-status", "A"): "$answered",
    (b"x-status", "F"): "$flagged",
    (b"x-status", "T"): "$draft",
}
_DOVECOT_LINE = re.compile(rb"(\d{1,2})[ \t]+(\S{1,255})[ \t\r]*$", re.MULTILINE)

_LABEL = re.compile(r'\s*(?:"([^"]*)"|([^,]*))\s*(?:,|$)')
_UNREAD = frozenset(
    {"unread", "ungelesen", "non lus", "no leído", "no leídos", "non letto", "ongelezen", "não lidas"}
)
_LABEL_KEYWORDS = {
    "$flagged": (
        "starred",
        "markiert",
        "suivis",
        "destacado",
        "destacados",
        "speciali",
        "met ster",
        "com estrela",
    ),
    "$important": ("important", "wichtig", "importants", "importante", "importantes", "belangrijk"),
    "$muted": ("muted", "ignoriert"),
    "$draft": ("drafts", "entwürfe", "brouillons", "borradores", "bozze", "concepten", "rascunhos"),
}
_KEYWORDS_OF_LABELS = {label: keyword for keyword, labels in _LABEL_KEYWORDS.items() for label in labels}
_MARKS_ALONE = frozenset({"$flagged", "$important", "$muted"})
"""Of these keywords the label says nothing else; the drafts are a mailbox too."""
_NO_MAILBOX = frozenset(
    {"opened", "geöffnet", "ouvert", "abierto", "aperto", "geopend", "aberto", "archived", "archiviert"}
    | {"archivés", "archivado", "archiviati", "gearchiveerd", "arquivada"}
)
_CATEGORY = re.compile(r"(?:category|kategorie|catégorie|categoría|categoria|categorie)\b|\\", re.IGNORECASE)
_MOST_LABELS = 100
ARCHIVE = ("Archive",)


@dataclass(frozen=True, slots=True)
class Marks:
    """What is said of one message. `folders` are the mailboxes that labels name; empty where there are no labels."""

    keywords: frozenset[str] = frozenset()
    deleted: bool = False
    folders: tuple[tuple[str, ...], ...] = ()


def keyword_of(flag: str) -> str | None:
    """The keyword of an IMAP flag or keyword; None for what has none in JMAP (`\\Recent`, `\\Deleted`) or is no keyword."""
    keyword = _FLAGS.get(flag.lower(), flag.lower())
    return keyword if is_keyword(keyword) else None


def keywords_of(flags: Iterable[str]) -> frozenset[str]:
    """The keywords of some flags, at most as many as an Email may have."""
    found = filter(None, map(keyword_of, flags))
    return frozenset(list(dict.fromkeys(found))[:MAX_KEYWORDS_PER_EMAIL])


def field_marks(raw: bytes) -> Marks:
    """What the fields say that mail programs write into the messages of an mbox with CRLF line ends."""
    end = raw.find(b"\r\n\r\n")
    keywords: set[str] = set()
    deleted = False
    folders: tuple[tuple[str, ...], ...] = ()
    for match in _FIELD.finditer(raw, 0, end if end >= 0 else len(raw)):
        name, value = match[1].lower(), match[2].strip()
        if name in (b"x-mozilla-status", b"x-mozilla-status2"):
            bits = int(value, 16) if _HEXADECIMAL.fullmatch(value) else 0
            table = _MOZILLA if name == b"x-mozilla-status" else _MOZILLA_2
            deleted |= table is _MOZILLA and bool(bits & _MOZILLA_DELETED)
            keywords.update(keyword for bit, keyword in table.items() if bits & bit)
        elif name in (b"x-mozilla-keys", b"x-keywords"):
            keywords |= keywords_of(value.decode("utf_8", "replace").split())
        elif name == b"x-gmail-labels":
            labels = label_marks(as_text(value))
            keywords |= labels.keywords
            folders = labels.folders
        else:
            letters = value.decode("ascii", "replace")
            deleted |= name == b"x-status" and "D" in letters
            keywords.update(_LETTERS[name, letter] for letter in letters if (name, letter) in _LETTERS)
    return Marks(frozenset(keywords), deleted, folders)


def label_marks(labels: str) -> Marks:
    """What Gmail's labels say, as Google's export lists them: mailboxes, and marks such as Unread and Starred.

    A message without a label of its own was archived.
    """
    keywords = {"$seen"}
    folders: dict[tuple[str, ...], None] = {}
    for match in list(_LABEL.finditer(labels))[:_MOST_LABELS]:
        label = (match[1] if match[1] is not None else match[2]).strip()
        key = label.casefold()
        keyword = _KEYWORDS_OF_LABELS.get(key)
        if keyword is not None:
            keywords.add(keyword)
        if key in _UNREAD:
            keywords.discard("$seen")
        elif label and keyword not in _MARKS_ALONE and key not in _NO_MAILBOX and not _CATEGORY.match(label):
            folders[clean_folder(name for name in label.split("/") if name.strip())] = None
    return Marks(frozenset(keywords), False, tuple(folders) or (ARCHIVE,))


def dovecot_letters(content: bytes) -> Mapping[str, str]:
    """The keyword of each lower-case letter in the names of a Maildir's files, by Dovecot's list of them."""
    letters: dict[str, str] = {}
    for match in _DOVECOT_LINE.finditer(content):
        number, keyword = int(match[1]), keyword_of(match[2].decode("utf_8", "replace"))
        if number < 26 and keyword is not None:
            letters[chr(ord("a") + number)] = keyword
    return letters
