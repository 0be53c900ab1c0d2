"""Folders on disk as a tree of mail files. Links are not followed, and only regular files are opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from mail.importing.layout import DOVECOT_KEYWORDS, Parts, Survey
from mail.importing.maildir import folder_of, is_subfolder_name
from mail.importing.source_message import LeftOut, Skipped
from mail.importing.tree import Entry


class DirectoryTree:
    """The files below a folder, in the order of their names."""

    wrapped = False

    def __init__(self, path: Path) -> None:
        self.path = path
        real = path.resolve()
        self.name = real.name
        is_part = is_subfolder_name(real.name) and (real.parent / "cur").is_dir()
        self.inbox: Parts = folder_of((real.name,)) if is_part else ()

    def survey(self) -> Survey:
        """Walk the names."""
        survey = Survey()
        for directory, names, files in os.walk(self.path):
            parts = Path(directory).relative_to(self.path).parts
            for name in names:
                if not Path(directory, name).is_symlink():
                    survey.add_directory((*parts, name))
            for name in files:
                path = Path(directory, name)
                is_plain = name == DOVECOT_KEYWORDS and path.is_file() and not path.is_symlink()
                survey.add((*parts, name), partial(_open, path) if is_plain else None)
        return survey

    def entries(self) -> Iterator[Entry | Skipped]:
        """Yield the files, and what cannot be read."""
        yield from self._entries_of(())

    def _entries_of(self, parts: Parts) -> Iterator[Entry | Skipped]:
        directory = self.path.joinpath(*parts)
        try:
            names = sorted(path.name for path in directory.iterdir())
        except OSError as error:
            yield Skipped(str(directory), LeftOut.UNREADABLE, f"The folder cannot be read: {error.strerror}.")
            return
        for name in names:
            try:
                status = (directory / name).lstat()
            except OSError as error:
                yield Skipped(
                    str(directory / name), LeftOut.UNREADABLE, f"It cannot be read: {error.strerror}."
                )
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from self._entries_of((*parts, name))
            else:
                yield file_entry(directory / name, (*parts, name), status)


def file_entry(path: Path, parts: Parts, status: os.stat_result) -> Entry | Skipped:
    """Return a file of this status as an entry; what is no regular file is left out with the reason."""
    if stat.S_ISLNK(status.st_mode):
        return Skipped(str(path), LeftOut.REFUSED, "Symbolic links are not followed; give the target's path.")
    if not stat.S_ISREG(status.st_mode):
        return Skipped(str(path), LeftOut.REFUSED, "It is neither a file nor a folder.")
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return Entry(parts, status.st_size, modified, str(path), partial(_open, path))


def _open(path: Path) -> BinaryIO:
    return path.open("rb", buffering=0)
