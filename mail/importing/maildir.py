"""Maildir and Maildir++: which folder a path means, and what a message's file name says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mail.importing.folders import decode_modified_utf7

SUBFOLDERS = frozenset({"cur", "new", "tmp"})
_FLAGS = {"S": "$seen", "R": "$answered", "F": "$flagged", "D": "$draft", "P": "$forwarded"}
# Windows does not allow the colon, so other programs write one of these.
_INFO = re.compile(r"[:;!]2,([A-Za-z]*)$")
_KMAIL = re.compile(r"\.(.+)\.directory$")


def has_info(file_name: str) -> bool:
    """Whether the name of a file carries Maildir flags (`:2,` and letters, or none)."""
    return _INFO.search(file_name) is not None


def flags_of(file_name: str, further: Mapping[str, str] | None = None) -> tuple[frozenset[str], bool]:
    """Return the JMAP keywords of a Maildir file's name, and whether the message is flagged T (trashed).

    `further` are the keywords of lower-case letters, where Dovecot left a list of them.
    """
    match = _INFO.search(file_name)
    letters = match[1] if match else ""
    flags = {**_FLAGS, **(further or {})}
    return frozenset(flags[letter] for letter in letters if letter in flags), "T" in letters


def is_subfolder_name(directory: str) -> bool:
    """Whether a directory's name is one of Maildir++ (`.Archive.2020`) or KMail (`.Work.directory`)."""
    return directory.startswith(".") and directory.strip(".") != ""


def folder_of(directories: tuple[str, ...]) -> tuple[str, ...]:
    """Return the mailbox path of a directory below a Maildir: `.Archive.2020` is ("Archive", "2020").

    Names are in modified UTF-7 (RFC 3501 §5.1.3). Directories without a dot in front are one level each.
    """
    names: list[str] = []
    for directory in directories:
        kmail = _KMAIL.match(directory)
        if kmail:
            names.append(kmail[1])
        elif is_subfolder_name(directory):
            names += [name for name in directory.split(".") if name]
        else:
            names.append(directory)
    return tuple(decode_modified_utf7(name) for name in names)
