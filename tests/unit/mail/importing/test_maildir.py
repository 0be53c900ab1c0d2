"""Maildir and Maildir++ folders."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mail.importing.maildir import flags_of, folder_of
from mail.importing.source_message import LeftOut, Skipped, SourceMessage
from mail.importing.sources import count, messages

RAW = b"Subject: 1\n\none\n"


def maildir(path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    return path


def found(path: Path) -> list[SourceMessage | Skipped]:
    return list(messages([path]))


@pytest.mark.parametrize(
    ("name", "keywords", "deleted"),
    [
        ("1.M1.host:2,", set(), False),
        ("1.M1.host:2,S", {"$seen"}, False),
        ("1.M1.host,S=9,W=9:2,DFPRS", {"$draft", "$flagged", "$forwarded", "$answered", "$seen"}, False),
        ("1.M1.host;2,FS", {"$flagged", "$seen"}, False),
        ("1.M1.host:2,ST", {"$seen"}, True),
        ("1.M1.host:2,Sab", {"$seen"}, False),
        ("1.M1.host", set(), False),
    ],
)
def test_flags_of_a_file_name(name: str, keywords: set[str], deleted: bool) -> None:
    assert flags_of(name) == (frozenset(keywords), deleted)


def test_lower_case_letters_are_what_a_list_beside_the_mail_says(tmp_path: Path) -> None:
    (maildir(tmp_path / "Alice") / "cur" / "1.M1.host:2,Sab").write_bytes(RAW)
    (tmp_path / "Alice" / "dovecot-keywords").write_bytes(b"0 $Forwarded\n1 Junk\n")
    (maildir(tmp_path / "Alice" / ".Sent") / "cur" / "2.M1.host:2,a").write_bytes(RAW)
    keywords = {
        item.folder: item.keywords for item in found(tmp_path / "Alice") if isinstance(item, SourceMessage)
    }
    assert keywords == {(): {"$seen", "$forwarded", "$junk"}, ("Sent",): frozenset()}


@pytest.mark.parametrize(
    ("directory", "folder"),
    [
        (".Sent", ("Sent",)),
        (".Archive.2020", ("Archive", "2020")),
        (".Entw&APw-rfe", ("Entwürfe",)),
        (".Work.directory", ("Work",)),
        ("Sent", ("Sent",)),
    ],
)
def test_folder_of_a_directory(directory: str, folder: tuple[str, ...]) -> None:
    assert folder_of((directory,)) == folder


def test_the_maildir_that_was_given_is_the_inbox(tmp_path: Path) -> None:
    (maildir(tmp_path / "Alice") / "new" / "1.M1.host").write_bytes(RAW)
    os.utime(tmp_path / "Alice" / "new" / "1.M1.host", (1_000_000_000, 1_000_000_000))
    (message,) = found(tmp_path / "Alice")
    assert message == SourceMessage(
        folder=(),
        raw=b"Subject: 1\r\n\r\none\r\n",
        origin=str(tmp_path / "Alice" / "new" / "1.M1.host"),
        file_time=datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("directory", "folder"),
    [
        (".Sent", ("Sent",)),
        (".Archive.2020", ("Archive", "2020")),
        (".INBOX.Friends", ("Friends",)),
        ("Lists/Python", ("Lists", "Python")),
    ],
)
def test_subfolders_are_mailboxes(tmp_path: Path, directory: str, folder: tuple[str, ...]) -> None:
    maildir(tmp_path)
    (maildir(tmp_path / directory) / "cur" / "1.M1.host:2,RS").write_bytes(RAW)
    (message,) = found(tmp_path)
    assert isinstance(message, SourceMessage)
    assert (message.folder, message.keywords) == (folder, frozenset({"$answered", "$seen"}))


def test_maildirs_side_by_side_are_mailboxes_by_name(tmp_path: Path) -> None:
    for name in ("inbox", "sent"):
        (maildir(tmp_path / name) / "cur" / "1.M1.host:2,S").write_bytes(RAW)
    assert [item.folder for item in found(tmp_path) if isinstance(item, SourceMessage)] == [(), ("sent",)]


def test_a_subfolder_that_was_given_keeps_its_name(tmp_path: Path) -> None:
    maildir(tmp_path)
    (maildir(tmp_path / ".Sent") / "cur" / "1.M1.host:2,S").write_bytes(RAW)
    (message,) = found(tmp_path / ".Sent")
    assert isinstance(message, SourceMessage)
    assert message.folder == ("Sent",)


def test_a_lone_maildir_further_down_is_the_inbox(tmp_path: Path) -> None:
    (maildir(tmp_path / "home" / "alice" / "Maildir") / "cur" / "1.M1.host:2,S").write_bytes(RAW)
    (message,) = found(tmp_path)
    assert isinstance(message, SourceMessage)
    assert message.folder == ()


def test_deleted_messages_are_left_out(tmp_path: Path) -> None:
    path = maildir(tmp_path) / "cur" / "1.M1.host:2,ST"
    path.write_bytes(RAW)
    assert found(tmp_path) == [Skipped(str(path), LeftOut.DELETED, "The message is flagged as deleted.")]


def test_unfinished_deliveries_are_left_out(tmp_path: Path) -> None:
    path = maildir(tmp_path) / "tmp" / "1.M1.host"
    path.write_bytes(RAW)
    (left_out,) = found(tmp_path)
    assert isinstance(left_out, Skipped)
    assert (left_out.origin, left_out.kind) == (str(path), LeftOut.UNFINISHED)


def test_index_files_are_not_mentioned(tmp_path: Path) -> None:
    for name in ("dovecot-uidlist", "dovecot.index.log", "maildirfolder", "subscriptions"):
        (maildir_file := tmp_path / name).write_bytes(b"3 V1")
        assert maildir_file.exists()
    maildir(tmp_path)
    assert found(tmp_path) == []


def test_a_message_without_header_is_read_with_its_problem(tmp_path: Path) -> None:
    (maildir(tmp_path) / "new" / "1.M1.host").write_bytes(b"\xff\xfe nothing\n")
    (message,) = found(tmp_path)
    assert isinstance(message, SourceMessage)
    assert message.problem == "The message does not begin with a header field."


def test_bytes_of_a_maildir_file_are_never_read_as_mbox(tmp_path: Path) -> None:
    (maildir(tmp_path) / "new" / "1.M1.host").write_bytes(b"From x\nSubject: 1\n\n>From me\n")
    (message,) = found(tmp_path)
    assert isinstance(message, SourceMessage)
    assert message.raw == b"Subject: 1\r\n\r\n>From me\r\n"


def test_count_is_one_for_each_file(tmp_path: Path) -> None:
    maildir(tmp_path)
    for number in range(3):
        (tmp_path / "cur" / f"{number}.M1.host:2,").write_bytes(RAW)
    assert count([tmp_path]) == 3
