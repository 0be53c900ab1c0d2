"""What needs neither a database nor a relay: replies, addresses of relays, messages as they leave, notifications."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.originators import originators
from mail.message.scan import header_section
from mail.outbound.outgoing import outgoing, with_crlf
from mail.outbound.relay_address import Relay, Security, parse_relay
from mail.outbound.replies import Answer, answer_of
from mail.outbound.reports import Occasion, Reported, make_report, wanted
from mail.submissions import is_token, new_token, return_address, token_of_address

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize(
    ("code", "lines", "text"),
    [
        (550, ["5.7.1 Our system has detected that this message is", "5.7.1 likely spam."],
         "550 5.7.1 Our system has detected that this message is likely spam."),
        (250, ["OK"], "250 OK"),
        (451, ["4.2.0 One", "two", "4.2.0 three"], "451 4.2.0 One two three"),
        (550, [b"5.1.1 <b\xc3\xbc@x>\tno\x00", b""], "550 5.1.1 <bü@x> no"),
        (-1, ["what"], "451 what"),
        (999, [], "451"),
    ],
)  # fmt: skip
def test_replies_become_one_line(code: int, lines: list[str | bytes], text: str) -> None:
    assert str(answer_of(code, lines)) == text


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Answer(550, "5.1.1 No"), "5.1.1"), (Answer(451, "No"), "4.0.0"), (Answer(250, ""), "2.0.0")],
)
def test_a_status_is_found_or_made(answer: Answer, status: str) -> None:
    assert answer.status == status


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("", None),
        ("smtp://mail.example.org", Relay("mail.example.org", 25)),
        ("smtp://[::1]:2525", Relay("::1", 2525)),
        ("smtps://me:p%40ss@mail.example.org", Relay("mail.example.org", 465, Security.TLS, "me", "p@ss")),
        ("smtp+starttls://me:x@h.example:26", Relay("h.example", 26, Security.STARTTLS, "me", "x")),
        ("smtp://me:x@localhost", Relay("localhost", 25, Security.NONE, "me", "x")),
    ],
)
def test_addresses_of_relays(url: str, relay: Relay | None) -> None:
    assert parse_relay(url) == relay


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mail.example.org", "it begins with"),
        ("smtp://", "a host"),
        ("smtp://h.example/x", "a host"),
        ("smtps://me@h.example", "a user name comes with"),
        ("smtp://me:secret@h.example", "others could read it"),
        ("smtp://h.example:99999", "Port"),
    ],
)
def test_what_is_no_address_of_a_relay(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_relay(url)


def test_a_password_is_in_no_name() -> None:
    relay = parse_relay("smtps://me:secret@h.example")
    assert relay is not None
    assert relay.name == "smtps://h.example:465"
    assert "secret" not in repr(relay)


def leave(raw: bytes) -> bytes:
    return outgoing(
        raw, domain="x.example", moment=NOON, token="t", receipt_address=lambda address: f"re-{address}"
    ).octets


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        (b"Date: d\nMessage-Id: <m>\nBCC: a,\n b\nTo: c\n\nBcc: body\n",
         b"Date: d\r\nMessage-Id: <m>\r\nTo: c\r\n\r\nBcc: body\r\n"),
        (b"Date: d\r\nMessage-ID: <m>\r\nReturn-Path: <x>\r\nResent-Bcc: b\r\n\r\n", b"Date: d\r\nMessage-ID: <m>\r\n\r\n"),
        (b"Date: d\r\nMessage-ID: <m>", b"Date: d\r\nMessage-ID: <m>\r\n\r\n"),
        (b"Date: d\r\nMessage-ID: <m>\r\nX: a\rFrom: ceo@v\r\r\nY: b\r\n\r\nx\ry",
         b"Date: d\r\nMessage-ID: <m>\r\nX: aFrom: ceo@v\r\nY: b\r\n\r\nx\r\ny"),
        (b"Date: d\r\nMessage-ID: <m>\r\ndisposition-notification-to: A <a@b>\r\n\r\nx",
         b"Date: d\r\nMessage-ID: <m>\r\ndisposition-notification-to: A <re-a@b>\r\n\r\nx"),
        (b"From x@y Mon\nDate: d\r\nMessage-ID : <m>\r\nX: a\r\n \r\nno field\r\nFrom: ceo@v\r\n\r\n",
         b"Date: d\r\nMessage-ID: <m>\r\nX: a\r\n\r\nno field\r\nFrom: ceo@v\r\n\r\n"),
        (b"Date: d\r\nMessage-ID: <m>\r\nDisposition-Notification-To: a@b, c@d\r\n\r\nx",
         b"Date: d\r\nMessage-ID: <m>\r\nDisposition-Notification-To: a@b, c@d\r\n\r\nx"),
    ],
)  # fmt: skip
def test_messages_as_they_leave(raw: bytes, sent: bytes) -> None:
    assert leave(raw) == sent


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\nbody", b"To: x\r\n\r\nbody"])
def test_what_is_missing_is_added_to_the_header(raw: bytes) -> None:
    head, _, body = leave(raw).partition(b"\r\n\r\n")
    assert head.count(b"Date: ") == head.count(b"Message-ID: <") == 1
    assert body == (b"body" if b"body" in raw else b"")


@given(st.binary(max_size=200))
def test_no_line_end_but_crlf_is_left(raw: bytes) -> None:
    sent = leave(raw)
    assert sent.count(b"\r") == sent.count(b"\n") == sent.count(b"\r\n")
    assert with_crlf(sent) == sent


@given(
    st.lists(
        st.sampled_from(
            [b"Bcc: a\r\n", b" b\r\n", b"\r\n", b"To: c\r\n", b"\r", b"\n", b"Bcc", b"\t\r\n", b":"]
        )
    )
)
def test_no_bcc_is_left_in_any_header(pieces: list[bytes]) -> None:
    made = outgoing(
        b"".join(pieces), domain="x.example", moment=NOON, token="t", receipt_address=lambda address: None
    )
    names = [line.partition(b":")[0].strip().lower() for line in made.header.split(b"\r\n") if b":" in line]
    assert b"bcc" not in names
    assert made.header.endswith(b"\r\n")
    assert made.octets.startswith(made.header)


PIECES = [
    b"From: a@x",
    b"From : b@x",
    b"\r\n",
    b"\r",
    b"\n",
    b" ",
    b"\t",
    b"\0",
    b"no field",
    b":",
    b"Sender: c@x",
    b",",
    b"--x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_who_was_judged_is_who_is_sent(pieces: list[bytes]) -> None:
    """Whatever ends lines and headers for others: what leaves is from whom the submission was checked for."""
    raw = b"".join(pieces)
    before, _ = header_section(raw)
    made = outgoing(raw, domain="x.example", moment=NOON, token="t", receipt_address=lambda address: None)
    after, _ = header_section(made.octets)
    strict = [
        line.partition(b":")[0].lower() for line in made.header.split(b"\r\n") if line[:1] not in b" \t"
    ]
    assert originators(after) == originators(before)
    assert strict.count(b"from") == len(originators(before).from_)
    assert strict.count(b"sender") == len(originators(before).sender)
    assert made.header.count(b"\r\n\r\n") == 1 or made.header == b"\r\n"


def test_tokens_come_back_in_any_spelling() -> None:
    token = new_token()
    assert is_token(token)
    made = return_address("Alice+News@Bücher.example", token)
    assert made == f"alice+news+re-{token}@xn--bcher-kva.example"
    assert token_of_address(made.upper()) == token
    assert return_address("a" * 60 + "@x.example", token) is None
    assert return_address("", token) is None
    for strange in ("alice@x.example", "alice+re-short@x.example", "", "x"):
        assert token_of_address(strange) is None


@pytest.mark.rfc("3461", "4.1")
@pytest.mark.parametrize(
    ("action", "notify", "is_wanted"),
    [
        ("failed", None, True), ("failed", "never", False), ("failed", "failure", True), ("failed", "DELAY", False),
        ("delayed", None, False), ("delayed", "SUCCESS,DELAY", True), ("relayed", "SUCCESS", True),
        ("delivered", None, False), ("delivered", "success", True),
    ],
)  # fmt: skip
def test_what_senders_want_to_hear(action: str, notify: str | None, is_wanted: bool) -> None:
    assert wanted(action, notify) is is_wanted


def occasion(returned: str | None) -> Occasion:
    return Occasion("a@x.example", "h.example", "token", "token", NOON, NOON, NOON, None, returned)


@pytest.mark.rfc("3464", "2")
@pytest.mark.parametrize(
    ("returned", "address", "last"),
    [
        (None, "b@y.example", "message/rfc822"),
        ("FULL", "b@y.example", "message/rfc822"),
        ("hdrs", "b@y.example", "text/rfc822-headers"),
    ],
)
def test_a_notification_is_a_report(returned: str | None, address: str, last: str) -> None:
    message = outgoing(
        b"From: a@x.example\r\nSubject: Hi\r\n\r\nText",
        domain="x.example",
        moment=NOON,
        token="t",
        receipt_address=lambda each: None,
    )
    made = make_report(
        occasion(returned), [Reported(address, None, "failed", Answer(550, "5.1.1 No"))], message
    )
    assert b"Auto-Submitted: auto-replied\r\n" in made
    assert with_crlf(made) == made
    import email

    parsed = email.message_from_bytes(made)
    payload = parsed.get_payload()
    assert isinstance(payload, list)
    assert parsed.get_content_type() == "multipart/report"
    assert [each.get_content_type() for each in payload if not isinstance(each, str)] == [
        "text/plain",
        "message/delivery-status",
        last,
    ]
    assert (
        make_report(occasion(returned), [Reported(address, None, "failed", Answer(550, "5.1.1 No"))], message)
        == made
    )


@pytest.mark.rfc("6533", "4")
def test_an_international_address_makes_an_international_report() -> None:
    message = outgoing(
        b"Subject: \xc3\xbc\r\n\r\n",
        domain="x.example",
        moment=NOON,
        token="t",
        receipt_address=lambda each: None,
    )
    made = make_report(
        occasion("HDRS"), [Reported("jürgen@y.example", None, "failed", Answer(550, "5.1.1 No"))], message
    )
    assert b"Content-Type: message/global-delivery-status\r\n" in made
    assert "Final-Recipient: utf-8; jürgen@y.example\r\n".encode() in made
    assert b"Content-Type: message/global-headers\r\n" in made
