"""Where each file of a tree (a folder or an archive) belongs, by the names in it.

A tree is walked for its names before it is read, because a directory is a Maildir only by what lies beside
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from mail.importing.folders import clean_folder
from mail.importing.keywords import dovecot_letters
from mail.importing.maildir import SUBFOLDERS, folder_of, has_info, is_subfolder_name

Parts = tuple[str, ...]

DOVECOT_KEYWORDS = "dovecot-keywords"
_LONGEST_LIST = 65_536
_MOST_LISTS = 10_000
"""Octets of such a list that are read, and lists of one tree."""

_MBOX_SUFFIX = re.compile(r"\.(mbox|mbx|sbd)$", re.IGNORECASE)
# Files that mail programs keep beside the mail.
_CONTROL = re.compile(
    r"(\.DS_Store|Thumbs\.db|desktop\.ini|\._.*|.*\.msf|dovecot[.-].*|dovecot|cyrus\..*|courier.*|maildirfolder"
    r"|maildirsize|subscriptions|\.uidvalidity|\.mbsyncstate.*|\.mh_sequences|\.isyncuidmap.*|msgFilterRules\.dat"
    r"|\.customflags|\.subscriptions|\.notmuch)$"
)


@dataclass(slots=True)
class Survey:
    """What the names in a tree say: its directories, and which hold files or files with Maildir flags."""

    directories: set[Parts] = field(default_factory=set)
    with_files: set[Parts] = field(default_factory=set)
    flagged: set[Parts] = field(default_factory=set)
    letters: dict[Parts, Mapping[str, str]] = field(default_factory=dict)
    """What the lower-case letters in the file names of a Maildir mean, where Dovecot left a list of them."""

    def add(self, parts: Parts, open_file: Callable[[], BinaryIO] | None = None) -> None:
        """Note a file. `open_file` opens it; it is read only for Dovecot's list of keywords."""
        directory = parts[:-1]
        if parts[-1] == DOVECOT_KEYWORDS and open_file is not None and len(self.letters) < _MOST_LISTS:
            with suppress(OSError, EOFError, ValueError), open_file() as stream:
                self.letters[directory] = dovecot_letters(stream.read(_LONGEST_LIST))
        if is_control_file(parts[-1]):
            return
        if directory not in self.with_files:
            self.add_directory(directory)
            self.with_files.add(directory)
        if directory[-1:] == ("cur",) and has_info(parts[-1]):
            self.flagged.add(directory[:-1])

    def add_directory(self, parts: Parts) -> None:
        """Note a directory and those above it."""
        if parts not in self.directories:
            self.directories.update(parts[:depth] for depth in range(1, len(parts) + 1))

    def is_maildir(self, parts: Parts) -> bool:
        """Whether a directory is a Maildir: `cur` beside `new` or `tmp`, or `cur` with flags in its names."""
        if (*parts, "cur") not in self.directories:
            return False
        return (
            (*parts, "new") in self.directories
            or (*parts, "tmp") in self.directories
            or parts in self.flagged
        )

    def root(self, strip_top: bool) -> Parts:
        """Return the directory that counts as the root.

        A chain of directories with nothing else in them that ends at a Maildir makes that Maildir the root.
        Otherwise it is the top, or with `strip_top` (archives) the single directory that wraps everything.
        """
        chain: Parts = ()
        while not self.is_maildir(chain):
            only = self._only_child(chain)
            if only is None:
                break
            chain = only
        if self.is_maildir(chain):
            return chain
        return chain[:1] if strip_top else ()

    def _only_child(self, parts: Parts) -> Parts | None:
        """Return the directory that is alone inside `parts`, unless mail programs give it a meaning."""
        if parts in self.with_files:
            return None
        depth = len(parts)
        children = [path for path in self.directories if len(path) == depth + 1 and path[:depth] == parts]
        if len(children) != 1 or children[0][-1] in SUBFOLDERS:
            return None
        return None if children[0][-1].startswith(".") and children[0][-1] != ".maildir" else children[0]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file belongs.

    `subfolder` is cur, new or tmp inside a Maildir, else None; `hidden` says that it lies in a directory no
    mail program makes; `at_root` that it lies directly in what was given, so that an mbox there is a mailbox
    at the top.
    """

    folder: Parts
    subfolder: str | None = None
    hidden: bool = False
    at_root: bool = False
    letters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How the directories of one tree become mailboxes.

    `root` is the directory that stands for the tree, `home` the mailbox of files directly in it, `inbox` the
    mailbox that the root is when it is a Maildir.
    """

    survey: Survey
    root: Parts
    home: Parts
    inbox: Parts

    def place(self, parts: Parts) -> Place:
        """Return where the file of these names belongs."""
        survey, directories, subfolder = self.survey, parts[:-1], None
        if directories and directories[-1] in SUBFOLDERS and survey.is_maildir(directories[:-1]):
            subfolder, directories = directories[-1], directories[:-1]
        letters = survey.letters.get(directories) if subfolder == "cur" else None
        if len(directories) <= len(self.root):
            home = self.inbox if survey.is_maildir(directories) else self.home
            return Place(home, subfolder, at_root=True, letters=letters)
        names: Parts = ()
        hidden = False
        in_maildir = survey.is_maildir(self.root)
        for depth in range(len(self.root), len(directories)):
            name, path = directories[depth], directories[: depth + 1]
            is_maildir = survey.is_maildir(path)
            in_maildir |= is_maildir
            hidden |= (
                name.startswith(".") and not (is_maildir and is_subfolder_name(name)) and not _is_kmail(name)
            )
            if is_maildir and name.casefold() in ("maildir", ".maildir"):
                continue
            names += folder_of((name,)) if in_maildir or _is_kmail(name) else (without_mbox_suffix(name),)
        return Place(clean_folder(names), subfolder, hidden, letters=letters)


def _is_kmail(name: str) -> bool:
    return name.startswith(".") and name.endswith(".directory")


def is_control_file(name: str) -> bool:
    """Whether a file is an index or a list that mail programs keep beside the mail."""
    return _CONTROL.match(name) is not None


def without_mbox_suffix(name: str) -> str:
    """Return the mailbox's name in that of an mbox or of a folder of mboxes (`Work.mbox`, `Work.sbd`)."""
    return _MBOX_SUFFIX.sub("", name)
