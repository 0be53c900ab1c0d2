"""The summary of a message."""

from datetime import UTC, datetime

import pytest

from mail.message.scan import scan
from mail.message.structure import compact_structure
from mail.message.summary import summarise, summarise_message

RAW = b"""\
Received: from nowhere without a date
RECEIVED: by mx.north.example; Mon, 2 Sep 2002 12:00:05 +0100
Received: by mx.south.example; Mon, 2 Sep 2002 11:00:00 +0000
Message-ID: <1@north.example>
In-Reply-To: <0@south.example>
References: <a@south.example> <0@south.example>
From: First <wrong@north.example>
From: Alice <alice@north.example>
Sender: bob@north.example
To: Charlie <charlie@south.example>, dora@south.example
Cc: Friends: eve@south.example;
Bcc:
Reply-To: alice@reply.example
Subject: Re: [list] =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Mon, 2 Sep 2002 13:00:00 +0200
Content-Type: multipart/mixed; boundary=b

--b

Hello Charlie
--b
Content-Type: application/pdf

x
--b--
"""


@pytest.mark.rfc("8621", "4.1.3")
def test_a_summary_has_the_convenience_properties() -> None:
    summary = summarise(RAW)
    assert summary.message_id == ["1@north.example"]
    assert summary.in_reply_to == ["0@south.example"]
    assert summary.references == ["a@south.example", "0@south.example"]
    assert summary.from_ == [{"name": "Alice", "email": "alice@north.example"}]
    assert summary.sender == [{"name": None, "email": "bob@north.example"}]
    assert summary.to == [
        {"name": "Charlie", "email": "charlie@south.example"},
        {"name": None, "email": "dora@south.example"},
    ]
    assert summary.cc == [{"name": None, "email": "eve@south.example"}]
    assert summary.bcc == []
    assert summary.reply_to == [{"name": None, "email": "alice@reply.example"}]
    assert summary.subject == "Re: [list] Grüße"
    assert summary.sent_at == "2002-09-02T13:00:00+02:00"


def test_a_summary_has_what_lists_and_threads_need() -> None:
    summary = summarise(RAW)
    assert (summary.has_attachment, summary.preview, summary.size) == (True, "Hello Charlie", len(RAW))
    assert summary.received_at_from_trace == datetime(2002, 9, 2, 11, 0, 5, tzinfo=UTC)
    assert summary.base_subject == "Grüße"
    assert summary.thread_message_ids == ["1@north.example", "0@south.example", "a@south.example"]
    assert summary.body_structure == compact_structure(scan(RAW))


@pytest.mark.rfc("8621", "4.1.3")
def test_what_is_absent_is_null() -> None:
    summary = summarise(b"X: y\n\n")
    absent = (summary.message_id, summary.in_reply_to, summary.references, summary.sender, summary.from_)
    assert absent == (None,) * 5
    assert (summary.to, summary.cc, summary.bcc, summary.reply_to, summary.subject) == (None,) * 5
    assert (summary.sent_at, summary.received_at_from_trace) == (None, None)
    assert (summary.base_subject, summary.thread_message_ids, summary.preview) == ("", [], "")


def test_the_last_fifty_references_count_for_threads() -> None:
    ids = [f"{number}@x" for number in range(60)]
    raw = ("References: " + " ".join(f"<{message_id}>" for message_id in ids) + "\n\n").encode()
    assert summarise(raw).thread_message_ids == ids[10:]


def test_detection_of_charsets_can_be_switched_off() -> None:
    message = scan(b"\n\ncaf\xe9")
    assert summarise_message(message).preview == "café"
    assert summarise_message(message, detect=False).preview == "caf�"
