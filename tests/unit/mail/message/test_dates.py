"""Dates of header fields."""

from datetime import UTC, datetime

import pytest

from mail.message.dates import as_date, parse_date, received_date


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" Tue, 10 Jul 2018 11:03:11 +1000", "2018-07-10T11:03:11+10:00"),
        (" Tue, 10 Jul 2018 01:03:11 +0000", "2018-07-10T01:03:11Z"),
        (" 1 Jan 2020 00:00 -0330", "2020-01-01T00:00:00-03:30"),
        (" Tue, 10 Jul 2018 01:03:11 -0000 (UTC)", "2018-07-10T01:03:11Z"),
        (" Tue (a (b) c), 10 (d) Jul 2018 01:03:11 EST", "2018-07-10T01:03:11-05:00"),
        (" Tue (a (b (c \\) (d))) e), 10 Jul 2018 01:03:11 EST", "2018-07-10T01:03:11-05:00"),
        (" 10 Jul 98 01:03:11 PDT", "1998-07-10T01:03:11-07:00"),
        (" 10 Jul 49 01:03:11 GMT", "2049-07-10T01:03:11Z"),
        (" 10 Jul 102 01:03:11 Z", "2002-07-10T01:03:11Z"),
        (" 10 Jul 2018 01:03:11 A", "2018-07-10T01:03:11Z"),
        (" 10 Jul 2018 01:03:11", "2018-07-10T01:03:11Z"),
        (" 10 Jul 2018 01:03:60 +0000", "2018-07-10T01:03:59Z"),
        (" 10 Jul 2018 01:03:11 +9900", "2018-07-10T01:03:11Z"),
        (" 10 Jul 2018 01:03:11 +0199", "2018-07-10T01:03:11Z"),
        (" 10 Jul 2018 01:03:11 +02", "2018-07-10T01:03:11+02:00"),
        (" 10 Jul 2018 01:03:11 GMT-2", "2018-07-10T01:03:11-02:00"),
        (" 10 Jul 2018 01:03:11 +020", "2018-07-10T01:03:11+00:20"),
        (" 10 Jul 2018 01:03:11 +02000", "2018-07-10T01:03:11Z"),
        (" 10 Jul 2018 01:03:11 GMT+02:00", "2018-07-10T01:03:11+02:00"),
        (" Tuesday, 10-July-2018 1:3:11 +0200", "2018-07-10T01:03:11+02:00"),
        (" Tue Jul 10 01:03:11 2018", "2018-07-10T01:03:11Z"),
        (" Tue Jul 10 01:03:11 2018 +0200", "2018-07-10T01:03:11+02:00"),
        (" Tue Jul 10 01:03:11 PST 2018", "2018-07-10T01:03:11-08:00"),
        (" Tue,\r\n 10 Jul\r\n 2018 01:03:11 +0000", "2018-07-10T01:03:11Z"),
        (" 1 Jan 0050 00:00:00 +0000", "0050-01-01T00:00:00Z"),
        (" Tue, 31 Feb 2018 01:03:11 +0000", None),
        (" 10 Jul 2018 25:03:11 +0000", None),
        (" 10 Jul 2018 01:03:61 +0000", None),
        (" 10 Xxx 2018 01:03:11 +0000", None),
        (" 10 Jul 99999 01:03:11 +0000", None),
        (" yesterday", None),
        ("", None),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.6")
def test_dates_become_rfc_3339(value: str, text: str | None) -> None:
    assert as_date(value.encode()) == text


def test_a_date_is_a_moment() -> None:
    assert parse_date(b"10 Jul 2018 01:03:11 +0200") == datetime(2018, 7, 9, 23, 3, 11, tzinfo=UTC)


def test_the_date_of_a_received_field_is_behind_its_last_semicolon() -> None:
    value = b" from a by b; x; Mon, 2 Sep 2002 12:00:00 +0100 (IST)"
    assert received_date(value) == datetime(2002, 9, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize("value", [b" from a by b", b" from a; never", b" x; 1 Jan 0001 00:00:00 +0100"])
def test_a_received_field_may_have_no_date(value: bytes) -> None:
    assert received_date(value) is None
