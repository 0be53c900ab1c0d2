"""Random operations against a naive model: after each, every derived row is right, and every change was recorded."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta

import pytest

from mail.ingest import NewEmail, add_messages, prepare
from mail.mailboxes import MailboxRow, create_mailboxes, destroy_mailboxes, update_mailboxes
from mail.membership import EmailChange, change_emails, destroy_emails
from tests.support.mail_store import NOON, MailStore, message

OPERATIONS = 50
KEYWORDS = ("$seen", "$draft", "$flagged", "work", "$Answered")
NAMES = [f"n{number}" for number in range(25)]
SUBJECTS = ("Lunch", "Re: Lunch", "Dinner", "")


def naive_counts(store: MailStore) -> dict[int, tuple[int, int, int, int]]:
    """The counts of every mailbox by their definitions in RFC 8621 §2, one Thread and one mailbox at a time."""
    roles: dict[int, str | None] = dict(store.rows("SELECT id, role FROM mailbox WHERE account_id = %s"))
    trash = {mailbox_id for mailbox_id, role in roles.items() if role == "trash"}
    threads = defaultdict(list)
    for thread_id, _, keywords, mailbox_ids in store.emails().values():
        threads[thread_id].append((not {"$seen", "$draft"} & set(keywords), set(mailbox_ids)))
    counts = {}
    for mailbox_id in roles:
        emails = [email for members in threads.values() for email in members if mailbox_id in email[1]]
        here = [members for members in threads.values() if any(mailbox_id in email[1] for email in members)]
        unread = 0
        for members in here:
            if mailbox_id in trash:
                seen_there = [email for email in members if mailbox_id in email[1]]
            else:
                seen_there = [email for email in members if email[1] != trash]
            unread += any(email[0] for email in seen_there)
        counts[mailbox_id] = (len(emails), sum(email[0] for email in emails), len(here), unread)
    return counts


class Player:
    """Does random things to a store."""

    def __init__(self, store: MailStore, seed: int) -> None:
        self.store = store
        self.random = random.Random(seed)

    def step(self) -> None:
        """Do one thing in one write."""
        rarely = [self.destroy, self.make_mailbox, self.move_trash, self.drop_mailbox]
        self.random.choice([*[self.add] * 3, *[self.change] * 2, *rarely])()

    def _mailboxes(self) -> frozenset[int]:
        ids = sorted(row[0] for row in self.store.rows("SELECT id FROM mailbox WHERE account_id = %s"))
        return frozenset(self.random.sample(ids, self.random.choice([1, 1, 1, 2, 3])))

    def _keywords(self) -> frozenset[str]:
        return frozenset(self.random.sample(KEYWORDS, self.random.randint(0, 3)))

    def add(self) -> None:
        """Add up to four messages that name one another now and then."""
        emails = []
        for _ in range(self.random.randint(1, 4)):
            raw = message(
                self.random.choice([*NAMES, ""]),
                subject=self.random.choice(SUBJECTS),
                refers_to=self.random.sample(NAMES, self.random.choice([0, 0, 1, 1, 2, 4])),
            )
            received = NOON + timedelta(hours=self.random.randint(0, 9))
            emails.append(NewEmail(prepare(raw), sorted(self._mailboxes()), self._keywords(), received))
        with self.store.write() as write:
            add_messages(write, emails)

    def _some(self) -> list[int]:
        ids = list(self.store.emails())
        return self.random.sample(ids, min(len(ids), self.random.randint(1, 6)))

    def change(self) -> None:
        """Give some Emails other keywords, other mailboxes, or what they have."""
        changes = [
            EmailChange(
                email_id,
                self._keywords() if self.random.random() < 0.7 else None,
                self._mailboxes() if self.random.random() < 0.5 else None,
            )
            for email_id in self._some()
        ]
        with self.store.write() as write:
            change_emails(write, changes)

    def destroy(self) -> None:
        """Destroy some Emails."""
        with self.store.write() as write:
            destroy_emails(write, self._some()[:2])

    def make_mailbox(self) -> None:
        """Create a mailbox."""
        self.store.add_mailbox(f"Folder {self.random.random()}")

    def move_trash(self) -> None:
        """Let some mailbox, or none, be the trash."""
        rows = self.store.rows(
            "SELECT id, name, role FROM mailbox WHERE account_id = %s AND role IS DISTINCT FROM 'inbox' ORDER BY id"
        )
        chosen = self.random.choice([row[0] for row in rows])
        changed = {
            mailbox_id: MailboxRow(name, role="trash" if mailbox_id == chosen and role != "trash" else None)
            for mailbox_id, name, role in rows
            if mailbox_id == chosen or role == "trash"
        }
        with self.store.write() as write:
            update_mailboxes(write, changed)

    def drop_mailbox(self) -> None:
        """Destroy a mailbox with what is only in it, and make another."""
        rows = self.store.rows(
            "SELECT id FROM mailbox WHERE account_id = %s AND role IS DISTINCT FROM 'inbox' ORDER BY id"
        )
        if len(rows) < 5:
            return
        with self.store.write() as write:
            destroy_mailboxes(write, [self.random.choice(rows)[0]])
            [mailbox_id] = write.new_ids()
            create_mailboxes(write, {mailbox_id: MailboxRow(f"New {self.random.random()}")})


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.rfc("8621", "2")
@pytest.mark.rfc("8621", "3")
def test_after_any_operation_everything_derived_is_right_and_every_change_recorded(
    store: MailStore, seed: int
) -> None:
    player = Player(store, seed)
    before, modseq = store.visible(), store.modseq()
    for _ in range(OPERATIONS):
        player.step()
        assert store.verify() == []
        counts = {
            mailbox_id: store.counts(mailbox_id)
            for (mailbox_id,) in store.rows("SELECT id FROM mailbox WHERE account_id = %s")
        }
        assert counts == naive_counts(store)
        after = store.visible()
        expected = dict.fromkeys(after.keys() - before.keys(), "c")
        expected |= dict.fromkeys(before.keys() - after.keys(), "d")
        expected |= {key: "u" for key in after.keys() & before.keys() if after[key] != before[key]}
        assert net_changes(store.log(modseq)) == expected
        before, modseq = after, store.modseq()


def net_changes(log: list[tuple[str, int, str]]) -> dict[tuple[str, int], str]:
    """What `/changes` makes of a range of the log: one operation for each object that remains changed."""
    net: dict[tuple[str, int], str] = {}
    for type_name, object_id, operation in log:
        key = (type_name, object_id)
        if operation == "d" and net.get(key) == "c":
            del net[key]
        elif operation in "uv":
            net.setdefault(key, "u")
        else:
            net[key] = operation
    return net
