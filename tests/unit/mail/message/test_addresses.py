"""Address lists, well-formed and not."""

import pytest

from mail.message.addresses import MOST, parse_addresses

Pair = tuple[str | None, str | None]


def pairs(value: str | bytes) -> list[Pair]:
    """Name and email of all addresses of a list."""
    octets = value.encode() if isinstance(value, str) else value
    return [
        (address["name"], address["email"])
        for group in parse_addresses(octets)
        for address in group.addresses
    ]


def groups(value: str) -> list[tuple[str | None, list[str | None]]]:
    """Name and emails of all groups of a list."""
    return [
        (group.name, [address["email"] for address in group.addresses])
        for group in parse_addresses(value.encode())
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" alice@north.example", [(None, "alice@north.example")]),
        (" <alice@north.example>", [(None, "alice@north.example")]),
        (" Alice A. Adams <alice@north.example>", [("Alice A. Adams", "alice@north.example")]),
        (' "  Adams,\r\n Alice " <a@b>, Bob <b@c>', [("Adams, Alice", "a@b"), ("Bob", "b@c")]),
        (' "" <a@b>', [(None, "a@b")]),
        (' "a \\"b\\" \\\\" <a@b>', [('a "b" \\', "a@b")]),
        (' A "B  C" D <a@b>', [("A B  C D", "a@b")]),
        (" a@b (Alice (of) Adams)", [("Alice (of) Adams", "a@b")]),
        (" <a@b> (Alice \\) Adams)", [("Alice ) Adams", "a@b")]),
        (" a@b (=?utf-8?q?Z=C3=B6e?=)", [("Zöe", "a@b")]),
        (" a@b ()", [(None, "a@b")]),
        (" Alice (comment) <a@b>", [("Alice", "a@b")]),
        (" (comment) a@b, (comment) <c@d>", [(None, "a@b"), (None, "c@d")]),
        (' "john doe"@north.example', [(None, '"john doe"@north.example')]),
        (' J <"john doe" @ north . example>', [("J", '"john doe"@north.example')]),
        (" a@[127.0.0.1]", [(None, "a@[127.0.0.1]")]),
        (" <@x,@y:a@b>", [(None, "a@b")]),
        (" Zoë <zoë@exämple.org>", [("Zoë", "zoë@exämple.org")]),
        (" Zoe\u0308 <a@b>", [("Zoë", "a@b")]),
        ("", []),
        (" , ,", []),
        (' <>, "" <>, a@b', [(None, "a@b")]),
        (' "Nobody" <>', [("Nobody", "")]),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.3")
def test_mailboxes(value: str, expected: list[Pair]) -> None:
    assert pairs(value) == expected


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (" =?utf-8?q?Z=C3=B6e?= <a@b>", "Zöe"),
        (" =?utf-8?q?Z=C3=B6e?=\r\n =?utf-8?q?_B?= <a@b>", "Zöe B"),
        (" =?utf-8?q?Adams,_Z=C3=B6e?= <a@b>", "Adams, Zöe"),
        (' "x" =?utf-8?q?y?= <a@b>', "x y"),
        (' =?utf-8?q?y?= "x" <a@b>', "y x"),
        (' "=?utf-8?q?y?=" <a@b>', "=?utf-8?q?y?="),
        (' "x"=?utf-8?q?y?= <a@b>', "x=?utf-8?q?y?="),
        (' =?utf-8?q?y?="x" <a@b>', "=?utf-8?q?y?=x"),
        (" =?utf-8?q?y?=<a@b>", "=?utf-8?q?y?="),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.3")
def test_encoded_words_in_names_need_space_around_them(value: str, name: str) -> None:
    assert pairs(value) == [(name, "a@b")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Alice", [(None, "Alice")]),
        (" Alice Adams", [(None, "Alice Adams")]),
        (" Alice <>", [("Alice", "")]),
        (" a@b; c@d", [(None, "a@b"), (None, "c@d")]),
        (" <a@b> <c@d>", [(None, "a@b"), (None, "c@d")]),
        (" A <a@b> C <c@d>", [("A", "a@b"), ("C", "c@d")]),
        (" <<a@b>>", [(None, "a@b")]),
        (' "Alice <a@b>', [("Alice", "a@b")]),
        (' "Alice <a@b>, "Bob" <b@c>', [("Alice <a@b>,Bob", "b@c")]),
        (' A " <a@b>', [("A", "a@b")]),
        (' "A" x"y <a@b>', [("A xy", "a@b")]),
        (" Alice (open <a@b>", [("Alice open", "a@b")]),
        (" (a) (open ( <a@b>", [("open", "a@b")]),
        (" <a@b", [(None, "a@b")]),
        (" A <a@b, C <c@d>", [("A", "a@b"), ("C", "c@d")]),
        (" <undisclosed:;@x>", [(None, "undisclosed:;@x")]),
        (" ]a[ <a@b>", [("a", "a@b")]),
        (" A\\,B <a@b>", [("A,B", "a@b")]),
        (" > a@b", [(None, "a@b")]),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.3")
def test_damaged_lists_are_read_as_well_as_they_can_be(value: str, expected: list[Pair]) -> None:
    assert pairs(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" a@b, c@d", [(None, ["a@b", "c@d"])]),
        (" undisclosed-recipients:;", [("undisclosed-recipients", [])]),
        (
            " a@b, Friends: c@d, e@f;, g@h, i@j",
            [(None, ["a@b"]), ("Friends", ["c@d", "e@f"]), (None, ["g@h", "i@j"])],
        ),
        (' "My Friends" : a@b', [("My Friends", ["a@b"])]),
        (" A: a@b; B: c@d;", [("A", ["a@b"]), ("B", ["c@d"])]),
        (" A: B: a@b;", [("A", []), ("B", ["a@b"])]),
        (" : a@b;", [("", ["a@b"])]),
        (" =?utf-8?q?Fr=C3=BC?= : a@b;", [("Frü", ["a@b"])]),
        ("", []),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.4")
def test_groups(value: str, expected: list[tuple[str | None, list[str | None]]]) -> None:
    assert groups(value) == expected


@pytest.mark.rfc("8621", "4.1.2.3")
def test_octets_that_are_no_utf_8_are_replaced() -> None:
    assert pairs(b" Zo\xeb <a@b>") == [("Zo�", "a@b")]


@pytest.mark.parametrize("each", ["a@b,", "A <a@b>,", "g:;", "x y,", "<a@b> "])
def test_addresses_and_groups_of_one_field_are_limited(each: str) -> None:
    found = parse_addresses(each.encode() * (MOST + 10))
    assert max(len(found), sum(len(group.addresses) for group in found)) in (MOST, MOST + 1)
