"""Several writers of one account at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mail.mailboxes import destroy_mailboxes
from mail.membership import EmailChange, UnknownEmailError, UnknownMailboxError, change_emails, destroy_emails
from tests.support.mail_store import MailStore, message


def together(*jobs: Callable[[], object]) -> list[object]:
    """What some jobs return that start at once in threads of their own; an error of one is the test's."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def test_messages_of_one_thread_that_come_at_once_end_in_one_thread(store: MailStore) -> None:
    together(*[lambda n=n: store.add(message(f"m{n}", refers_to=["root"])) for n in range(8)])
    assert len(store.threads()) == 1
    assert store.counts("inbox") == (8, 8, 1, 1)
    assert store.verify() == []


def test_flips_of_one_thread_at_once_lose_no_count(store: MailStore) -> None:
    added = [store.add(message(f"m{n}", refers_to=["root"])) for n in range(6)]

    def flip(email_id: int) -> None:
        with store.write() as write:
            change_emails(write, [EmailChange(email_id, frozenset({"$seen"}))])

    together(*[lambda email=email: flip(email.id) for email in added])
    assert store.counts("inbox") == (6, 0, 1, 0)
    assert store.verify() == []


def test_threads_that_merge_while_their_emails_are_changed(store: MailStore) -> None:
    left = [store.add(message(f"l{n}", refers_to=["left"])) for n in range(4)]
    right = [store.add(message(f"r{n}", refers_to=["right"])) for n in range(4)]

    def flip(email_id: int) -> None:
        try:
            with store.write() as write:
                change_emails(write, [EmailChange(email_id, frozenset({"$seen"}))])
        except UnknownEmailError:  # it has got a new id meanwhile
            return

    together(
        lambda: store.add(message("join", refers_to=["left", "right"])),
        *[lambda email=email: flip(email.id) for email in left + right],
    )
    assert len(store.threads()) == 1
    assert len(store.emails()) == 9
    assert store.verify() == []


def test_a_mailbox_that_is_destroyed_while_mail_comes_into_it(store: MailStore) -> None:
    store.mailboxes["work"] = store.add_mailbox("Work")
    for number in range(5):
        store.add(message(f"m{number}"), "work", "inbox")

    def add(number: int) -> None:
        try:
            store.add(message(f"n{number}"), "work")
        except UnknownMailboxError:
            return

    def destroy() -> None:
        with store.write() as write:
            destroy_mailboxes(write, [store.mailboxes["work"]])

    together(*[lambda number=number: add(number) for number in range(5)], destroy)
    assert store.counts("inbox") == (5, 5, 5, 5)
    assert len(store.emails()) == 5
    assert store.verify() == []


def test_an_email_that_two_destroy_is_destroyed_once(store: MailStore) -> None:
    added = store.add(message("a"))

    def destroy() -> bool:
        try:
            with store.write() as write:
                destroy_emails(write, [added.id])
        except UnknownEmailError:
            return False
        return True

    assert sorted(together(destroy, destroy, destroy)) == [False, False, True]  # type: ignore[type-var]
    assert store.verify() == []
