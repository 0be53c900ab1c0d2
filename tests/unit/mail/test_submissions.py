"""Submissions and their queue: what becomes of rows, and what `verify_account` finds of it."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounts.models import Account
from jmapcore.store.database import connection
from mail.provisioning import delete_mail
from mail.submissions import (
    CANCELED,
    QUEUED,
    Submission,
    cancel,
    destroy_submissions,
    hold_back,
    move_submissions,
    submit,
)
from mail.verify import verify
from tests.support.mail_store import NOON, MailStore, message

ENVELOPE = {
    "mailFrom": {"email": "a@x", "parameters": None},
    "rcptTo": [{"email": "b@x", "parameters": None}],
}


def send(store: MailStore) -> tuple[int, int]:
    """A new submission of a new Email; the numbers of both."""
    email = store.add(message(""))
    with store.write() as write:
        (number,) = write.new_ids()
        one = Submission(number, 7, email.id, email.thread_id, email.blob_id, ENVELOPE, NOON, {"b@x": QUEUED})
        submit(write, store.owner_id, [one])
    assert store.verify() == []
    return number, email.id


def queue(store: MailStore) -> list[tuple[object, ...]]:
    """What is queued."""
    return store.rows("SELECT id, due_at, attempts, leased_until FROM submission_queue WHERE account_id = %s")


def damage(store: MailStore, *statements: str, also: tuple[object, ...] = ()) -> None:
    """Break things; `also` are parameters after the account."""
    with store.write() as write:
        for sql in statements:
            write.execute(sql, (store.account_id, *also))


def test_nothing_is_nothing(store: MailStore) -> None:
    modseq = store.modseq()
    with store.write() as write:
        submit(write, store.owner_id, [])
        destroy_submissions(write, [])
        assert hold_back(write, []) == {}
    assert (queue(store), store.modseq()) == ([], modseq)


def test_it_is_queued_for_the_moment_it_is_due(store: MailStore) -> None:
    number, _ = send(store)
    assert queue(store) == [(number, NOON, 0, None)]


def test_what_was_tried_is_not_held_back(store: MailStore) -> None:
    first, second = send(store)[0], send(store)[0]
    claimed = "UPDATE submission_queue SET leased_until = now() WHERE account_id = %s AND id = %s"
    damage(store, claimed, also=(first,))
    with store.write() as write:
        assert list(hold_back(write, [first, second, 999_999])) == [second]


def test_a_canceled_one_lets_go_of_its_message(store: MailStore) -> None:
    number, _ = send(store)
    modseq = store.modseq()
    with store.write() as write:
        held = hold_back(write, [number])
        cancel(write, {number: {"b@x": CANCELED}}, list(held.values()))
    columns = "undo_status, blob_id, delivery_status -> 'b@x' ->> 'delivered'"
    rows = store.rows(f"SELECT {columns} FROM email_submission WHERE account_id = %s")  # noqa: S608  # our own columns
    assert (rows, queue(store)) == ([("canceled", None, "no")], [])
    assert (store.log(modseq), store.verify()) == ([("EmailSubmission", number, "u")], [])


def test_moving_an_email_tells_of_the_records_that_are_shown(store: MailStore) -> None:
    shown, email = send(store)
    hidden, other = send(store)
    with store.write() as write:
        destroy_submissions(write, [hidden])
    modseq = store.modseq()
    with store.write() as write:
        move_submissions(write, [email, other], [801, 802], [901, 902])
    rows = store.rows(
        "SELECT id, email_id, thread_id FROM email_submission WHERE account_id = %s ORDER BY id"
    )
    assert rows == [(shown, 801, 901), (hidden, 802, 902)]
    assert store.log(modseq) == [("EmailSubmission", shown, "u")]


ANOTHER = "UPDATE email_submission SET undo_status = 'pending', blob_id = NULL WHERE account_id = %s"
DAMAGE = {
    "not queued": (
        ["DELETE FROM submission_queue WHERE account_id = %s"],
        "holds its message and is not queued",
        [],
    ),
    "no message": (
        ["UPDATE email_submission SET blob_id = NULL, undo_status = 'final' WHERE account_id = %s"],
        "is queued and holds no message",
        ["u"],
    ),
    "pending without a message": (
        ["DELETE FROM submission_queue WHERE account_id = %s", ANOTHER],
        "is pending and holds no message",
        ["u"],
    ),
    "canceled with its message": (
        ["UPDATE email_submission SET undo_status = 'canceled' WHERE account_id = %s"],
        "is canceled and holds its message",
        [],
    ),
    "over with somebody in the queue": (
        [
            "DELETE FROM submission_queue WHERE account_id = %s",
            "UPDATE email_submission SET blob_id = NULL, undo_status = 'final' WHERE account_id = %s",
        ],
        "is over, and waits for somebody",
        ["u"],
    ),
    "without a token": (
        ["UPDATE email_submission SET envelope_id = '' WHERE account_id = %s"],
        "has no token",
        [],
    ),
    "destroyed and over": (
        [
            "DELETE FROM submission_queue WHERE account_id = %s",
            "UPDATE email_submission SET blob_id = NULL, is_destroyed = true, undo_status = 'final' WHERE account_id = %s",
        ],
        "is destroyed, delivered and still there",
        [],
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_repaired(store: MailStore, kind: str) -> None:
    statements, sentence, told = DAMAGE[kind]
    number, _ = send(store)
    damage(store, *statements)
    assert store.verify() == [f"submission s{number}: {sentence}"]
    modseq = store.modseq()
    with connection() as lent:
        verify(store.account_id, lent, repair=True)
    assert [operation for _, _, operation in store.log(modseq)] == told
    assert store.verify() == []


def test_what_is_queued_cannot_be_deleted(store: MailStore) -> None:
    send(store)
    with pytest.raises(Exception, match="submission_queue_submission_fkey"):
        damage(store, "DELETE FROM email_submission WHERE account_id = %s")


def test_the_message_of_what_is_queued_cannot_be_deleted(store: MailStore) -> None:
    send(store)
    with pytest.raises(Exception, match="blob_fkey"):
        damage(store, "DELETE FROM blob WHERE account_id = %s")


def test_a_deleted_account_leaves_nothing_to_deliver(store: MailStore) -> None:
    send(store)
    with transaction.atomic():
        delete_mail(Account.objects.get(pk=store.account_id))
    assert queue(store) == store.rows("SELECT id FROM email_submission WHERE account_id = %s") == []
