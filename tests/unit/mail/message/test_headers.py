"""Parsed forms of header fields, and properties that ask for them."""

import pytest

from mail.message.headers import (
    FORMS,
    MOST_PARSED,
    Effort,
    HeaderProperty,
    HeaderValues,
    as_addresses,
    as_grouped_addresses,
    as_message_ids,
    as_raw,
    as_text,
    as_urls,
    header_property,
    parse_header_property,
)


@pytest.mark.rfc("8621", "4.1.2.1")
def test_raw_is_all_but_the_last_line_end() -> None:
    assert as_raw(b" a\r\n\tb\x00\xff ") == " a\r\n\tb� "


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"   two\r\n words ", "two words "),
        (b"\ttab", "\ttab"),
        (b" =?utf-8?q?_a?=", " a"),
        (b" Gr\xc3\xbcn", "Grün"),
        (b" u\xcc\x88", "ü"),
        (b"", ""),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.2")
def test_text(value: bytes, text: str) -> None:
    assert as_text(value) == text


#: The example of RFC 8621 §4.1.2.3 and §4.1.2.4.
EXAMPLE = (
    b'   "  James Smythe" <james@example.com>, Friends:\r\n'
    b"   jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n   <john@example.com>;"
)


@pytest.mark.rfc("8621", "4.1.2.3")
def test_addresses_of_the_rfcs_example() -> None:
    assert as_addresses(EXAMPLE) == [
        {"name": "James Smythe", "email": "james@example.com"},
        {"name": None, "email": "jane@example.com"},
        {"name": "John Smîth", "email": "john@example.com"},
    ]


def test_addresses_without_groups() -> None:
    assert as_addresses(b" a@b") == [{"name": None, "email": "a@b"}]


@pytest.mark.rfc("8621", "4.1.2.4")
def test_grouped_addresses_of_the_rfcs_example() -> None:
    assert as_grouped_addresses(EXAMPLE) == [
        {"name": None, "addresses": [{"name": "James Smythe", "email": "james@example.com"}]},
        {
            "name": "Friends",
            "addresses": [
                {"name": None, "email": "jane@example.com"},
                {"name": "John Smîth", "email": "john@example.com"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (b" <a@b>", ["a@b"]),
        (b" <a@b>\r\n\t<c@d><e@f>", ["a@b", "c@d", "e@f"]),
        (b" (x <no@no>) <a@b> (y (<no@no>) z)", ["a@b"]),
        (b" <a(1)@b> (c)", ["a(1)@b"]),
        (b" < a@\r\n b >", ["a@b"]),
        (b" Your message of today <a@b>", ["a@b"]),
        (b" (open <a@b>", ["a@b"]),
        (b" ) <a@b> \\( (c)", ["a@b"]),
        (b" <a@b <c@d>", ["c@d"]),
        (b' <"a b\\"> c"@d>', ['"a b\\"> c"@d']),
        (b' "About <x@y>" <a@b>', ["a@b"]),
        (b' <"a"@b', None),
        (b' "open <a@b>', ["a@b"]),
        (b" <>", None),
        (b" a@b", None),
        (b"", None),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.5")
def test_message_ids(value: bytes, ids: list[str] | None) -> None:
    assert as_message_ids(value) == ids


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        (
            b" <ftp://ftp.example/list.txt> (FTP),\r\n <mailto:list@example?subject=help>",
            ["ftp://ftp.example/list.txt", "mailto:list@example?subject=help"],
        ),
        (b" <https://example/a\r\n b>", ["https://example/ab"]),
        (b" NO (posting not allowed on this list)", None),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.7")
def test_urls(value: bytes, urls: list[str] | None) -> None:
    assert as_urls(value) == urls


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("header:Subject", HeaderProperty("Subject", "asRaw", False)),
        ("header:subject:asText", HeaderProperty("subject", "asText", False)),
        ("header:Received:all", HeaderProperty("Received", "asRaw", True)),
        ("header:Resent-To:asAddresses:all", HeaderProperty("Resent-To", "asAddresses", True)),
        ("header:X-Own:asURLs", HeaderProperty("X-Own", "asURLs", False)),
        ("header:List-Id:asText", HeaderProperty("List-Id", "asText", False)),
        ("header:all:all", HeaderProperty("all", "asRaw", True)),
    ],
)
@pytest.mark.rfc("8621", "4.1.3")
def test_property_names(text: str, wanted: HeaderProperty) -> None:
    assert parse_header_property(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "subject",
        "header:",
        "header:Sub ject",
        "header:Sübject",
        "header:Subject:",
        "header:Subject:asNothing",
        "header:Subject:astext",
        "header:Subject:all:asText",
        "header:Subject:asText:All",
        "header:Subject:asText:all:all",
        "Header:Subject",
    ],
)
@pytest.mark.rfc("8621", "4.1.3")
def test_what_is_no_header_property(text: str) -> None:
    with pytest.raises(ValueError, match="header field"):
        parse_header_property(text)


ALLOWED = {
    "Subject Comments Keywords": {"asText"},
    "From Sender Reply-To To Cc Bcc": {"asAddresses", "asGroupedAddresses"},
    "Resent-From Resent-Sender Resent-Reply-To Resent-To Resent-Cc Resent-Bcc": {
        "asAddresses",
        "asGroupedAddresses",
    },
    "Message-ID In-Reply-To References Resent-Message-ID": {"asMessageIds"},
    "Date Resent-Date": {"asDate"},
    "List-Help List-Unsubscribe List-Subscribe List-Post List-Owner List-Archive": {"asURLs"},
    "Return-Path Received": set(),
    "List-Id X-Anything": set(FORMS),
}


@pytest.mark.parametrize(
    ("name", "forms"), [(name, forms) for names, forms in ALLOWED.items() for name in names.split()]
)
@pytest.mark.rfc("8621", "4.1.2")
def test_forms_that_a_field_may_be_fetched_in(name: str, forms: set[str]) -> None:
    accepted = set()
    for form in FORMS:
        try:
            parse_header_property(f"header:{name.lower()}:{form}")
        except ValueError:
            continue
        accepted.add(form)
    assert accepted == forms | {"asRaw"}


HEADERS = [("X-One", b" 1"), ("x-one", b" 2"), ("Subject", b" s")]


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (HeaderProperty("X-ONE"), " 2"),
        (HeaderProperty("X-One", "asText"), "2"),
        (HeaderProperty("x-one", "asText", all=True), ["1", "2"]),
        (HeaderProperty("x-one", all=True), [" 1", " 2"]),
        (HeaderProperty("X-Two"), None),
        (HeaderProperty("X-Two", all=True), []),
    ],
)
@pytest.mark.rfc("8621", "4.1.3")
def test_values_of_header_properties(wanted: HeaderProperty, value: object) -> None:
    assert header_property(HEADERS, wanted) == value


def test_what_is_parsed_of_many_instances_is_bounded() -> None:
    headers = [("X", b"a" * 200_000)] * 3
    texts = header_property(headers, HeaderProperty("X", "asText", all=True))
    assert [len(text) for text in texts] == [200_000, 62_144, 0]
    assert [len(text) for text in header_property(headers, HeaderProperty("X", all=True))] == [200_000] * 3


def test_a_property_is_parsed_once_in_whatever_case_it_is_asked_for() -> None:
    effort = Effort()
    values = HeaderValues([("X", b" a@b")], effort)
    for name in ("x", "X", "x"):
        assert values.get(HeaderProperty(name, "asAddresses")) == [{"name": None, "email": "a@b"}]
    assert effort.left == MOST_PARSED - 4


def test_what_all_properties_together_parse_is_bounded() -> None:
    values = HeaderValues([(f"X{n}", b"x" * 200_000) for n in range(4)], Effort())
    lengths = [len(values.get(HeaderProperty(f"X{n}", "asText"))) for n in range(4)]
    assert lengths == [200_000, 200_000, MOST_PARSED - 400_000, 0]
    assert len(values.get(HeaderProperty("X3"))) == 200_000
