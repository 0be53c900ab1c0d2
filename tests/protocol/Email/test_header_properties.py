"""Header fields as properties of Email/get (RFC 8621 §4.1.2, §4.1.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, get
from tests.support.cast import Cast
from tests.support.client import JMAPClient

RAW = (
    "From: Zo\u00eb <zo\u00eb@example.org>\r\nTo: Team: ann@example.org, Bob <bob@example.org>;, carl@example.org\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Note: one\r\nX-Note: two\r\nX-Nul: a\0b\r\n"
    "Message-ID: <1@example.org>\r\nReferences: <2@example.org> <3@example.org>\r\n"
    "Date: Fri, 20 Nov 2020 10:00:00 +0100\r\nResent-Date: Sat, 21 Nov 2020 10:00:00 +0000\r\n"
    "List-Post: <mailto:list@example.org> (all of us)\r\n\r\nText\r\n"
).encode()

ZOE = {"name": "Zo\u00eb", "email": "zo\u00eb@example.org"}
ANN, BOB, CARL = (
    {"name": None, "email": "ann@example.org"},
    {"name": "Bob", "email": "bob@example.org"},
    {"name": None, "email": "carl@example.org"},
)


@pytest.mark.rfc("8621", "4.1.3")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("header:X-Note", " two", marks=pytest.mark.rfc("8621", "4.1.2.1")),
        ("header:X-Note:all", [" one", " two"]),
        ("header:X-Note:asText:all", ["one", "two"]),
        pytest.param("header:X-Nul:asRaw", " ab", marks=pytest.mark.rfc("8621", "4.1.2.1")),
        pytest.param("header:Subject:asText", "Gr\u00fc\u00dfe", marks=pytest.mark.rfc("8621", "4.1.2.2")),
        pytest.param("header:From:asAddresses", [ZOE], marks=pytest.mark.rfc("8621", "4.1.2.3")),
        pytest.param("header:To:asAddresses", [ANN, BOB, CARL], marks=pytest.mark.rfc("8621", "4.1.2.3")),
        pytest.param(
            "header:To:asGroupedAddresses",
            [{"name": "Team", "addresses": [ANN, BOB]}, {"name": None, "addresses": [CARL]}],
            marks=pytest.mark.rfc("8621", "4.1.2.4"),
        ),
        pytest.param(
            "header:References:asMessageIds",
            ["2@example.org", "3@example.org"],
            marks=pytest.mark.rfc("8621", "4.1.2.5"),
        ),
        pytest.param(
            "header:Date:asDate", "2020-11-20T10:00:00+01:00", marks=pytest.mark.rfc("8621", "4.1.2.6")
        ),
        pytest.param(
            "header:Resent-Date:asDate", "2020-11-21T10:00:00Z", marks=pytest.mark.rfc("8621", "4.1.2.6")
        ),
        pytest.param(
            "header:List-Post:asURLs", ["mailto:list@example.org"], marks=pytest.mark.rfc("8621", "4.1.2.7")
        ),
        ("header:X-Nobody", None),
        ("header:X-Nobody:asAddresses", None),
        ("header:X-Nobody:asText:all", []),
    ],
)
def test_a_field_in_each_form(cast: Cast, name: str, value: Any) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, RAW)
    assert get(client, email_id, name) == {"id": email_id, name: value}


@pytest.mark.rfc("8621", "4.2")
@pytest.mark.parametrize(
    "name", ["header:SUBJECT:asText", "header:subject:asText", "header:sUBJECT", "header:x-NOTE:all"]
)
def test_the_capitals_of_the_request_come_back(cast: Cast, name: str) -> None:
    client = JMAPClient(cast.alice)
    assert get(client, add(client, RAW), name).keys() == {"id", name}


@pytest.mark.rfc("8621", "4.8")
def test_internationalised_fields_are_read(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = get(client, add(client, RAW), "from", "subject")
    assert (email["from"], email["subject"]) == ([ZOE], "Gr\u00fc\u00dfe")
