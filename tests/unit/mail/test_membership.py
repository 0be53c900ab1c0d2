"""Changing and destroying Emails (RFC 8621 §4.6), and what it does to counts."""

from __future__ import annotations

import pytest

from mail.membership import (
    EmailChange,
    UnknownEmailError,
    UnknownMailboxError,
    change_emails,
    destroy_emails,
    load_threads,
)
from tests.support.mail_store import MailStore, message


def change(store: MailStore, *changes: EmailChange) -> None:
    with store.write() as write:
        change_emails(write, changes)


def flip(store: MailStore, email_id: int, *keywords: str) -> None:
    change(store, EmailChange(email_id, frozenset(keywords)))


def test_reading_an_email_moves_the_unread_counts(store: MailStore) -> None:
    added = store.add(message("a"))
    assert store.counts("inbox") == (1, 1, 1, 1)
    flip(store, added.id, "$seen")
    assert store.counts("inbox") == (1, 0, 1, 0)


@pytest.mark.rfc("8621", "2.2")
def test_a_flip_is_recorded_for_every_mailbox_of_the_thread_whose_count_moved(store: MailStore) -> None:
    added = store.add(message("a"))
    store.add(message("b", refers_to=["a"]), "archive", keywords=["$seen"])
    modseq = store.modseq()
    flip(store, added.id, "$seen")
    assert store.log(modseq) == [
        ("Email", added.id, "u"),
        ("Mailbox", store.mailboxes["inbox"], "v"),
        ("Mailbox", store.mailboxes["archive"], "v"),
    ]


def test_a_keyword_that_moves_no_count_is_recorded_for_the_email_alone(store: MailStore) -> None:
    added = store.add(message("a"))
    modseq = store.modseq()
    flip(store, added.id, "$flagged")
    assert store.log(modseq) == [("Email", added.id, "u")]


def test_a_write_that_changes_nothing_is_no_change(store: MailStore) -> None:
    added = store.add(message("a"), keywords=["$seen"])
    modseq = store.modseq()
    change(
        store, EmailChange(added.id, frozenset({"$SEEN", "$recent"}), frozenset({store.mailboxes["inbox"]}))
    )
    assert store.modseq() == modseq


@pytest.mark.rfc("8621", "4.1.1")
def test_keywords_are_stored_in_lower_case_and_recent_never(store: MailStore) -> None:
    added = store.add(message("a"))
    flip(store, added.id, "Work", "$Recent")
    assert store.emails()[added.id][2] == ["work"]


def test_moving_an_email_moves_it_in_every_table(store: MailStore) -> None:
    added = store.add(message("a"))
    change(store, EmailChange(added.id, mailbox_ids=frozenset({store.mailboxes["trash"]})))
    assert (store.counts("inbox"), store.counts("trash")) == ((0, 0, 0, 0), (1, 1, 1, 1))
    assert store.verify() == []


def test_two_changes_of_one_email_in_one_call_both_count(store: MailStore) -> None:
    added = store.add(message("a"))
    change(
        store,
        EmailChange(added.id, keywords=frozenset({"$seen"})),
        EmailChange(added.id, mailbox_ids=frozenset({store.mailboxes["sent"]})),
    )
    assert store.emails()[added.id][2:] == (["$seen"], [store.mailboxes["sent"]])
    assert store.verify() == []


def test_what_was_loaded_stays_true_over_several_changes_of_one_write(store: MailStore) -> None:
    first, second = store.add(message("a")), store.add(message("b", refers_to=["a"]))
    with store.write() as write:
        loaded = load_threads(write, [first.id, second.id], [store.mailboxes["sent"]])
        change_emails(write, [EmailChange(first.id, frozenset({"$seen"}))], loaded)
        change_emails(
            write, [EmailChange(second.id, mailbox_ids=frozenset({store.mailboxes["sent"]}))], loaded
        )
        destroy_emails(write, [first.id], loaded)
    assert list(store.emails()) == [second.id]
    assert store.verify() == []


def test_a_change_of_an_unknown_email_changes_nothing(store: MailStore) -> None:
    added = store.add(message("a"))
    with pytest.raises(UnknownEmailError) as caught:
        change(store, EmailChange(added.id, frozenset({"$seen"})), EmailChange(99999, frozenset()))
    assert caught.value.ids == {99999}
    assert store.emails()[added.id][2] == []


def test_a_move_to_an_unknown_mailbox_changes_nothing(store: MailStore) -> None:
    added = store.add(message("a"))
    with pytest.raises(UnknownMailboxError) as caught:
        change(store, EmailChange(added.id, mailbox_ids=frozenset({99999})))
    assert caught.value.ids == {99999}
    assert store.emails()[added.id][3] == [store.mailboxes["inbox"]]


@pytest.mark.rfc("8621", "4.1.1")
def test_an_email_must_be_in_a_mailbox(store: MailStore) -> None:
    added = store.add(message("a"))
    with pytest.raises(ValueError, match="in no mailbox"):
        change(store, EmailChange(added.id, mailbox_ids=frozenset()))
    assert store.emails()[added.id][3] == [store.mailboxes["inbox"]]


def test_destroying_the_last_email_destroys_its_thread_and_the_thread_s_references(store: MailStore) -> None:
    added = store.add(message("a"))
    modseq = store.modseq()
    with store.write() as write:
        destroy_emails(write, [added.id])
    assert store.log(modseq) == [
        ("Email", added.id, "d"),
        ("Thread", added.thread_id, "d"),
        ("Mailbox", store.mailboxes["inbox"], "v"),
        ("Quota", 1, "v"),
        ("Quota", 2, "v"),
    ]
    assert store.rows("SELECT hash FROM thread_ref WHERE account_id = %s") == []
    assert store.verify() == []


def test_destroying_one_of_two_leaves_the_thread(store: MailStore) -> None:
    first, second = store.add(message("a")), store.add(message("b", refers_to=["a"]))
    with store.write() as write:
        destroy_emails(write, [first.id])
    assert store.threads() == {first.thread_id: f'["e{second.id}"]'}
    assert store.verify() == []


def test_destroying_an_unknown_email_destroys_nothing(store: MailStore) -> None:
    added = store.add(message("a"))
    with pytest.raises(UnknownEmailError), store.write() as write:
        destroy_emails(write, [added.id, 99999])
    assert list(store.emails()) == [added.id]


def test_the_blob_of_a_destroyed_email_is_due_for_the_sweep(store: MailStore) -> None:
    added = store.add(message("a"))
    with store.write() as write:
        destroy_emails(write, [added.id])
    assert store.rows("SELECT blob_id FROM blob_sweep WHERE account_id = %s") == [(added.blob_id,)]


def test_a_flag_flip_is_a_hot_update(store: MailStore) -> None:
    """No index entry is written: the new row version is on the same page, at the end of a chain."""
    added = store.add(message("a"))
    [before] = store.rows("SELECT ctid::text FROM email WHERE account_id = %s")
    for _ in range(3):
        flip(store, added.id, "$seen")
        flip(store, added.id)
    [after] = store.rows("SELECT ctid::text FROM email WHERE account_id = %s")
    page = [row[0].strip("()").split(",")[0] for row in (before, after)]
    assert page[0] == page[1]
    assert (
        store.rows(
            "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
            " WHERE %s > 0 AND i.indrelid = 'email'::regclass AND a.attname IN"
            " ('keywords', 'keywords_json', 'mailbox_ids', 'mailboxes_json')"
        )
        == []
    )
