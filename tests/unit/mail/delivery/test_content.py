"""The content of a message: where it ends, what is taken, what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.delivery.content import LONGEST_LINE, MOST_IN_MEMORY, Content

PLENTY = 10_000_000


def collected(octets: bytes, pieces: int, content: Content) -> bytes | None:
    """Feed octets in pieces of so many; what follows the end."""
    for start in range(0, len(octets), pieces):
        rest = content.feed(octets[start : start + pieces])
        if rest is not None:
            return rest + octets[start + pieces :]
    return None


@pytest.fixture
def content(tmp_path: Path) -> Content:
    return Content(PLENTY, str(tmp_path))


@pytest.mark.rfc("5321", "4.5.2")
@pytest.mark.parametrize("pieces", [1, 2, 3, 4, 5, 6, 1000])
@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"Hello\r\n.\r\n", b"Hello\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"...\r\n..x\r\n.\r\n", b"..\r\n.x\r\n"),
        (b"a.\r\n.b\r\n.\r\n", b"a.\r\nb\r\n"),
        (b"\r\n\r\n..\r\n\r\n.\r\n", b"\r\n\r\n.\r\n\r\n"),
    ],
)
def test_crlf_dot_crlf_ends_the_content_and_doubled_dots_are_one(
    sent: bytes, message: bytes, pieces: int
) -> None:
    content = Content(PLENTY, "unused")
    assert collected(sent + b"QUIT\r\n", pieces, content) == b"QUIT\r\n"
    assert (content.problem, content.octets(), content.size) == (None, message, len(message))


@given(st.lists(st.sampled_from([b".", b"..", b"a", b"\r\n", b".\r\n", b"\r\n.\r\na"])), st.integers(1, 7))
def test_every_message_comes_out_as_it_was(parts: list[bytes], pieces: int) -> None:
    message = b"".join(parts) + b"\r\n"
    stuffed = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    content = Content(PLENTY, "unused")
    assert collected(stuffed + b".\r\nrest", pieces, content) == b"rest"
    assert content.octets() == message


SMUGGLED = b"\r\nMAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nDATA\r\nSubject: smuggled\r\n"


@pytest.mark.rfc("5321", "4.1.1.4")
@pytest.mark.parametrize("pieces", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\r\n.\r\r\n",
        b"\n.\r",
        b"\r\n\0.\r\n",
    ],
)
def test_nothing_else_ends_the_content(end: bytes, pieces: int) -> None:
    content = Content(PLENTY, "unused")
    assert collected(b"Hello" + end + SMUGGLED + b".\r\n", pieces, content) == b""
    assert str(content.problem)[:9] == "554 5.6.0"


@pytest.mark.parametrize("pieces", [1, 1000])
def test_lone_line_ends_are_content_where_they_are_taken(pieces: int) -> None:
    content = Content(PLENTY, "unused", is_strict=False)
    assert collected(b"a\n.\nb\rc\0\r\n.\r\n", pieces, content) == b""
    assert (content.problem, content.octets()) == (None, b"a\n.\nb\rc\0\r\n")


@pytest.mark.parametrize("octets", [b"a\0b", b"\0", b"a\nb", b"a\rb", b"\n", b"\r"])
def test_what_no_message_has_is_refused(octets: bytes, content: Content) -> None:
    assert content.feed(octets + b"\r\n.\r\n") == b""
    assert str(content.problem)[:9] == "554 5.6.0"


@pytest.mark.parametrize("pieces", [999, 65_536, 2_000_000])
@pytest.mark.parametrize(("length", "problem"), [(LONGEST_LINE, False), (LONGEST_LINE + 1, True)])
def test_lines_of_a_megabyte_are_taken(length: int, problem: bool, pieces: int, content: Content) -> None:
    line = b"x" * (length - 2) + b"\r\n"
    assert collected(b"a\r\n" + line + b"b\r\n.\r\n", pieces, content) == b""
    assert (content.problem is not None) is problem
    content.discard()


def test_a_message_that_is_too_large_is_read_to_its_end(tmp_path: Path) -> None:
    content = Content(1_000, str(tmp_path))
    assert collected(b"0123456\r\n" * 1_000 + b".\r\nQUIT", 100, content) == b"QUIT"
    assert str(content.problem)[:9] == "552 5.3.4"


def test_the_largest_message_that_is_taken(tmp_path: Path) -> None:
    content = Content(1_000, str(tmp_path))
    assert content.feed(b"01234567\r\n" * 100 + b".\r\n") == b""
    assert (content.problem, len(content.octets())) == (None, 1_000)


def test_more_than_is_held_in_memory_goes_to_a_file_that_has_no_name(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    content = Content(PLENTY, str(spool))
    message = b"A line.\r\n" * (MOST_IN_MEMORY // 4)
    assert collected(message, 65_536, content) is None
    assert spool.stat().st_mode & 0o777 == 0o700
    assert list(spool.iterdir()) == []
    assert content.feed(b".\r\n") == b""
    assert content.octets() == message


def test_a_spool_that_cannot_be_written(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.write_text("a file")
    content = Content(PLENTY, str(spool))
    assert collected(b"A line.\r\n" * (MOST_IN_MEMORY // 4) + b".\r\n", 65_536, content) == b""
    assert str(content.problem)[:9] == "452 4.3.1"


def test_what_is_gone_is_no_empty_message(content: Content) -> None:
    assert content.feed(b"Hello\r\n.\r\n") == b""
    content.discard()
    with pytest.raises(FileNotFoundError):
        content.octets()
