"""Rows and counts of mailboxes (RFC 8621 §2)."""

from __future__ import annotations

import psycopg
import pytest

from mail import mailboxes
from mail.mailboxes import MailboxRow, create_mailboxes, destroy_mailboxes, subscribe, update_mailboxes
from mail.membership import EmailChange, change_emails
from tests.support.mail_store import MailStore, message


def names(store: MailStore) -> dict[int, str]:
    return dict(store.rows("SELECT id, name FROM mailbox WHERE account_id = %s"))


def test_mailboxes_may_name_one_another_as_parents_in_any_order(store: MailStore) -> None:
    with store.write() as write:
        child, parent = write.new_ids(2)
        create_mailboxes(write, {child: MailboxRow("Child", parent_id=parent), parent: MailboxRow("Parent")})
    assert store.rows("SELECT parent_id FROM mailbox WHERE account_id = %s AND id = %s", child) == [(parent,)]


def test_siblings_may_swap_their_names_in_one_write(store: MailStore) -> None:
    first, second = store.add_mailbox("One"), store.add_mailbox("Two")
    with store.write() as write:
        update_mailboxes(write, {first: MailboxRow("Two")})
        update_mailboxes(write, {second: MailboxRow("One")})
    assert (names(store)[first], names(store)[second]) == ("Two", "One")


@pytest.mark.rfc("8621", "2")
def test_two_siblings_of_one_name_are_refused_at_the_top_too(store: MailStore) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        store.add_mailbox("Inbox")
    assert str(caught.value.diag.constraint_name).startswith("mailbox_sibling_name")


@pytest.mark.rfc("8621", "2")
def test_two_mailboxes_of_one_role_are_refused(store: MailStore) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        store.add_mailbox("Other", role="inbox")
    assert str(caught.value.diag.constraint_name).startswith("mailbox_role")


def test_an_update_is_recorded_once_and_one_without_difference_not_at_all(store: MailStore) -> None:
    mailbox_id, modseq = store.add_mailbox("One"), store.modseq()
    with store.write() as write:
        update_mailboxes(write, {mailbox_id: MailboxRow("Two"), 99999: MailboxRow("Nowhere")})
        update_mailboxes(write, {mailbox_id: MailboxRow("Two")})
    assert store.log(modseq) == [("Mailbox", mailbox_id, "u")]


@pytest.mark.rfc("8621", "2")
def test_where_the_trash_moves_unread_threads_follow(
    store: MailStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "BATCH", 2)
    old, new = store.mailboxes["trash"], store.add_mailbox("Bin")
    store.mailboxes["bin"] = new
    for number in range(3):
        store.add(message(f"{number}"), "trash")
        store.add(message(f"r{number}", refers_to=[f"{number}"]), "inbox", keywords=["$seen"])
        store.add(message(f"s{number}", refers_to=[f"{number}"]), "bin")
    assert (store.counts("inbox"), store.counts("bin")) == ((3, 0, 3, 3), (3, 3, 3, 3))
    modseq = store.modseq()
    with store.write() as write:
        update_mailboxes(write, {old: MailboxRow("Trash"), new: MailboxRow("Bin", role="trash")})
    assert store.verify() == []
    assert {entry[1] for entry in store.log(modseq)} == {old, new}
    with store.write() as write:
        update_mailboxes(write, {new: MailboxRow("Bin")})
    assert store.verify() == []


@pytest.mark.rfc("8621", "2.2")
def test_a_trash_that_moves_is_no_change_of_mailboxes_whose_counts_stay(store: MailStore) -> None:
    old, new = store.mailboxes["trash"], store.add_mailbox("Bin")
    store.add(message("a"), "inbox", keywords={"$seen"})
    both = store.add(message("b", refers_to=["a"]), "trash")
    with store.write() as write:
        change_emails(write, [EmailChange(both.id, mailbox_ids=frozenset({old, new}))])
    before = store.modseq()
    with store.write() as write:
        update_mailboxes(write, {new: MailboxRow("Bin", role="trash"), old: MailboxRow("Trash")})
    assert {(name, number) for name, number, _ in store.log(before)} == {("Mailbox", old), ("Mailbox", new)}


@pytest.mark.rfc("8621", "2.5")
def test_a_destroyed_mailbox_loses_its_emails_and_destroys_those_in_no_other(
    store: MailStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "BATCH", 2)
    store.mailboxes["work"] = store.add_mailbox("Work")
    shared = [store.add(message(f"s{number}"), "work", "inbox") for number in range(3)]
    alone = [store.add(message(f"a{number}", refers_to=["s0"]), "work") for number in range(3)]
    with store.write() as write:
        destroy_mailboxes(write, [store.mailboxes["work"]])
    assert {email_id: row[3] for email_id, row in store.emails().items()} == {
        added.id: [store.mailboxes["inbox"]] for added in shared
    }
    assert store.threads()[alone[0].thread_id] == f'["e{shared[0].id}"]'
    assert store.mailboxes["work"] not in names(store)
    assert store.verify() == []


def test_parent_and_child_are_destroyed_together(store: MailStore) -> None:
    parent = store.add_mailbox("Parent")
    child = store.add_mailbox("Child", parent_id=parent)
    with store.write() as write:
        destroy_mailboxes(write, [parent, child])
    assert not {parent, child} & names(store).keys()


def test_a_parent_whose_child_stays_cannot_go(store: MailStore) -> None:
    parent = store.add_mailbox("Parent")
    store.add_mailbox("Child", parent_id=parent)
    with pytest.raises(psycopg.errors.ForeignKeyViolation), store.write() as write:
        destroy_mailboxes(write, [parent])
    assert parent in names(store)


@pytest.mark.rfc("8621", "2")
def test_subscriptions_belong_to_one_user(store: MailStore) -> None:
    mailbox_id, modseq = store.add_mailbox("One"), store.modseq()
    with store.write() as write:
        subscribe(write, 1_000_001, {mailbox_id: True})
        subscribe(write, 1_000_002, {mailbox_id: False})
    rows = store.rows(
        "SELECT user_id FROM mailbox_user WHERE account_id = %s AND mailbox_id = %s", mailbox_id
    )
    assert rows == [(1_000_001,)]
    assert store.log(modseq) == [("Mailbox", mailbox_id, "u")]


def test_a_subscription_ends(store: MailStore) -> None:
    inbox = store.mailboxes["inbox"]
    with store.write() as write:
        subscribe(write, store.owner_id, {inbox: False})
    assert store.rows(
        "SELECT is_subscribed FROM mailbox_user WHERE account_id = %s AND mailbox_id = %s", inbox
    ) == [(False,)]
