"""Archives: what they hold, and what hostile ones try."""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from mail.importing.archives import TarTree
from mail.importing.source_message import LeftOut, Skipped, SourceMessage
from mail.importing.sources import count, messages
from mail.importing.tree import read_tree

RAW = b"From: a@example.org\nSubject: 1\n\none\n"
CRLF = RAW.replace(b"\n", b"\r\n")
FROM = b"From a@example.org Thu Aug 22 12:36:23 2002\n"


def tar(path: Path, files: Iterable[tuple[str, bytes] | tarfile.TarInfo], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for file in files:
            if isinstance(file, tarfile.TarInfo):
                archive.addfile(file)
            else:
                member = tarfile.TarInfo(file[0])
                member.size = len(file[1])
                archive.addfile(member, io.BytesIO(file[1]))
    return path


def zipped(path: Path, files: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def read(path: Path) -> tuple[list[tuple[tuple[str, ...], bytes]], list[LeftOut]]:
    """Return folder and bytes of each message, and the kinds of what was left out."""
    found = list(messages([path]))
    return (
        [(item.folder, item.raw) for item in found if isinstance(item, SourceMessage)],
        [item.kind for item in found if isinstance(item, Skipped)],
    )


@pytest.mark.parametrize(("suffix", "mode"), [("", "w"), (".gz", "w:gz"), (".bz2", "w:bz2"), (".xz", "w:xz")])
def test_tar_in_every_compression(tmp_path: Path, suffix: str, mode: str) -> None:
    path = tar(tmp_path / f"mail.tar{suffix}", [("mail/ham/1.eml", RAW), ("mail/spam/00002.ab", RAW)], mode)
    assert read(path) == ([(("ham",), CRLF), (("spam",), CRLF)], [])
    assert count([path]) == 2


def test_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "mail.zip", {"ham/1.eml": RAW, "Sent.mbox": FROM + RAW + b"\n" + FROM + RAW})
    assert read(path) == ([(("ham",), CRLF), (("Sent",), CRLF), (("Sent",), CRLF)], [])
    assert count([path]) == 3


def test_messages_directly_in_an_archive_are_in_a_mailbox_of_its_name(tmp_path: Path) -> None:
    assert read(tar(tmp_path / "old.tar.gz", [("1.eml", RAW)], "w:gz")) == ([(("old",), CRLF)], [])


def test_the_single_folder_of_an_archive_stands_for_it(tmp_path: Path) -> None:
    assert read(tar(tmp_path / "old.tar", [("./ham/1.eml", RAW)])) == ([(("ham",), CRLF)], [])


def test_a_maildir_in_a_zip_without_its_empty_folders(tmp_path: Path) -> None:
    files: dict[str | zipfile.ZipInfo, bytes] = {"M/cur/1.host:2,S": RAW, "M/.Sent/cur/2.host:2,S": RAW}
    assert read(zipped(tmp_path / "m.zip", files)) == ([((), CRLF), (("Sent",), CRLF)], [])


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_letters_of_a_maildir_in_an_archive(tmp_path: Path, kind: str) -> None:
    files: dict[str | zipfile.ZipInfo, bytes] = {
        "m/cur/1:2,Sa": RAW,
        "m/dovecot-keywords": b"0 $Forwarded\n",
        "m/new/2": RAW,
    }
    path = tmp_path / f"mail.{kind}"
    letters = [(str(name), raw) for name, raw in files.items()]
    made = tar(path, letters) if kind == "tar" else zipped(path, files)
    keywords = [item.keywords for item in messages([made]) if isinstance(item, SourceMessage)]
    assert keywords == [{"$seen", "$forwarded"}, set()]


def test_a_hard_link_is_the_message_in_another_folder(tmp_path: Path) -> None:
    path = tar(
        tmp_path / "m.tar",
        [("a/1.eml", RAW), ("b/2.eml", RAW), link("c/1.eml", "a/1.eml", tarfile.LNKTYPE)],
    )
    assert read(path) == ([(("a",), CRLF), (("c",), CRLF), (("b",), CRLF)], [])


def test_a_hard_link_to_nothing_is_refused(tmp_path: Path) -> None:
    path = tar(tmp_path / "m.tar", [("a/1.eml", RAW), link("b/1.eml", "/etc/passwd", tarfile.LNKTYPE)])
    assert read(path)[1] == [LeftOut.REFUSED]


@pytest.mark.parametrize("name", ["../x.eml", "a/../../x.eml", "/etc/x.eml", "a/" * 65 + "x.eml"])
def test_names_that_lead_outside_are_refused_in_tar(tmp_path: Path, name: str) -> None:
    assert read(tar(tmp_path / "m.tar", [(name, RAW), ("a/1.eml", RAW)])) == (
        [(("a",), CRLF)],
        [LeftOut.REFUSED],
    )


@pytest.mark.parametrize("name", ["../x.eml", "/etc/x.eml", "C:/x.eml"])
def test_names_that_lead_outside_are_refused_in_zip(tmp_path: Path, name: str) -> None:
    assert read(zipped(tmp_path / "m.zip", {name: RAW})) == ([], [LeftOut.REFUSED])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused_in_tar(tmp_path: Path, kind: bytes) -> None:
    assert read(tar(tmp_path / "m.tar", [link("x.eml", "/etc/passwd", kind)])) == ([], [LeftOut.REFUSED])


def test_links_are_refused_in_zip(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("x.eml")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert read(zipped(tmp_path / "m.zip", {member: b"/etc/passwd"})) == ([], [LeftOut.REFUSED])


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.zip", {"x.eml": RAW})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    path.write_bytes(data)
    (left_out,) = messages([path])
    assert left_out == Skipped(
        f"{path}: x.eml",
        LeftOut.REFUSED,
        "The file is encrypted; unpack the archive and import the folder.",
    )


def test_nested_archives_are_refused(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"x.eml": RAW}).read_bytes()
    (left_out,) = messages([tar(tmp_path / "m.tar", [("inner.zip", inner)])])
    assert isinstance(left_out, Skipped)
    assert left_out.reason == "An archive inside another source is not opened; give its path by itself."


def test_an_archive_that_ends_early_gives_what_came_before(tmp_path: Path) -> None:
    path = tar(tmp_path / "m.tar", [("a/1.eml", RAW), ("a/2.eml", RAW + os.urandom(5000))])
    path.write_bytes(path.read_bytes()[:3000])
    found, left_out = read(path)
    assert found == [(("a",), CRLF)]
    assert LeftOut.UNREADABLE in left_out


@pytest.mark.parametrize(
    ("name", "compress"),
    [("m.tar.gz", gzip.compress), ("m.tar.bz2", bz2.compress), ("m.tar.xz", lzma.compress)],
)
def test_damaged_compression_is_reported(tmp_path: Path, name: str, compress: object) -> None:
    assert callable(compress)
    plain = tar(tmp_path / "m.tar", [("a/1.eml", RAW + os.urandom(300_000))]).read_bytes()
    (tmp_path / name).write_bytes(compress(plain)[:150_000])
    assert LeftOut.UNREADABLE in read(tmp_path / name)[1]


def test_a_zip_without_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "m.zip").write_bytes(b"PK\x03\x04" + bytes(500))
    assert read(tmp_path / "m.zip") == ([], [LeftOut.UNREADABLE])


def test_a_tar_bomb_is_given_up(tmp_path: Path) -> None:
    member = tarfile.TarInfo("a/zeros.eml")
    member.size = 60_000_000
    block = gzip.compress(bytes(1_000_000))
    with (tmp_path / "m.tar.gz").open("wb") as file:
        file.write(gzip.compress(member.tobuf()))
        for _ in range(60):
            file.write(block)
    found = list(read_tree(TarTree(tmp_path / "m.tar.gz", "gzip", always_allowed=55_000_000)))
    assert [item.kind for item in found if isinstance(item, Skipped)] == [
        LeftOut.TOO_LARGE,
        LeftOut.UNREADABLE,
    ]


def test_a_zip_bomb_is_given_up(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.zip", {"x.eml": RAW})
    data = bytearray(path.read_bytes())
    size = data.index(b"PK\x01\x02") + 24
    data[size : size + 4] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    (left_out,) = messages([path])
    assert left_out == Skipped(
        str(path), LeftOut.UNREADABLE, "The archive expands to far more than its size and is not read."
    )


def test_a_tar_header_may_not_ask_for_much_memory(tmp_path: Path) -> None:
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 300_000_000
    block = gzip.compress(bytes(10_000_000))
    with (tmp_path / "m.tar.gz").open("wb") as file:
        file.write(gzip.compress(member.tobuf(tarfile.GNU_FORMAT)))
        for _ in range(30):
            file.write(block)
    tracemalloc.start()
    found, left_out = read(tmp_path / "m.tar.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found, left_out) == ([], [LeftOut.UNREADABLE])
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("name", "compress"),
    [("2002.txt.gz", gzip.compress), ("2002.bz2", bz2.compress), ("2002.xz", lzma.compress)],
)
def test_a_compressed_mbox(tmp_path: Path, name: str, compress: object) -> None:
    assert callable(compress)
    (tmp_path / name).write_bytes(compress((FROM + RAW + b"\n") * 2))
    assert [raw for _, raw in read(tmp_path / name)[0]] == [CRLF, CRLF]


def test_names_of_zip_members_in_utf8_without_the_flag(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.zip", {"Entwürfe/1.eml": RAW, "b/2.eml": RAW})
    data = bytearray(path.read_bytes())
    data[7] &= ~0x08  # bit 11 of the flags, in the local header and in the central directory
    data[data.index(b"PK\x01\x02") + 9] &= ~0x08
    path.write_bytes(data)
    assert read(path)[0][0] == (("Entwürfe",), CRLF)
