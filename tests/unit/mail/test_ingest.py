"""How an Email is born (RFC 8621 §4.8), and what becomes of Threads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jmapcore.store.database import connection
from mail.fragments import STATIC_PROPERTIES
from mail.ingest import NewEmail, add_messages, prepare
from mail.membership import UnknownMailboxError
from mail.threading import LARGEST_THREAD
from tests.support.mail_store import NOON, MailStore, add_all, message


def test_the_rows_of_a_new_email(store: MailStore) -> None:
    added = store.add(message("a"), "inbox", "archive", keywords=["$Flagged", "$recent", "work"])
    [row] = store.rows(
        "SELECT thread_id, size, keywords, mailbox_ids, keywords_json, mailboxes_json FROM email"
        " WHERE account_id = %s AND id = %s",
        added.id,
    )
    inbox, archive = store.mailboxes["inbox"], store.mailboxes["archive"]
    assert row == (
        added.thread_id,
        len(message("a")),
        ["$flagged", "work"],
        [inbox, archive],
        '{"$flagged":true,"work":true}',
        f'{{"m{inbox}":true,"m{archive}":true}}',
    )


@pytest.mark.rfc("8621", "4.1.2")
def test_static_json_has_one_line_for_each_property(store: MailStore) -> None:
    added = store.add(message("a", refers_to=["b"], headers="To: you@example.org\r\n"))
    [(text,)] = store.rows("SELECT static_json FROM email_static WHERE account_id = %s AND id = %s", added.id)
    assert dict(zip(STATIC_PROPERTIES, text.split("\n"), strict=True)) == {
        "blobId": f'"b{added.blob_id}"',
        "messageId": '["a@example"]',
        "inReplyTo": "null",
        "references": '["b@example"]',
        "sender": "null",
        "from": '[{"name":"Zoë","email":"zoe@example.org"}]',
        "to": '[{"name":null,"email":"you@example.org"}]',
        "cc": "null",
        "bcc": "null",
        "replyTo": "null",
        "subject": '"Lunch"',
        "sentAt": "null",
        "hasAttachment": "false",
        "preview": '"Hello"',
    }


def test_two_emails_may_hold_the_same_bytes(store: MailStore) -> None:
    first, second = store.add(message("a")), store.add(message("a"))
    assert (first.blob_id, first.thread_id) == (second.blob_id, second.thread_id)
    assert first.id != second.id
    assert store.verify() == []


def test_a_blob_that_is_there_is_named_and_not_stored_again(store: MailStore) -> None:
    prepared, blob_id = prepare(message("a")), store.add(message("a")).blob_id
    with store.write() as write:
        [added] = add_messages(write, [NewEmail(prepared, [store.mailboxes["sent"]], blob_id=blob_id)])
    assert added.blob_id == blob_id
    assert store.verify() == []


RECEIVED = "Received: from a by b; Mon, 2 Mar 2026 08:00:00 +0200\r\n"


@pytest.mark.rfc("8621", "4.8")
@pytest.mark.parametrize(
    ("given", "headers", "expected"),
    [
        (NOON, RECEIVED, NOON),
        (None, RECEIVED, datetime(2026, 3, 2, 6, tzinfo=UTC)),
    ],
)
def test_received_at_is_what_is_given_else_the_topmost_received_date(
    store: MailStore, given: datetime | None, headers: str, expected: datetime
) -> None:
    added = store.add(message("a", headers=headers), received_at=given)
    assert store.emails()[added.id][1] == expected


def test_received_at_is_now_where_nothing_says_it(store: MailStore) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    added = store.add(message("a"), received_at=None)
    assert before <= store.emails()[added.id][1] <= datetime.now(UTC)


def test_what_a_message_says_is_never_later_than_tomorrow(store: MailStore) -> None:
    received = "Received: from a by b; Tue, 1 Jan 2999 08:00:00 +0200\r\n"
    added = store.add(message("a", headers=received), received_at=None)
    assert store.emails()[added.id][1] <= datetime.now(UTC) + timedelta(days=1)


@pytest.mark.rfc("8621", "4.8")
def test_a_moment_that_is_given_is_applied_as_it_is(store: MailStore) -> None:
    given = datetime(2999, 1, 1, tzinfo=UTC)
    added = store.add(message("a"), received_at=given)
    assert store.emails()[added.id][1] == given


@pytest.mark.rfc("8621", "3")
def test_a_reply_joins_the_thread_which_lists_its_emails_by_received_at(store: MailStore) -> None:
    late = store.add(message("a"), received_at=NOON + timedelta(hours=1))
    early = store.add(message("b", subject="Re: lunch", refers_to=["a"]))
    assert store.threads() == {late.thread_id: f'["e{early.id}","e{late.id}"]'}


@pytest.mark.rfc("8621", "3")
def test_another_subject_starts_another_thread(store: MailStore) -> None:
    first = store.add(message("a"))
    second = store.add(message("b", subject="Dinner", refers_to=["a"]))
    assert first.thread_id != second.thread_id


def test_replies_to_a_message_that_never_came_share_a_thread(store: MailStore) -> None:
    first = store.add(message("b", refers_to=["a"]))
    second = store.add(message("c", refers_to=["a"]))
    assert first.thread_id == second.thread_id


@pytest.mark.rfc("8621", "3")
def test_a_message_that_joins_two_threads_gives_the_emails_of_the_smaller_new_ids(store: MailStore) -> None:
    small = store.add(message("a"), "archive", keywords=["$flagged"])
    large = [store.add(message("b")), store.add(message("c", refers_to=["b"]))]
    modseq = store.modseq()
    joining = store.add(message("d", refers_to=["a", "b"]), received_at=NOON + timedelta(hours=1))
    assert joining.thread_id == large[0].thread_id
    emails = store.emails()
    [moved] = emails.keys() - {joining.id, large[0].id, large[1].id}
    assert emails[moved] == (joining.thread_id, NOON, ["$flagged"], [store.mailboxes["archive"]])
    assert set(store.log(modseq)) == {
        ("Email", small.id, "d"),
        ("Email", moved, "c"),
        ("Email", joining.id, "c"),
        ("Thread", small.thread_id, "d"),
        ("Thread", joining.thread_id, "u"),
        ("Mailbox", store.mailboxes["inbox"], "v"),
        ("Quota", 1, "v"),
        ("Quota", 2, "v"),
    }
    assert store.verify() == []


def test_threads_of_more_than_a_hundred_stay_apart(store: MailStore) -> None:
    with connection() as lent:
        first = add_all(store, lent, [message("", refers_to=["a"]) for _ in range(101)])
        second = add_all(store, lent, [message("", refers_to=["b"]) for _ in range(102)])
    joining = store.add(message("c", refers_to=["a", "b"]))
    assert joining.thread_id == second[0].thread_id
    assert {row[0] for row in store.emails().values()} == {first[0].thread_id, second[0].thread_id}
    assert store.verify() == []


def test_a_full_thread_is_followed_by_another(store: MailStore) -> None:
    raws = [message("", refers_to=["a"], body=str(number)) for number in range(LARGEST_THREAD + 300)]
    with connection() as lent:
        for start in range(0, len(raws), 100):
            add_all(store, lent, raws[start : start + 100])
    sizes = sorted(text.count("e") for text in store.threads().values())
    assert sizes == [300, LARGEST_THREAD]
    assert store.verify() == []


def test_nothing_is_written_where_one_mailbox_is_unknown(store: MailStore) -> None:
    modseq, prepared = store.modseq(), prepare(message("a"))
    with pytest.raises(UnknownMailboxError) as caught, store.write() as write:
        add_messages(
            write,
            [
                NewEmail(prepared, [store.mailboxes["inbox"]]),
                NewEmail(prepared, [store.mailboxes["inbox"], 99999]),
            ],
        )
    assert caught.value.ids == {99999}
    assert (store.emails(), store.modseq()) == ({}, modseq)


def test_an_email_without_a_mailbox_is_refused(store: MailStore) -> None:
    with pytest.raises(ValueError, match="in no mailbox"), store.write() as write:
        add_messages(write, [NewEmail(prepare(message("a")), [])])


def test_no_messages_are_no_change(store: MailStore) -> None:
    modseq = store.modseq()
    with store.write() as write:
        assert add_messages(write, []) == []
    assert store.modseq() == modseq


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0",
        b"Subject: \0\r\n\r\n\0",
        b"Subject: =?utf-8?q?=ED=A0=80?= \xed\xa0\x80\r\nMessage-ID: <\xff\0>\r\n\r\n\xff",
        b"\r\n" * 1000,
    ],
)
def test_anything_is_stored_as_well_as_it_can_be(store: MailStore, raw: bytes) -> None:
    added = store.add(raw)
    assert added.size == len(raw)
    assert store.verify() == []
