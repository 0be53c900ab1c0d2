"""Files and folders of messages and mboxes."""

import os
from pathlib import Path

import pytest

from mail.importing.source_message import LeftOut, Skipped, SourceMessage
from mail.importing.sources import count, messages

RAW = b"From: a@example.org\nSubject: 1\n\none\n"
FROM = b"From a@example.org Thu Aug 22 12:36:23 2002\n"


def folders(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the mailbox of each message by the end of its origin."""
    return {
        str(item.origin).removeprefix(f"{path}/"): item.folder
        for item in messages([path])
        if isinstance(item, SourceMessage)
    }


def only(path: Path) -> SourceMessage | Skipped:
    (item,) = messages([path])
    return item


def test_a_single_message_goes_to_the_inbox(tmp_path: Path) -> None:
    (tmp_path / "x.eml").write_bytes(RAW)
    message = only(tmp_path / "x.eml")
    assert isinstance(message, SourceMessage)
    assert (message.folder, message.raw) == ((), RAW.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Sent.mbox", ("Sent",)),
        ("Archive", ("Archive",)),
        ("Inbox", ()),
        ("mbox", ()),
        ("Work.mbox/mbox", ("Work",)),
        ("Work.v2.mbox", ("Work.v2",)),
    ],
)
def test_an_mbox_is_a_mailbox_of_its_name(tmp_path: Path, name: str, folder: tuple[str, ...]) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(FROM + RAW)
    message = only(path)
    assert isinstance(message, SourceMessage)
    assert message.folder == folder


def test_a_folder_of_messages_and_its_subfolders(tmp_path: Path) -> None:
    root = tmp_path / "export"
    (root / "Work" / "2020").mkdir(parents=True)
    for name in ("a.eml", "Work/b.eml", "Work/2020/c.eml", "Work/00001.7c53336b"):
        (root / name).write_bytes(RAW)
    assert folders(root) == {
        "a.eml": ("export",),
        "Work/b.eml": ("Work",),
        "Work/2020/c.eml": ("Work", "2020"),
        "Work/00001.7c53336b": ("Work",),
    }


def test_numbered_messages_that_kept_their_from_line_belong_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "ham").mkdir()
    for name in ("00001.7c53336b", "2.eml"):
        (tmp_path / "ham" / name).write_bytes(FROM + RAW)
    assert set(folders(tmp_path / "ham").values()) == {("ham",)}


def test_an_mbox_named_by_year_is_a_mailbox(tmp_path: Path) -> None:
    (tmp_path / "2020").write_bytes(FROM + RAW + b"\n" + FROM + RAW)
    assert set(folders(tmp_path).values()) == {("2020",)}


def test_a_profile_of_mboxes_in_sbd_folders(tmp_path: Path) -> None:
    (tmp_path / "Inbox.sbd" / "Lists.sbd").mkdir(parents=True)
    for name in ("Inbox", "Sent", "Inbox.sbd/Lists", "Inbox.sbd/Lists.sbd/Python"):
        (tmp_path / name).write_bytes(FROM + RAW)
    (tmp_path / "Inbox.msf").write_bytes(b"// <!-- index -->")
    assert folders(tmp_path) == {
        "Inbox, message 1": (),
        "Sent, message 1": ("Sent",),
        "Inbox.sbd/Lists, message 1": ("Lists",),
        "Inbox.sbd/Lists.sbd/Python, message 1": ("Lists", "Python"),
    }


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("empty.eml", b"", LeftOut.EMPTY),
        ("blank.eml", b"\r\n\r\n", LeftOut.EMPTY),
        ("README", b"Note: this is no mail\n", LeftOut.NO_MESSAGE),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(50), LeftOut.NO_MESSAGE),
        ("mail.zip", b"PK\x03\x04" + bytes(50), LeftOut.REFUSED),
    ],
)
def test_files_that_are_no_mail_are_reported(
    tmp_path: Path, name: str, content: bytes, kind: LeftOut
) -> None:
    (tmp_path / name).write_bytes(content)
    (left_out,) = messages([tmp_path])
    assert isinstance(left_out, Skipped)
    assert (left_out.origin, left_out.kind) == (str(tmp_path / name), kind)


def test_a_message_file_without_header_is_read_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / "x.eml").write_bytes(b"\nno header at all\n")
    message = only(tmp_path / "x.eml")
    assert isinstance(message, SourceMessage)
    assert message.problem == "The message has no header."


def test_a_lone_carriage_return_stays(tmp_path: Path) -> None:
    (tmp_path / "x.eml").write_bytes(b"Subject: 1\r\n\r\na\rb\nc\r\r\n")
    message = only(tmp_path / "x.eml")
    assert isinstance(message, SourceMessage)
    assert message.raw == b"Subject: 1\r\n\r\na\rb\r\nc\r\r\n"


def test_a_message_above_the_limit_is_reported(tmp_path: Path) -> None:
    with (tmp_path / "x.eml").open("wb") as file:
        file.truncate(50_000_001)
    assert only(tmp_path / "x.eml") == Skipped(
        str(tmp_path / "x.eml"), LeftOut.TOO_LARGE, "The message is larger than 50,000,000 bytes."
    )


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.eml").write_bytes(RAW)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.eml").symlink_to(tmp_path / "outside.eml")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    kinds = {item.origin: item.kind for item in messages([tmp_path / "in"]) if isinstance(item, Skipped)}
    assert kinds == {str(tmp_path / "in" / name): LeftOut.REFUSED for name in ("loop", "x.eml")}


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.eml")
    assert only(tmp_path) == Skipped(
        str(tmp_path / "x.eml"), LeftOut.REFUSED, "It is neither a file nor a folder."
    )


def test_a_missing_path_is_reported(tmp_path: Path) -> None:
    assert only(tmp_path / "none") == Skipped(
        str(tmp_path / "none"), LeftOut.UNREADABLE, "There is no such file or folder."
    )


def test_files_in_hidden_folders_are_reported(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.eml").write_bytes(RAW)
    left_out = only(tmp_path)
    assert isinstance(left_out, Skipped)
    assert left_out.kind == LeftOut.NO_MESSAGE


def test_count_counts_the_messages_of_an_mbox(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes((FROM + RAW + b"\n") * 3)
    (tmp_path / "x.eml").write_bytes(RAW)
    assert count([tmp_path, tmp_path / "none"]) == 5
