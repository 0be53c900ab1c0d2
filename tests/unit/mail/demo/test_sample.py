"""The sample mail: what a client finds to show in it."""

import zlib
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime

import pytest

from mail.demo.attachments import drawing_png, quotation_pdf
from mail.demo.sample import sample_messages
from mail.importing.source_message import SourceMessage

ALICE, BOB = "alice@north.example", "bob@north.example"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> dict[str, list[SourceMessage]]:
    return sample_messages(ALICE, BOB, NOW)


def parsed(messages: list[SourceMessage]) -> list[EmailMessage]:
    found = [message_from_bytes(message.raw, _class=EmailMessage, policy=SMTP) for message in messages]
    assert all(isinstance(message, EmailMessage) for message in found)
    return found


def test_the_same_arguments_give_the_same_bytes(sample: dict[str, list[SourceMessage]]) -> None:
    assert sample_messages(ALICE, BOB, NOW) == sample


def test_both_people_have_mail_and_none_of_it_twice(sample: dict[str, list[SourceMessage]]) -> None:
    assert {address: len({message.raw for message in found}) for address, found in sample.items()} == {
        ALICE: 24,
        BOB: 22,
    }


def test_mail_lies_in_every_kind_of_mailbox(sample: dict[str, list[SourceMessage]]) -> None:
    assert {message.folder for message in sample[ALICE]} == {
        (),
        ("Archive",),
        ("Sent",),
        ("Drafts",),
        ("Junk",),
        ("Projects", "Boathouse"),
    }


def test_every_state_of_a_message_occurs(sample: dict[str, list[SourceMessage]]) -> None:
    assert {keyword for message in sample[ALICE] for keyword in message.keywords} == {
        "$seen",
        "$answered",
        "$flagged",
        "$draft",
        "$junk",
    }


@pytest.mark.parametrize("address", [ALICE, BOB])
def test_messages_are_valid_and_dated_in_the_past(
    sample: dict[str, list[SourceMessage]], address: str
) -> None:
    for message, source in zip(parsed(sample[address]), sample[address], strict=True):
        assert not message.defects
        assert b"\n" not in source.raw.replace(b"\r\n", b"")
        assert max(len(line) for line in source.raw.split(b"\r\n")) <= 998
        assert NOW - timedelta(days=90) < parsedate_to_datetime(message["Date"]) < NOW


def test_replies_name_the_messages_of_their_thread(sample: dict[str, list[SourceMessage]]) -> None:
    by_origin = dict(zip((source.origin for source in sample[ALICE]), parsed(sample[ALICE]), strict=True))
    assert by_origin["sample lunch-3"]["References"].split() == [
        by_origin["sample lunch-1"]["Message-ID"],
        by_origin["sample lunch-2"]["Message-ID"],
    ]


def test_names_and_subjects_in_other_scripts(sample: dict[str, list[SourceMessage]]) -> None:
    found = {
        (message["From"].addresses[0].display_name, str(message["Subject"]))
        for message in parsed(sample[ALICE] + sample[BOB])
    }
    assert {
        ("田中 美咲", "茶室の設計について"),
        ("ليلى حداد", "عرض أسعار الزجاج"),
        ("Jürgen Weißmüller", "AW: Anfrage: Lärche, 28 mm"),
    } <= found


def test_attachments_of_every_kind(sample: dict[str, list[SourceMessage]]) -> None:
    found = {
        (part.get_content_type(), part.get_filename(), part.get_content_disposition())
        for message in parsed(sample[ALICE] + sample[BOB])
        for part in message.walk()
        if part.get_content_disposition() is not None
    }
    assert found == {
        ("image/png", "boathouse.png", "inline"),
        ("image/png", "boathouse.png", "attachment"),
        ("application/pdf", "Angebot für Lärche.pdf", "attachment"),
        ("text/csv", "measurements.csv", "attachment"),
        ("message/rfc822", None, "attachment"),
    }


def test_the_picture_in_the_html_is_the_one_beside_it(sample: dict[str, list[SourceMessage]]) -> None:
    (message,) = (
        message
        for source, message in zip(sample[ALICE], parsed(sample[ALICE]), strict=True)
        if source.origin == "sample brookmere-5"
    )
    html, picture = message.get_body(("html",)), list(message.walk())[-1]
    assert html is not None
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html.get_content()
    assert picture.get_content() == drawing_png()


def test_the_newsletter_can_be_left(sample: dict[str, list[SourceMessage]]) -> None:
    assert [
        str(message["List-Unsubscribe"]).strip() for message in parsed(sample[ALICE]) if message["List-Id"]
    ] == ["<https://joinery-letter.example/leave>, <mailto:leave@joinery-letter.example>"]


def test_the_drawing_is_a_picture_of_its_size() -> None:
    png = drawing_png()
    data = png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8]
    assert len(zlib.decompress(data)) == 100 * (1 + 160 * 3)


def test_the_table_of_the_pdf_points_at_its_objects() -> None:
    pdf = quotation_pdf()
    table = int(pdf.split(b"startxref\n")[1].split()[0])
    offsets = [int(line.split()[0]) for line in pdf[table:].split(b"\n")[3:8]]
    assert [pdf[offset : offset + 7] for offset in offsets] == [
        b"%d 0 obj" % number for number in range(1, 6)
    ]
