"""Header fields from the forms of RFC 8621 §4.1.2, and read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.compose_fields import header_field, moment_value
from mail.message.compose_words import ComposeError
from mail.message.headers import FORMS

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=100)
ADDRESS = st.fixed_dictionaries(
    {
        "name": st.one_of(st.none(), TEXT),
        "email": st.sampled_from(
            ["a@b.example", "joe smith", "", "jörg@bücher.example", '"a b"@c.example', "x" * 60]
        ),
    }
)


def made(form: str, value: Any, name: str = "X-Field") -> str:
    field = header_field(name, form, value)
    assert field is not None
    assert field[0] == name
    assert max(len(line.encode()) for line in f"{name}:{field[1]}".split("\r\n")) <= 998
    return field[1]


def read(form: str, value: Any) -> Any:
    return FORMS[form](made(form, value).encode())


def stripped(name: str | None) -> str | None:
    return None if name is None else normalize("NFC", name.strip()).strip() or None


@pytest.mark.rfc("8621", "4.1.2.3")
@given(st.lists(ADDRESS, min_size=1, max_size=8))
def test_addresses_are_read_again(addresses: list[dict[str, str | None]]) -> None:
    expected = [{"name": stripped(each["name"]), "email": each["email"]} for each in addresses]
    expected = [each for each in expected if each["name"] or each["email"]]
    if expected:
        assert read("asAddresses", addresses) == expected
    else:
        assert header_field("To", "asAddresses", addresses) is None


@pytest.mark.rfc("8621", "4.1.2.4")
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.one_of(st.none(), TEXT),
                "addresses": st.lists(ADDRESS.filter(lambda each: each["email"] != ""), max_size=3),
            }
        ),
        max_size=4,
    )
)
def test_groups_are_read_again(groups: list[dict[str, Any]]) -> None:
    expected: list[dict[str, Any]] = []
    for group in groups:
        members = [{"name": stripped(each["name"]), "email": each["email"]} for each in group["addresses"]]
        if group["name"] is not None:
            expected.append({"name": stripped(group["name"]) or "", "addresses": members})
        elif members and expected and expected[-1]["name"] is None:
            expected[-1]["addresses"] += members
        elif members:
            expected.append({"name": None, "addresses": members})
    if expected:
        assert read("asGroupedAddresses", groups) == expected
    else:
        assert header_field("To", "asGroupedAddresses", groups) is None


@pytest.mark.rfc("8621", "4.6")
@pytest.mark.parametrize(
    "email", ["a@b>, <c@d", "a, b", "a;b", "Bob <bob@x", 'a"b', "a\\b", "(a)", "x:y;", "<", ">"]
)
def test_no_address_becomes_two(email: str) -> None:
    assert len(read("asAddresses", [{"name": None, "email": email}])) == 1
    assert len(read("asAddresses", [{"name": "Somebody", "email": email}])) == 1


def test_how_addresses_are_written() -> None:
    addresses = [
        {"name": "Ann", "email": "ann@example.org"},
        {"name": None, "email": "bob@example.org"},
        {"email": "x y"},
    ]
    assert made("asAddresses", addresses) == " Ann <ann@example.org>, bob@example.org, <x y>"


def test_long_lists_are_folded() -> None:
    addresses = [{"name": "Jörg", "email": f"joerg{number}@example.org"} for number in range(20)]
    assert max(map(len, made("asAddresses", addresses, "To").split("\r\n"))) <= 76


@pytest.mark.rfc("8621", "4.1.2.5")
def test_message_ids_and_urls() -> None:
    ids = [f"{number}.{'x' * 40}@example.org" for number in range(5)]
    assert read("asMessageIds", ids) == ids
    urls = ["https://example.org/?a=b,c", "mailto:a@example.org?subject=unsubscribe"]
    assert (
        made("asURLs", urls)
        == " <https://example.org/?a=b,c>,\r\n <mailto:a@example.org?subject=unsubscribe>"
    )
    assert read("asURLs", urls) == urls


@pytest.mark.rfc("8621", "4.1.2.6")
@pytest.mark.parametrize(
    ("given_", "written", "shown"),
    [
        ("2014-10-30T14:12:00+08:00", " Thu, 30 Oct 2014 14:12:00 +0800", "2014-10-30T14:12:00+08:00"),
        ("2014-10-30T06:12:00Z", " Thu, 30 Oct 2014 06:12:00 +0000", "2014-10-30T06:12:00Z"),
        ("2014-10-30T06:12:00.5-00:30", " Thu, 30 Oct 2014 06:12:00 -0030", "2014-10-30T06:12:00-00:30"),
        ("2016-12-31T23:59:60Z", " Sat, 31 Dec 2016 23:59:59 +0000", "2016-12-31T23:59:59Z"),
    ],
)
def test_dates(given_: str, written: str, shown: str) -> None:
    assert made("asDate", given_) == written
    assert read("asDate", given_) == shown


@given(st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1)), st.integers(-720, 840))  # noqa: DTZ001
def test_any_date_is_read_again(moment: datetime, minutes: int) -> None:
    zone = UTC if minutes == 0 else timezone(timedelta(minutes=minutes))
    text = moment.replace(microsecond=0, tzinfo=zone).isoformat().replace("+00:00", "Z")
    assert read("asDate", text) == text


def test_the_moment_of_a_message() -> None:
    moment = datetime(2020, 11, 20, 10, 5, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert moment_value(moment) == " Fri, 20 Nov 2020 10:05:01 -0330"
    assert moment_value(moment.replace(tzinfo=None)) == " Fri, 20 Nov 2020 10:05:01 +0000"


@pytest.mark.rfc("8621", "4.1.2.1")
@pytest.mark.parametrize("value", ["", "x", " x", " a\r\n b", " Grüße\r\n\tund mehr", " a  "])
def test_raw_values_are_written_as_they_are(value: str) -> None:
    assert made("asRaw", value) == value


def test_a_raw_value_of_one_long_line_is_folded() -> None:
    value = " word" * 300 + "  "
    written = made("asRaw", value)
    assert written.replace("\r\n", "") == value.rstrip()


@pytest.mark.rfc("8621", "4.6")
@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("asRaw", " a\r\nBcc: x@example.org"),
        ("asRaw", " a\r\n"),
        ("asRaw", " a\r\n \r\n b"),
        ("asRaw", " a\r\n \r\nBcc: b"),
        ("asRaw", " a\n b"),
        ("asRaw", " a\rb"),
        ("asRaw", " a\0b"),
        ("asRaw", " a\x1bb"),
        ("asRaw", "x" * 1000),
        ("asText", "a\r\n b"),
        ("asAddresses", [{"name": "a\nb", "email": "a@b.example"}]),
        ("asAddresses", [{"name": "a", "email": "a@b\r\n.example"}]),
        ("asAddresses", [{"name": "a", "email": "a" * 451}]),
        ("asGroupedAddresses", [{"name": "a\rb", "addresses": []}]),
        ("asMessageIds", ["a b"]),
        ("asMessageIds", ["<a@b>"]),
        ("asMessageIds", [""]),
        ("asMessageIds", ["a\nb"]),
        ("asMessageIds", ["a" * 901]),
        ("asURLs", ["http://a> <b"]),
        ("asDate", "2020-02-30T00:00:00Z"),
        ("asDate", "yesterday"),
    ],
)
def test_what_no_field_can_say(form: str, value: Any) -> None:
    with pytest.raises(ComposeError):
        header_field("X-Field", form, value)


@pytest.mark.parametrize("form", ["asAddresses", "asGroupedAddresses", "asMessageIds", "asURLs"])
def test_an_empty_list_is_no_field(form: str) -> None:
    assert header_field("X-Field", form, []) is None


def test_text_is_written_as_words() -> None:
    assert made("asText", "Grüße") == " =?utf-8?q?Gr=C3=BC=C3=9Fe?="
