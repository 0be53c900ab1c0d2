"""All that can be imported, by path: mbox, Maildir, message files, and folders and archives of them."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from mail.importing.archives import (
    ArchiveError,
    TarTree,
    ZipTree,
    archive_kind,
    holds_tar,
    open_decompressed,
    without_suffix,
)
from mail.importing.directory import DirectoryTree, file_entry
from mail.importing.folders import clean_folder
from mail.importing.layout import Place
from mail.importing.maildir import has_info
from mail.importing.source_message import Found, LeftOut, Skipped, SourceMessage
from mail.importing.tree import Entry, Tree, count_entry, count_tree, read_entry, read_tree

__all__ = ["LeftOut", "Skipped", "SourceMessage", "count", "messages"]

_HEAD = 512
_EXPORTED = frozenset({".pst", ".ost", ".dbx", ".nsf", ".olm"})


def messages(paths: Iterable[Path]) -> Found:
    """Yield every message of the given files and folders, and everything that is left out, with the reason.

    Raises nothing for what is damaged or cannot be read: that is reported as `Skipped`.
    """
    for path in paths:
        source = _source(path)
        if isinstance(source, Skipped):
            yield source
        elif isinstance(source, Entry):
            yield from read_entry(source, _place_of_file(path))
        else:
            yield from read_tree(source)


def count(paths: Iterable[Path]) -> int:
    """Return about how many items `messages` yields, without holding or parsing a message."""
    total = 0
    for path in paths:
        source = _source(path)
        if isinstance(source, Skipped):
            total += 1
        else:
            total += count_entry(source) if isinstance(source, Entry) else count_tree(source)
    return total


def _source(path: Path) -> Tree | Entry | Skipped:
    """Return what lies at a path: a tree, a single file, or the reason why it cannot be read."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return DirectoryTree(path)
        entry = file_entry(path, (path.name,), status)
        if isinstance(entry, Skipped) or path.suffix.lower() in _EXPORTED:
            return entry
        with path.open("rb") as file:
            kind = archive_kind(file.read(_HEAD))
        if kind is None:
            return entry
        return _archive(path, kind, entry)
    except ArchiveError as error:
        return Skipped(str(path), LeftOut.UNREADABLE, str(error))
    except FileNotFoundError:
        return Skipped(str(path), LeftOut.UNREADABLE, "There is no such file or folder.")
    except PermissionError:
        return Skipped(str(path), LeftOut.UNREADABLE, "There is no permission to read it.")
    except OSError as error:
        return Skipped(str(path), LeftOut.UNREADABLE, f"It cannot be read: {error}.")


def _archive(path: Path, kind: str, entry: Entry) -> Tree | Entry:
    """Return an archive as a tree; a single compressed file (list archives come so) as that file."""
    if kind == "zip":
        return ZipTree(path)
    if kind == "tar" or holds_tar(path, kind):
        return TarTree(path, kind)
    read: Callable[[], io.BufferedReader] = partial(open_decompressed, path, kind)
    return Entry((without_suffix(path.name),), entry.size, entry.modified, entry.origin, read)


def _place_of_file(path: Path) -> Place:
    """Return where a single file belongs: a message goes to the Inbox, an mbox to a mailbox of its name.

    A file called `mbox` inside a folder `Work.mbox` is how some programs export the mailbox Work.
    """
    parent = path.resolve().parent.name
    if path.name == "mbox" and parent.lower().endswith(".mbox"):
        return Place(clean_folder((parent[: -len(".mbox")],)), at_root=True)
    return Place((), "cur" if has_info(path.name) else None, at_root=True)
