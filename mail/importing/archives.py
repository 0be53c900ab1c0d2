"""Archives of mail (tar, also compressed; zip) as trees of mail files.

Nothing is written to disk. Archives come from strangers: names that lead outside, links, devices, sparse and
encrypted members are refused one by one, and an archive that expands beyond all measure is given up.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

from mail.importing.layout import Parts, Survey
from mail.importing.source_message import MAX_MESSAGE_SIZE, LeftOut, Skipped
from mail.importing.tree import Entry

MAX_EXPANSION = 100
"""An archive may expand to this many times its size …"""
ALWAYS_ALLOWED = 1_000_000_000
"""… and in any case to this many octets."""
_MAX_TAR_HEADER = 1_000_000
_MAX_DEPTH = 64
_XZ_MEMORY = 256_000_000
_BLOCK = 65_536
_LATEST = 253_402_300_800  # the year 10000, in seconds: datetime ends there
_ENCRYPTED, _UTF8 = 0x1, 0x800  # bits of a zip member's flags
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_SUFFIXES = (
    ".tar.gz",
    ".tar.bz2",
    ".tar.xz",
    ".tgz",
    ".tbz2",
    ".tbz",
    ".txz",
    ".tar",
    ".zip",
    ".gz",
    ".bz2",
    ".xz",
)
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


class ArchiveError(OSError):
    """An archive is damaged or expands beyond measure; the text is a sentence for people."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Guarded(io.RawIOBase):
    """A stream whose format errors become `ArchiveError`, and that ends with one after `limit` octets.

    Closing it closes `file`, on which the stream stands.
    """

    def __init__(self, stream: _Readable, limit: int, file: IO[bytes]) -> None:
        self._stream = stream
        self._left = limit
        self._file = file

    def close(self) -> None:
        """Close the stream and what it stands on."""
        self._file.close()
        super().close()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` and return the number of octets."""
        try:
            data = self._stream.read(len(buffer))
        except _BROKEN as error:
            raise ArchiveError(f"The archive is damaged ({error}).") from error
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError("The archive expands to far more than its size and is not read any further.")
        buffer[: len(data)] = data
        return len(data)


class _XzStream:
    """Decompresses xz with bounded memory, which `lzma.open` does not offer."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decompressor = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` octets, b"" at the end; EOFError where the file ends too early."""
        while True:
            if self._decompressor.eof:
                self._pending = (self._decompressor.unused_data or self._stream.read(_BLOCK)).lstrip(b"\0")
                if not self._pending:
                    return b""
                self._decompressor = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            if self._decompressor.needs_input and not self._pending:
                self._pending = self._stream.read(_BLOCK)
                if not self._pending:
                    raise EOFError("it ends too early")
            data = self._decompressor.decompress(self._pending, size)
            self._pending = b""
            if data:
                return data


class _BoundedTarInfo(tarfile.TarInfo):
    """A tar header that may not ask for much memory: tarfile reads long names and pax records whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _BoundedTarInfo:
        """Parse a header block; refuse extended headers above 1 MB."""
        info = super().frombuf(buf, encoding, errors)
        extended = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
        long_names = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
        if info.type in extended + long_names and info.size > _MAX_TAR_HEADER:
            raise tarfile.HeaderError("extended header too large")
        return info


def archive_kind(head: bytes) -> str | None:
    """Return zip, tar, gzip, bzip2 or xz by the first 512 octets of a file, or None."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    return "tar" if _is_tar(head) else None


def _is_tar(head: bytes) -> bool:
    if len(head) < tarfile.BLOCKSIZE:
        return False
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def without_suffix(name: str) -> str:
    """Return the name of an archive without what says that it is one."""
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def open_decompressed(path: Path, kind: str, always_allowed: int = ALWAYS_ALLOWED) -> io.BufferedReader:
    """Open a tar or a compressed file for reading what it holds, limited to what its size allows.

    Raises OSError, and while reading ArchiveError.
    """
    openers: dict[str, Callable[[BinaryIO], _Readable]] = {
        "tar": lambda file: file,
        "gzip": lambda file: gzip.GzipFile(fileobj=file),
        "bzip2": bz2.BZ2File,
        "xz": _XzStream,
    }
    file = path.open("rb")
    limit = max(always_allowed, MAX_EXPANSION * path.stat().st_size)
    return io.BufferedReader(_Guarded(openers[kind](file), limit, file), _BLOCK)


def holds_tar(path: Path, kind: str) -> bool:
    """Whether a file of this kind holds a tar, rather than one compressed file; OSError if unreadable."""
    with open_decompressed(path, kind) as stream:
        return _is_tar(stream.read(tarfile.BLOCKSIZE))


def member_parts(name: str) -> Parts | None:
    """Return the path of a member, or None where it is absolute, leads outside, or is absurdly deep."""
    if name.startswith(("/", "\\")) or name[1:3] in (":\\", ":/"):
        return None
    if name.count("/") > _MAX_DEPTH:
        return None
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    return None if ".." in parts else parts


def _outside(origin: str) -> Skipped:
    return Skipped(origin, LeftOut.REFUSED, "The name in the archive leads outside of it.")


class TarTree:
    """The files of a tar, read as a stream from its beginning: once for the names, once for the mail."""

    wrapped = True
    inbox: Parts = ()

    def __init__(self, path: Path, kind: str, always_allowed: int = ALWAYS_ALLOWED) -> None:
        self.path = path
        self._always_allowed = always_allowed
        self.name = without_suffix(path.name)
        self._kind = kind
        self._links: dict[Parts, list[Parts]] = {}
        self._handed_on: set[Parts] = set()

    def survey(self) -> Survey:
        """Walk the names. Damage ends the walk; reading reports it."""
        survey = Survey()
        self._links = {}
        self._handed_on = set()
        try:
            for archive, member in self._members():
                parts = member_parts(member.name)
                if not parts:
                    continue
                if member.isdir():
                    survey.add_directory(parts)
                elif member.isreg() or member.islnk():
                    survey.add(parts, partial(_open_member, archive, member) if member.isreg() else None)
                target = member_parts(member.linkname) if member.islnk() else None
                if target:
                    self._links.setdefault(target, []).append(parts)
        except (OSError, tarfile.TarError):
            return survey
        return survey

    def entries(self) -> Iterator[Entry | Skipped]:
        """Yield the files, and what cannot be read."""
        try:
            for archive, member in self._members():
                if not member.isdir():
                    yield from self._entries_of(archive, member)
        except (OSError, tarfile.TarError) as error:
            reason = str(error) if isinstance(error, ArchiveError) else f"The archive is damaged ({error})."
            yield Skipped(str(self.path), LeftOut.UNREADABLE, f"{reason} What comes after was not read.")

    def _members(self) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        with (
            open_decompressed(self.path, self._kind, self._always_allowed) as stream,
            tarfile.open(
                fileobj=stream, mode="r|", tarinfo=_BoundedTarInfo, encoding="utf-8", errors="surrogateescape"
            ) as archive,
        ):
            while (member := archive.next()) is not None:
                yield archive, member
                # The list of members would grow with the archive.
                archive.members = []  # type: ignore[attr-defined]

    def _entries_of(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[Entry | Skipped]:
        origin = f"{self.path}: {member.name}"
        parts = member_parts(member.name)
        if parts is None:
            yield _outside(origin)
        elif member.issym():
            yield Skipped(origin, LeftOut.REFUSED, "Symbolic links in archives are not followed.")
        elif member.islnk():
            if parts not in self._handed_on:
                yield Skipped(
                    origin, LeftOut.REFUSED, "It is a link to something that is not in the archive."
                )
        elif not member.isreg() or member.issparse():
            yield Skipped(origin, LeftOut.REFUSED, "It is not an ordinary file.")
        elif parts:
            yield from self._file(archive, member, parts)

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parts: Parts) -> Iterator[Entry]:
        """Yield a file, and again under each name that is a hard link to it (servers copy mail by links)."""
        links = self._links.get(parts, ())
        modified = datetime.fromtimestamp(member.mtime, UTC) if 0 < member.mtime < _LATEST else None
        read: Callable[[], BinaryIO] = partial(_open_member, archive, member)
        if links:
            with read() as stream:
                read = partial(io.BytesIO, stream.read(MAX_MESSAGE_SIZE + 1))
        for names in (parts, *links):
            self._handed_on.add(names)
            yield Entry(names, member.size, modified, f"{self.path}: {'/'.join(names)}", read)


def _open_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    content = archive.extractfile(member)
    if content is None:
        raise ArchiveError("The archive is damaged (a file without content).")
    return io.BufferedReader(_Guarded(content, member.size, content))


class ZipTree:
    """The files of a zip."""

    wrapped = True
    inbox: Parts = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = without_suffix(path.name)

    def survey(self) -> Survey:
        """Walk the names. A damaged archive has none; reading reports it."""
        survey = Survey()
        try:
            with zipfile.ZipFile(self.path) as archive:
                for member in archive.infolist():
                    parts = member_parts(_zip_name(member))
                    if parts and member.is_dir():
                        survey.add_directory(parts)
                    elif parts:
                        survey.add(parts, partial(_open_zipped, archive, member))
        except (OSError, *_BROKEN):
            return survey
        return survey

    def entries(self) -> Iterator[Entry | Skipped]:
        """Yield the files, and what cannot be read."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = archive.infolist()
                allowed = max(ALWAYS_ALLOWED, MAX_EXPANSION * self.path.stat().st_size)
                if sum(member.file_size for member in members) > allowed:
                    raise ArchiveError("The archive expands to far more than its size and is not read.")
                for member in members:
                    if not member.is_dir():
                        yield from self._entries_of(archive, member)
        except (OSError, *_BROKEN) as error:
            reason = str(error) if isinstance(error, ArchiveError) else f"The archive is damaged ({error})."
            yield Skipped(str(self.path), LeftOut.UNREADABLE, reason)

    def _entries_of(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Entry | Skipped]:
        name = _zip_name(member)
        origin = f"{self.path}: {name}"
        parts = member_parts(name)
        mode = member.external_attr >> 16
        if parts is None:
            yield _outside(origin)
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            yield Skipped(origin, LeftOut.REFUSED, "Links and special files in archives are not read.")
        elif member.flag_bits & _ENCRYPTED:
            yield Skipped(
                origin, LeftOut.REFUSED, "The file is encrypted; unpack the archive and import the folder."
            )
        elif parts:
            yield Entry(
                parts, member.file_size, _zip_time(member), origin, partial(_open_zipped, archive, member)
            )


def _zip_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name. Without the UTF-8 flag zipfile takes code page 437, though many mean UTF-8."""
    name = member.filename
    if not member.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return member.filename
    return name


def _zip_time(member: zipfile.ZipInfo) -> datetime | None:
    """Return a member's time, taken as UTC; None for the first moment of 1980, which means unknown."""
    try:
        return datetime(*member.date_time, tzinfo=UTC) if member.date_time > (1980, 1, 1, 0, 0, 0) else None
    except ValueError:
        return None


def _open_zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    try:
        content = archive.open(member)
    except (RuntimeError, *_BROKEN) as error:
        # RuntimeError (NotImplementedError among it): encrypted by a method of its own, or an unknown
        # compression.
        raise ArchiveError(f"The archive is damaged or of an unknown kind ({error}).") from error
    return io.BufferedReader(_Guarded(content, member.file_size, content))
