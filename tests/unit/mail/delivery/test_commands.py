"""Command lines of LMTP, well and badly formed."""

from __future__ import annotations

import pytest

from mail.delivery.commands import (
    LONGEST_LINE,
    Command,
    CommandError,
    Sender,
    parse_command,
    parse_host,
    parse_recipient,
    parse_sender,
)


def refusal(parse: object, *arguments: object, **keywords: object) -> str:
    """The code and the status with which something is refused."""
    with pytest.raises(CommandError) as caught:
        parse(*arguments, **keywords)  # type: ignore[operator]
    return str(caught.value.reply)[:9]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"QUIT\r\n", Command("QUIT", "")),
        (b"quit \r\n", Command("QUIT", "")),
        (b"lhlo  mail.example\r\n", Command("LHLO", "mail.example")),
        ("RCPT TO:<zoë@example>\r\n".encode(), Command("RCPT", "TO:<zoë@example>")),
        (b"\r\n", Command("", "")),
    ],
)
def test_a_command_is_a_verb_and_an_argument(line: bytes, command: Command) -> None:
    assert parse_command(line) == command


@pytest.mark.rfc("5321", "2.3.8")
@pytest.mark.parametrize(
    "line",
    [
        b"QUIT\n",
        b"QUIT\r",
        b"NOOP \r\r\n",
        b"NOOP a\rMAIL FROM:<a@example>\r\n",
        b"NOOP \0\r\n",
        b"NOOP \x7f\r\n",
        b"NOOP \xff\r\n",
        b"NOOP " + b"x" * LONGEST_LINE + b"\r\n",
        b"",
    ],
)
def test_only_crlf_ends_a_command_and_nothing_else_is_in_it(line: bytes) -> None:
    assert refusal(parse_command, line) == "500 5.5.2"


@pytest.mark.parametrize(
    "name", ["mail.example", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]", "my_host"]
)
def test_names_of_hosts(name: str) -> None:
    assert parse_host(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a(b)", "a;b", "<a>", "ü.example", "[a", "-a", "x" * 300])
def test_what_is_no_name_of_a_host(name: str) -> None:
    assert refusal(parse_host, name) == "501 5.5.4"


@pytest.mark.parametrize(
    ("argument", "sender"),
    [
        ("FROM:<>", Sender("")),
        ("from:<a@example>", Sender("a@example")),
        ("FROM: <a@example> ", Sender("a@example")),
        ("FROM:<@x.example,@y.example:a@example>", Sender("a@example")),
        ('FROM:<"a b"@example>', Sender('"a b"@example')),
        ('FROM:<"a\\"b"@example>', Sender('"a\\"b"@example')),
        ("FROM:<a..b@[192.0.2.1]>", Sender("a..b@[192.0.2.1]")),
        ("FROM:<MAILER-DAEMON>", Sender("MAILER-DAEMON")),
        ("FROM:<a@example> SIZE=100 BODY=8BITMIME", Sender("a@example", 100)),
        ("FROM:<a@example> size=100 body=7bit smtputf8", Sender("a@example", 100, True)),
        ("FROM:<zoë@bücher.example> SMTPUTF8", Sender("zoë@bücher.example", None, True)),
        ("FROM:<a@example> SIZE=99999999999999999999", Sender("a@example", 99999999999999999999)),
    ],
)
def test_senders(argument: str, sender: Sender) -> None:
    assert parse_sender(argument) == sender


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", "501 5.5.4"),
        ("TO:<a@example>", "501 5.5.4"),
        ("FROM", "501 5.5.4"),
        ("FROM:", "553 5.1.7"),
        ("FROM:a@example", "553 5.1.7"),
        ("FROM:<a@example", "553 5.1.7"),
        ("FROM:<a@example>>", "553 5.1.7"),
        ("FROM:<a b@example>", "553 5.1.7"),
        ("FROM:<a@b@example>", "553 5.1.7"),
        ("FROM:<@example>", "553 5.1.7"),
        ("FROM:<a@example>SIZE=1", "553 5.1.7"),
        ("FROM:<a\u2028b@example> SMTPUTF8", "553 5.1.7"),
        ("FROM:<a\x85b@example> SMTPUTF8", "553 5.1.7"),
        (f"FROM:<{'a' * 400}@example>", "553 5.1.7"),
        ("FROM:<zoë@example>", "553 5.6.7"),
        ("FROM:<a@example> SIZE", "501 5.5.4"),
        ("FROM:<a@example> SIZE=", "501 5.5.4"),
        ("FROM:<a@example> SIZE=x", "501 5.5.4"),
        ("FROM:<a@example> SIZE=-1", "501 5.5.4"),
        ("FROM:<a@example> SIZE=²", "501 5.5.4"),
        ("FROM:<a@example> SIZE=1 SIZE=1", "501 5.5.4"),
        ("FROM:<a@example> SIZE=999999999999999999999", "501 5.5.4"),
        ("FROM:<a@example> BODY=BINARYMIME", "501 5.5.4"),
        ("FROM:<a@example> BODY", "501 5.5.4"),
        ("FROM:<a@example> SMTPUTF8=1", "501 5.5.4"),
        ("FROM:<a@example> =1", "501 5.5.4"),
        ("FROM:<a@example> AUTH=<>", "555 5.5.4"),
        ("FROM:<a@example> RET=HDRS", "555 5.5.4"),
    ],
)
def test_what_is_no_sender(argument: str, reply: str) -> None:
    assert refusal(parse_sender, argument) == reply


@pytest.mark.parametrize("argument", ["TO:<a@example>", "to: <a@example>", "TO:<@x.example:a@example>"])
def test_recipients(argument: str) -> None:
    assert parse_recipient(argument, is_utf8=False) == "a@example"


@pytest.mark.rfc("6531", "3.5")
def test_an_address_that_is_not_ascii_needs_smtputf8() -> None:
    assert refusal(parse_recipient, "TO:<zoë@example>", is_utf8=False) == "553 5.6.7"
    assert parse_recipient("TO:<zoë@example>", is_utf8=True) == "zoë@example"


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("FROM:<a@example>", "501 5.5.4"),
        ("TO:<>", "553 5.1.3"),
        ("TO:a@example", "553 5.1.3"),
        ("TO:<a@example> <b@example>", "501 5.5.4"),
        ("TO:<a@example> NOTIFY=NEVER", "555 5.5.4"),
        ("TO:<a@example> X", "555 5.5.4"),
    ],
)
def test_what_is_no_recipient(argument: str, reply: str) -> None:
    assert refusal(parse_recipient, argument, is_utf8=False) == reply
