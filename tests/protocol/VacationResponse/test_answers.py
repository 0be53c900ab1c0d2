"""The answers of a VacationResponse (RFC 8621 §8, RFC 3834): who gets one, what it says, how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import provisioning
from jmapcore.protocol.wire import format_utc
from jmapcore.store.database import connection
from jmapcore.store.write import account_write
from mail.delivery.deliver import deliver
from mail.message.scan import scan
from mail.vacation import responding
from mail.vacation.tasks import forget_vacation_senders
from tests.support.cast import Cast, Person
from tests.support.client import JMAPClient
from tests.support.sent import Sent, sent_by

SENDER = "zoe@example.org"


def away(person: Person, **wanted: Any) -> None:
    """Let a person be away."""
    update = {"update": {"singleton": {"isEnabled": True, **wanted}}}
    answer = JMAPClient(person).call("VacationResponse/set", update)
    assert answer["notUpdated"] is None, answer


def mail(to: str, *, fields: str = "", subject: str = "Lunch", to_field: str = "To") -> bytes:
    """A message to an address; `fields` are further ones, each with its CRLF."""
    return (
        f"From: Zoe <{SENDER}>\r\n{to_field}: {to}\r\nSubject: {subject}\r\nMessage-ID: <m1@example.org>\r\n{fields}"
        "\r\nHello\r\n"
    ).encode()


def arrive(person: Person, raw: bytes | None = None, *, sender: str = SENDER, address: str = "") -> None:
    """Deliver a message for real."""
    raw = mail(person.address) if raw is None else raw
    [outcome] = deliver(raw, [address or person.address], return_path=sender)
    assert outcome.is_delivered, outcome


def only_answer(person: Person) -> Sent:
    [sent] = sent_by(person)
    return sent


def ago(**time: float) -> str:
    return format_utc(datetime.now(UTC) - timedelta(**time))


def later(**time: float) -> str:
    return format_utc(datetime.now(UTC) + timedelta(**time))


@pytest.mark.rfc("3834", "3.1")
@pytest.mark.rfc("3834", "3.3")
@pytest.mark.rfc("3834", "4")
@pytest.mark.rfc("8621", "8")
def test_an_answer_goes_to_the_return_path_from_nobody(cast: Cast) -> None:
    away(cast.alice, textBody="I am away.\nBack soon.")
    arrive(
        cast.alice, mail(cast.alice.address, fields="Reply-To: other@example.org\r\n"), sender="z@example.net"
    )
    sent = only_answer(cast.alice)
    message = sent.message
    assert (sent.sender, sent.recipients) == ("", ["z@example.net"])
    assert {name: str(message[name]) for name in ("From", "To", "Subject", "In-Reply-To", "References")} == {
        "From": f"Alice <{cast.alice.address}>",
        "To": "z@example.net",
        "Subject": "Auto: Lunch",
        "In-Reply-To": "<m1@example.org>",
        "References": "<m1@example.org>",
    }
    assert message["Auto-Submitted"] == "auto-replied"
    assert (message.get_content_type(), message.get_content()) == ("text/plain", "I am away.\r\nBack soon.")
    assert message["Date"]
    assert message["Message-ID"].endswith(f"@{cast.alice.address.partition('@')[2]}>")


@pytest.mark.rfc("8621", "8")
def test_text_and_html_are_alternatives_and_the_subject_is_the_users(cast: Cast) -> None:
    away(cast.alice, subject="Zoë ist weg", textBody="Weg.", htmlBody="<p>Weg.</p>")
    arrive(cast.alice)
    message = only_answer(cast.alice).message
    parts = [(part.get_content_type(), part.get_content().strip()) for part in message.iter_parts()]
    assert (message["Subject"], message.get_content_type()) == ("Zoë ist weg", "multipart/alternative")
    assert parts == [("text/plain", "Weg."), ("text/html", "<p>Weg.</p>")]


@pytest.mark.rfc("8621", "8")
def test_html_alone_gets_a_text_beside_it(cast: Cast) -> None:
    away(cast.alice, htmlBody="<p>I am <b>away</b>.</p>")
    arrive(cast.alice)
    parts = [part.get_content().strip() for part in only_answer(cast.alice).message.iter_parts()]
    assert parts == ["I am away.", "<p>I am <b>away</b>.</p>"]


@pytest.mark.rfc("3834", "3.1.5")
@pytest.mark.rfc("8621", "8")
def test_there_is_a_default_for_those_who_write_nothing(cast: Cast) -> None:
    away(cast.alice)
    arrive(cast.alice, mail(cast.alice.address, subject=""))
    message = only_answer(cast.alice).message
    assert (message["Subject"], message.get_content().strip()) == (
        "Auto: your message",
        "I am away at the moment, and will read your message when I am back.",
    )


@pytest.mark.rfc("3834", "3.1.6")
def test_references_go_on(cast: Cast) -> None:
    away(cast.alice)
    arrive(cast.alice, mail(cast.alice.address, fields="References: <m-1@example.org> <m0@example.org>\r\n"))
    assert (
        only_answer(cast.alice).message["References"] == "<m-1@example.org> <m0@example.org> <m1@example.org>"
    )


SILENT = {
    "list by its id": "List-Id: <lunch.example.org>\r\n",
    "list by its help": "List-Help: <mailto:x@example.org>\r\n",
    "list by its unsubscribing": "list-unsubscribe: <mailto:x@example.org>\r\n",
    "list of old": "Mailing-List: contact x@example.org\r\n",
    "bulk": "Precedence: bulk\r\n",
    "bulk of a list": "Precedence: LIST (really)\r\n",
    "bulk that is junk": "precedence: junk\r\n",
    "automatic": "Auto-Submitted: auto-generated\r\n",
    "automatic answer": "Auto-Submitted: auto-replied (vacation); owner-email=x\r\n",
    "automatic by a word of its own": "Auto-Submitted: (no) yes\r\n",
    "automatic for some hosts": "X-Auto-Response-Suppress: DR, OOF\r\n",
    "automatic for others": "X-Autoreply: yes\r\n",
    "report": "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
    "junk": "X-Spam-Flag: YES\r\n",
}


@pytest.mark.rfc("3834", "2")
@pytest.mark.rfc("8621", "8")
@pytest.mark.parametrize("fields", SILENT.values(), ids=SILENT)
def test_what_no_person_wrote_is_not_answered(cast: Cast, fields: str) -> None:
    away(cast.alice)
    arrive(cast.alice, mail(cast.alice.address, fields=fields))
    assert sent_by(cast.alice) == []


@pytest.mark.rfc("3834", "2")
@pytest.mark.parametrize(
    "fields",
    [
        "Auto-Submitted: no\r\n",
        "Auto-Submitted: No (a person)\r\n",
        "Precedence: normal\r\n",
        "X-Spam-Flag: NO\r\n",
    ],
)
def test_what_a_person_wrote_is_answered(cast: Cast, fields: str) -> None:
    away(cast.alice)
    arrive(cast.alice, mail(cast.alice.address, fields=fields))
    assert only_answer(cast.alice).recipients == [SENDER]


@pytest.mark.rfc("3834", "2")
@pytest.mark.rfc("8621", "8")
@pytest.mark.parametrize(
    "sender",
    [
        "",
        "MAILER-DAEMON@example.org",
        "owner-lunch@example.org",
        "lunch-request@example.org",
        "lunch-owner@example.org",
        "listserv@example.org",
        "majordomo@example.org",
        "bounces+alice=example.com@example.org",
        "lunch-bounces@example.org",
        "no-reply@example.org",
        "noreply+5@example.org",
        "DoNotReply@example.org",
        "postmaster@example.org",
        "zoe@[192.0.2.1]",
        "zoe",
    ],
)
def test_machines_and_bounces_are_not_answered(cast: Cast, sender: str) -> None:
    away(cast.alice)
    arrive(cast.alice, sender=sender)
    assert sent_by(cast.alice) == []


@pytest.mark.parametrize("sender", ["owen@example.org", "request@example.org", "noreplacement@example.org"])
def test_people_with_such_names_are(cast: Cast, sender: str) -> None:
    away(cast.alice)
    arrive(cast.alice, sender=sender)
    assert only_answer(cast.alice).recipients == [sender]


@pytest.mark.rfc("3834", "2")
@pytest.mark.rfc("8621", "8")
@pytest.mark.parametrize("field", ["To", "Cc", "Bcc"])
def test_the_user_must_be_addressed(cast: Cast, field: str) -> None:
    away(cast.alice)
    arrive(cast.alice, mail("others@example.org", to_field=field))
    assert sent_by(cast.alice) == []
    arrive(cast.alice, mail(f"others@example.org, Alice <{cast.alice.address.upper()}>", to_field=field))
    assert only_answer(cast.alice).recipients == [SENDER]


def test_the_answer_is_from_the_address_that_was_written_to(cast: Cast) -> None:
    alias = f"sales@{cast.alice.address.partition('@')[2]}"
    provisioning.add_alias(alias, cast.alice.account)
    away(cast.alice)
    arrive(cast.alice, mail(f"x@example.org, {alias}"), address=alias)
    detailed = cast.alice.address.replace("@", "+shop@")
    arrive(cast.alice, mail(detailed), address=detailed, sender="yan@example.org")
    assert [str(sent.message["From"]) for sent in sent_by(cast.alice)] == [
        f"Alice <{alias}>",
        f"Alice <{detailed}>",
    ]


@pytest.mark.rfc("3834", "2")
def test_nobody_answers_to_oneself(cast: Cast) -> None:
    away(cast.alice)
    arrive(cast.alice, sender=cast.alice.address)
    arrive(cast.alice, mail(cast.alice.address, subject="Two"), sender=cast.alice.address.replace("@", "+x@"))
    assert sent_by(cast.alice) == []


@pytest.mark.rfc("8621", "8")
@pytest.mark.parametrize(
    ("wanted", "answered"),
    [
        ({"isEnabled": False}, False),
        ({"fromDate": later(hours=1)}, False),
        ({"fromDate": ago(hours=1)}, True),
        ({"toDate": ago(hours=1)}, False),
        ({"toDate": later(hours=1)}, True),
        ({"fromDate": ago(hours=1), "toDate": later(hours=1)}, True),
        ({"fromDate": ago(hours=2), "toDate": ago(hours=1)}, False),
    ],
)
def test_it_is_sent_while_the_user_is_away(cast: Cast, wanted: dict[str, Any], answered: bool) -> None:
    away(cast.alice, **wanted)
    arrive(cast.alice)
    assert len(sent_by(cast.alice)) == int(answered)


@pytest.mark.rfc("3834", "2")
@pytest.mark.rfc("8621", "8")
def test_nobody_is_told_twice_within_seven_days(cast: Cast) -> None:
    away(cast.alice)
    for number, sender in enumerate([SENDER, SENDER.upper(), SENDER, "yan@example.org"]):
        arrive(cast.alice, mail(cast.alice.address, subject=f"Lunch {number}"), sender=sender)
    assert [sent.recipients for sent in sent_by(cast.alice)] == [[SENDER], ["yan@example.org"]]


def age(person: Person, **time: float) -> None:
    """Let all answers be so much older."""
    sql = "UPDATE vacation_sender SET answered_at = answered_at - %s WHERE account_id = %s"
    with connection() as lent, account_write(person.account.pk, lent) as write:
        write.execute(sql, (timedelta(**time), person.account.pk))


def test_after_seven_days_they_are_told_again(cast: Cast) -> None:
    away(cast.alice)
    arrive(cast.alice)
    age(cast.alice, days=6, hours=23)
    arrive(cast.alice, mail(cast.alice.address, subject="Two"))
    assert len(sent_by(cast.alice)) == 1
    age(cast.alice, hours=2)
    arrive(cast.alice, mail(cast.alice.address, subject="Three"))
    assert len(sent_by(cast.alice)) == 2


def test_another_response_is_news_and_the_same_one_is_not(cast: Cast) -> None:
    away(cast.alice, textBody="Back in May.")
    arrive(cast.alice)
    away(cast.alice, textBody="Back in May.")
    arrive(cast.alice, mail(cast.alice.address, subject="Two"))
    assert len(sent_by(cast.alice)) == 1
    away(cast.alice, textBody="Back in June.")
    arrive(cast.alice, mail(cast.alice.address, subject="Three"))
    assert [sent.message.get_content().strip() for sent in sent_by(cast.alice)] == [
        "Back in May.",
        "Back in June.",
    ]


def test_the_sweep_forgets_those_who_may_be_told_again(cast: Cast) -> None:
    away(cast.alice)
    arrive(cast.alice)
    age(cast.alice, days=7, hours=1)
    arrive(cast.alice, sender="yan@example.org", raw=mail(cast.alice.address, subject="Two"))
    assert forget_vacation_senders() >= 1
    sql = "SELECT address FROM vacation_sender WHERE account_id = %s"
    with connection() as lent, account_write(cast.alice.account.pk, lent) as write:
        assert write.execute(sql, (cast.alice.account.pk,)).fetchall() == [("yan@example.org",)]


def test_a_flood_of_invented_senders_is_not_answered_for_ever(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responding, "MOST_SENDERS", 3)
    away(cast.alice)
    for number in range(5):
        raw = mail(cast.alice.address, subject=f"Lunch {number}")
        arrive(cast.alice, raw, sender=f"u{number}@example.org")
    assert len(sent_by(cast.alice)) == 3


@pytest.mark.rfc("3834", "2")
@pytest.mark.rfc("8621", "8")
def test_two_who_are_away_do_not_talk_for_ever(cast: Cast) -> None:
    away(cast.alice)
    away(cast.charlie)
    arrive(cast.alice, mail(cast.alice.address), sender=cast.charlie.address)
    answer = only_answer(cast.alice)
    arrive(cast.charlie, answer.raw, sender=answer.sender)
    # Nor where a host on the way has put a sender into the envelope.
    arrive(cast.charlie, answer.raw.replace(b"Auto: ", b"Auto: 2 "), sender=cast.alice.address)
    assert sent_by(cast.charlie) == []


def test_a_message_that_is_stored_once_is_answered_once(cast: Cast) -> None:
    away(cast.alice)
    for _ in range(2):
        deliver(mail(cast.alice.address), [cast.alice.address], return_path=SENDER)
    assert len(sent_by(cast.alice)) == 1


@pytest.mark.parametrize(
    "raw",
    [
        mail("TO", subject="=?utf-8?b?DQpCY2M6IHhAZXhhbXBsZS5vcmcNCg==?="),
        mail("TO", subject="x" * 100_000),
        mail("TO", fields=f"References: {' '.join(f'<{n}@x>' for n in range(20_000))}\r\n"),
        mail("TO", fields=f"References: <{'x' * 5_000}@x>\r\n"),
        mail("TO").replace(b"<m1@example.org>", b"<m1>\r\n\t\x00 <\xff@example.org>"),
        mail(", ".join([*(f"u{n}@example.org" for n in range(900)), "TO"])),
    ],
    ids=["injection", "subject", "references", "reference", "id", "recipients"],
)
def test_hostile_mail_gets_an_answer_that_is_a_message(cast: Cast, raw: bytes) -> None:
    away(cast.alice)
    arrive(cast.alice, raw.replace(b"TO", cast.alice.address.encode()))
    sent = only_answer(cast.alice)
    names = [name for name, _ in scan(sent.raw).root.headers]
    assert len(names) == len(set(names))
    assert "Bcc" not in names
    assert max(map(len, sent.raw.split(b"\r\n"))) <= 998
    assert len(sent.raw) < 20_000


def test_charlie_gets_no_answer_for_alice(cast: Cast) -> None:
    away(cast.alice)
    arrive(cast.charlie, mail(cast.alice.address))
    assert (sent_by(cast.alice), sent_by(cast.charlie)) == ([], [])


def test_a_name_that_fits_into_no_field_is_left_out(cast: Cast) -> None:
    away(cast.alice, subject="Weg")
    client = JMAPClient(cast.alice)
    [identity] = client.call("Identity/get", {"ids": None})["list"]
    client.call("Identity/set", {"update": {identity["id"]: {"name": "Zoë, Alice"}}})
    arrive(cast.alice)
    assert scan(only_answer(cast.alice).raw).root.headers[0][1].endswith(f"<{cast.alice.address}>".encode())
    assert only_answer(cast.alice).message["From"].addresses[0].display_name == "Zoë, Alice"
