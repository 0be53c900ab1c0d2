"""mbox files: separators, quoting, dates, flags, and the bound on memory."""

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mail.importing.mbox import estimate_messages, from_line_date, read_mbox
from mail.importing.source_message import LeftOut, Skipped, SourceMessage

FROM = b"From alice@example.org Thu Aug 22 12:36:23 2002\n"
DATE = datetime(2002, 8, 22, 12, 36, 23, tzinfo=UTC)


def read(data: bytes, limit: int = 1000) -> list[SourceMessage | Skipped]:
    return list(read_mbox(io.BytesIO(data), "box", limit=limit))


def raws(data: bytes) -> list[bytes]:
    return [item.raw for item in read(data) if isinstance(item, SourceMessage)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_messages_are_split_and_lose_the_empty_line_at_their_end(end: bytes) -> None:
    data = (FROM + b"Subject: 1\n\none\n\n" + FROM + b"Subject: 2\n\ntwo\n\n").replace(b"\n", end)
    assert raws(data) == [b"Subject: 1\r\n\r\none\r\n", b"Subject: 2\r\n\r\ntwo\r\n"]


def test_the_last_message_may_lack_the_empty_line() -> None:
    assert raws(FROM + b"Subject: 1\n\none\n") == [b"Subject: 1\r\n\r\none\r\n"]


def test_each_quoted_from_loses_one_sign() -> None:
    body = b"Subject: 1\n\n>From me\n>>From you\n> From them\nx >From us\n"
    assert raws(FROM + body) == [b"Subject: 1\r\n\r\nFrom me\r\n>From you\r\n> From them\r\nx >From us\r\n"]


def test_a_from_without_a_date_is_text() -> None:
    data = FROM + b"Subject: 1\n\nHello\n\nFrom here on it is easy\n"
    assert raws(data) == [b"Subject: 1\r\n\r\nHello\r\n\r\nFrom here on it is easy\r\n"]


def test_a_dated_from_in_the_middle_of_a_paragraph_is_text() -> None:
    data = FROM + b"Subject: 1\n\nIt said\n" + FROM + b"and no more\n"
    assert raws(data) == [
        b"Subject: 1\r\n\r\nIt said\r\n" + FROM.replace(b"\n", b"\r\n") + b"and no more\r\n"
    ]


def test_a_dated_from_before_a_header_field_separates_without_an_empty_line() -> None:
    assert len(raws(FROM + b"Subject: 1\n\none\n" + FROM + b"Subject: 2\n\ntwo\n")) == 2


def test_an_address_without_a_date_separates_before_a_header_field() -> None:
    assert len(raws(FROM + b"Subject: 1\n\none\n\nFrom bob@example.org\nSubject: 2\n\ntwo\n")) == 2


def test_a_from_at_a_piece_of_a_long_line_is_text() -> None:
    long = b"x" * 65_536 + FROM
    found = read(FROM + b"Subject: 1\n\n" + long, limit=100_000)
    assert [item.raw for item in found if isinstance(item, SourceMessage)] == [
        b"Subject: 1\r\n\r\n" + long.replace(b"\n", b"\r\n")
    ]


@pytest.mark.parametrize(
    ("line", "date"),
    [
        (FROM, DATE),
        (b"From - Thu Aug 22 12:36:23 2002\r\n", DATE),
        (b"From x Thu Aug 22 12:36 2002", DATE.replace(second=0)),
        (b"From x Thu Aug  2 12:36:23 GMT 2002", DATE.replace(day=2)),
        (b"From 17@xxx Thu Aug 22 12:36:23 +0200 2002", DATE.replace(tzinfo=timezone(timedelta(hours=2)))),
        (b"From x Thu, 22 Aug 2002 12:36:23 -0130", DATE.replace(tzinfo=timezone(-timedelta(minutes=90)))),
        (b"From x Thu Aug 32 12:36:23 2002", None),
        (b"From x Thu Aug 22 12:36:23 +9900 2002", None),
        (b"From here to there", None),
    ],
)
def test_date_of_a_from_line(line: bytes, date: datetime | None) -> None:
    assert from_line_date(line) == date


def test_a_message_has_the_keywords_of_its_status_fields() -> None:
    (message,) = read(FROM + b"Status: RO\nSubject: 1\n\nX-Status: F\n")
    assert isinstance(message, SourceMessage)
    assert message.keywords == {"$seen"}


def test_labels_say_the_mailboxes_of_a_message() -> None:
    (message,) = read(FROM + b"X-Gmail-Labels: Inbox,Work/2020,Unread\nSubject: 1\n\none\n")
    assert isinstance(message, SourceMessage)
    assert (message.folder, message.further_folders) == ((), (("Work", "2020"),))
    assert message.keywords == frozenset()


@pytest.mark.parametrize("field", [b"X-Status: D", b"X-Mozilla-Status: 0009"])
def test_a_deleted_message_is_left_out(field: bytes) -> None:
    (left_out,) = read(FROM + field + b"\nSubject: 1\n\none\n")
    assert left_out == Skipped("box, message 1", LeftOut.DELETED, "The message is marked as deleted.")


def test_a_large_message_is_reported_and_the_next_is_read() -> None:
    found = read(FROM + b"Subject: 1\n\n" + b"x\n" * 400 + b"\n" + FROM + b"Subject: 2\n\ntwo\n", limit=500)
    assert found[0] == Skipped("box, message 1", LeftOut.TOO_LARGE, "The message is larger than 500 bytes.")
    assert isinstance(found[1], SourceMessage)
    assert found[1].origin == "box, message 2"


def test_an_empty_message_is_reported() -> None:
    found = read(FROM + b"\n" + FROM + b"Subject: 2\n\ntwo\n")
    assert found[0] == Skipped("box, message 1", LeftOut.EMPTY, "The message is empty.")


def test_a_message_without_header_is_read_with_its_problem() -> None:
    (message,) = read(FROM + b"just text\n")
    assert isinstance(message, SourceMessage)
    assert message.problem == "The message does not begin with a header field."


def test_the_date_of_the_from_line_is_handed_on() -> None:
    (message,) = read(FROM + b"Subject: 1\n\none\n")
    assert isinstance(message, SourceMessage)
    assert message.from_line_date == DATE


@pytest.mark.parametrize("shift", range(10))
def test_the_estimate_counts_separators_across_blocks_once(shift: int) -> None:
    first = FROM + b"x" * ((1 << 20) - len(FROM) - shift) + b"\n\n"
    assert estimate_messages(io.BytesIO(first + FROM + b"\n\n" + FROM)) == 3
