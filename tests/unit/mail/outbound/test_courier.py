"""Couriers: threads that claim and send, processes that are killed, and several of them at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as used

from accounts.models import User
from jmapcore.store.database import connection, execute
from mail.outbound.courier import Courier
from mail.outbound.queue import LEASE, claim, give_back, next_due, note_taken, renew
from mail.outbound.relay_address import Relay
from mail.submissions import QUEUED, Submission, cancel, hold_back, submit, submit_hidden
from tests.support.mail_store import MailStore, message
from tests.support.outbound import alone, claimed, deliver_all
from tests.support.relay import DROP, Sink, sink, until


@pytest.fixture
def relay(settings: Any) -> Iterator[Sink]:
    with sink() as found:
        settings.MAIL_RELAY = found.relay
        yield found


@contextmanager
def working(senders: int = 3) -> Iterator[Courier]:
    courier = Courier(senders)
    courier.start()
    try:
        yield courier
    finally:
        courier.stop()


@contextmanager
def process(relay: Sink) -> Iterator[subprocess.Popen[bytes]]:
    """A courier in a process of its own, on the database of this test."""
    database = used.DATABASES["default"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "jmapsite.settings",
        "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": used.REDIS_URL,
        "VAR_DIR": str(used.VAR_DIR),
        "MAIL_RELAY_URL": relay.relay.name,
    }
    running = subprocess.Popen(
        [sys.executable, "manage.py", "send_submissions", "--senders", "2"],
        cwd=used.BASE_DIR,
        env=environment,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def send(store: MailStore, *recipients: str, at: datetime | None = None, raw: bytes | None = None) -> int:
    """A submission to recipients; its number."""
    email = store.add(raw or message(""))
    sender = store.rows("SELECT email FROM identity WHERE account_id = %s ORDER BY id")[0][0]
    envelope = {
        "mailFrom": {"email": sender, "parameters": None},
        "rcptTo": [{"email": each, "parameters": None} for each in recipients],
    }
    with store.write() as write:
        (number,) = write.new_ids()
        moment = at or datetime.now(UTC)
        status = dict.fromkeys(recipients, QUEUED)
        one = Submission(number, 7, email.id, email.thread_id, email.blob_id, envelope, moment, status)
        submit(write, store.owner_id, [one])
    return number


def left(store: MailStore) -> int:
    """How many are still queued."""
    return len(store.rows("SELECT id FROM submission_queue WHERE account_id = %s"))


def hasten(store: MailStore) -> None:
    """Let everything of the account be due."""
    with connection() as lent:
        execute(lent, "UPDATE submission_queue SET due_at = now() WHERE account_id = %s", (store.account_id,))


def test_what_is_due_is_sent_without_a_call(store: MailStore, relay: Sink) -> None:
    alone(store.account_id)
    with working():
        send(store, "a@example.org")
        relay.wait_for(1, 2)
        until(lambda: left(store) == 0)


def test_it_leaves_within_a_second_of_its_moment(store: MailStore, relay: Sink) -> None:
    alone(store.account_id)
    moment = datetime.now(UTC) + timedelta(seconds=1.5)
    with working():
        send(store, "a@example.org", at=moment)
        relay.wait_for(1, 5)
        late = (datetime.now(UTC) - moment).total_seconds()
    assert 0 <= late < 1


def test_two_couriers_send_each_message_once(store: MailStore, relay: Sink) -> None:
    alone(store.account_id)
    names = [f"r{number}@example.org" for number in range(60)]
    for name in names:
        send(store, name)
    with working(4), working(4):
        relay.wait_for(len(names), 30)
        until(lambda: left(store) == 0)
    assert Counter(name for each in relay.taken for name in each.recipients) == Counter(names)
    assert store.verify() == []


def test_a_relay_that_comes_back_gets_everything(store: MailStore, settings: Any) -> None:
    alone(store.account_id)
    with sink() as first:
        port = first.port
    settings.MAIL_RELAY = first.relay
    for number in range(5):
        send(store, f"r{number}@example.org")
    with working():
        until(
            lambda: any(
                row[0] for row in store.rows("SELECT attempts FROM submission_queue WHERE account_id = %s")
            )
        )
        with sink(port=port) as back:
            back.wait_for(5, 30)
            until(lambda: left(store) == 0)


def test_what_is_too_old_is_given_up_though_the_relay_is_away(store: MailStore, settings: Any) -> None:
    alone(store.account_id)
    settings.MAIL_RELAY = Relay("127.0.0.1", 1)
    numbers = [send(store, f"r{number}@example.org") for number in range(3)]
    with connection() as lent:
        execute(
            lent,
            "UPDATE submission_queue SET give_up_at = now() WHERE account_id = %s AND id = ANY(%s::int[])",
            (store.account_id, numbers[1:]),
        )
    with working(1):
        until(lambda: left(store) == 1)
    assert store.rows("SELECT id FROM submission_queue WHERE account_id = %s") == [(numbers[0],)]
    assert store.verify() == []


def test_a_connection_that_ends_at_each_other_message_loses_and_doubles_nothing(
    store: MailStore, relay: Sink, settings: Any
) -> None:
    settings.MAIL_RETRY_SECONDS = (0,)
    alone(store.account_id)
    relay.replies |= {"end": ["451 4.3.0 Not now", DROP] * 4, "DATA": [DROP] * 3}
    names = [f"r{number}@example.org" for number in range(20)]
    for name in names:
        send(store, name)
    with working():
        until(lambda: left(store) == 0, 60)
    assert Counter(name for each in relay.taken for name in each.recipients) == Counter(names)


def test_a_killed_process_sends_nothing_twice_that_was_noted(store: MailStore, relay: Sink) -> None:
    """SIGKILL while a message waits for the relay's last word, and a second process that takes over after the lease."""
    alone(store.account_id)
    relay.holding = threading.Event()
    number = send(store, "a@example.org")
    with process(relay) as first:
        assert relay.waiting.wait(30)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert store.rows("SELECT id, attempts, taken FROM submission_queue WHERE account_id = %s") == [
        (number, 1, [])
    ]
    relay.holding.set()
    taken_before = len(relay.wait_for(1)) if relay.taken else 0
    hasten(store)
    with process(relay):
        until(lambda: left(store) == 0, 40)
    # The relay may have taken it as the first process died: nobody can know, so it is sent again.
    assert len(relay.taken) in (1, 2)
    assert taken_before <= len(relay.taken)
    [[status]] = store.rows("SELECT delivery_status FROM email_submission WHERE account_id = %s")
    assert status["a@example.org"]["delivered"] == "unknown"
    assert store.verify() == []


def test_a_process_is_killed_again_and_again(store: MailStore, relay: Sink) -> None:
    alone(store.account_id)
    names = [f"r{number}@example.org" for number in range(40)]
    for name in names:
        send(store, name)
    for kills in range(4):
        with process(relay) as running:
            wanted = min(8 * (kills + 1), 36)
            until(lambda wanted=wanted: len(relay.taken) >= wanted or left(store) == 0, 60)  # type: ignore[misc]
            running.send_signal(signal.SIGKILL)
            running.wait()
        hasten(store)
    with process(relay):
        until(lambda: left(store) == 0, 60)
    counted = Counter(name for each in relay.taken for name in each.recipients)
    assert set(counted) == set(names)
    assert (
        sum(counted.values()) <= len(names) + 4 * 2
    )  # at most what the two senders had in hand at each kill
    assert store.verify() == []


def test_a_process_that_is_asked_to_end_leaves_nothing_leased(store: MailStore, relay: Sink) -> None:
    alone(store.account_id)
    relay.holding = threading.Event()
    for number in range(5):
        send(store, f"r{number}@example.org")
    with process(relay) as running:
        assert relay.waiting.wait(30)
        running.send_signal(signal.SIGTERM)
        relay.holding.set()
        assert running.wait(20) == 0
    rows = store.rows("SELECT leased_until FROM submission_queue WHERE account_id = %s")
    assert [row for row in rows if row[0] is not None] == []
    assert len(rows) + len(relay.taken) == 5


def test_a_lease_is_renewed_while_a_message_is_sent(store: MailStore, relay: Sink) -> None:
    alone(store.account_id)
    relay.holding = threading.Event()
    send(store, "a@example.org")
    with working(1) as courier:
        assert relay.waiting.wait(10)
        [[before]] = store.rows("SELECT leased_until FROM submission_queue WHERE account_id = %s")
        courier._renew()
        [[after]] = store.rows("SELECT leased_until FROM submission_queue WHERE account_id = %s")
        relay.holding.set()
        until(lambda: left(store) == 0)
    assert after > before


def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(store: MailStore) -> None:
    number = send(store, "a@example.org")
    [first] = claimed(store.account_id)
    assert (first.account_id, first.id, first.attempts) == (store.account_id, number, 1)
    with connection() as lent:
        assert claim(lent, 10) == []
        due = next_due(lent)
        assert due is not None
        assert 0 < due <= LEASE.total_seconds()
        assert renew(lent, [first]) == {first}
    hasten(store)
    with connection() as lent:
        [second] = claim(lent, 10)
        assert second.attempts == 2
        assert renew(lent, [first]) == set()
        give_back(lent, [first])
        give_back(lent, [second])
        assert [each.attempts for each in claim(lent, 10)] == [2]


def test_undo_and_claim_never_both_succeed(store: MailStore) -> None:
    """Twenty times: one thread claims, the other cancels, at once."""
    alone(store.account_id)
    for _ in range(20):
        number = send(store, "a@example.org")
        barrier = threading.Barrier(2)
        won: list[str] = []

        def undo(number: int = number, barrier: threading.Barrier = barrier, won: list[str] = won) -> None:
            barrier.wait()
            with store.write() as write:
                held = hold_back(write, [number])
                if held:
                    cancel(write, {number: {}}, list(held.values()))
                    won.append("undo")

        thread = threading.Thread(target=undo)
        thread.start()
        barrier.wait()
        with connection() as lent:
            mine = claim(lent, 10)
        thread.join()
        won += ["claim"] * len(mine)
        assert len(won) == 1
        with connection() as lent:
            execute(lent, "DELETE FROM submission_queue WHERE account_id = %s", (store.account_id,))


def test_what_has_left_for_somebody_cannot_be_undone(store: MailStore) -> None:
    number = send(store, "a@example.org")
    [mine] = claimed(store.account_id)
    with connection() as lent:
        note_taken(lent, mine, [0])
        give_back(lent, [mine])
    with store.write() as write:
        assert hold_back(write, [number]) == {}


def test_what_may_have_left_cannot_be_undone(store: MailStore, relay: Sink) -> None:
    number = send(store, "a@example.org")
    relay.replies["end"] = [DROP]
    deliver_all(store.account_id)
    assert store.rows("SELECT leased_until, taken FROM submission_queue WHERE account_id = %s") == [
        (None, [-1])
    ]
    with store.write() as write:
        assert hold_back(write, [number]) == {}
    deliver_all(store.account_id, now=True)
    assert len(relay.taken) == 1
    assert store.verify() == []


def test_what_a_worker_died_with_cannot_be_undone(store: MailStore) -> None:
    number = send(store, "a@example.org")
    claimed(store.account_id)
    hasten(store)
    with connection() as lent:
        [second] = claim(lent, 10)
        give_back(lent, [second])
    with store.write() as write:
        assert hold_back(write, [number]) == {}


def test_what_a_suspended_user_submitted_waits(store: MailStore, relay: Sink) -> None:
    send(store, "a@example.org")
    User.objects.filter(pk=store.owner_id).update(is_suspended=True)
    deliver_all(store.account_id)
    [[status]] = store.rows("SELECT delivery_status FROM email_submission WHERE account_id = %s")
    assert status["a@example.org"]["smtpReply"] == "451 4.7.1 Whoever submitted it is suspended; it waits"
    assert relay.taken == []
    User.objects.filter(pk=store.owner_id).update(is_suspended=False)
    deliver_all(store.account_id, now=True)
    assert len(relay.taken) == 1


def test_a_hidden_message_leaves_and_is_gone(store: MailStore, relay: Sink) -> None:
    email = store.add(message("answer"))
    modseq = store.modseq()
    envelope = {
        "mailFrom": {"email": "", "parameters": None},
        "rcptTo": [{"email": "bob@example.org", "parameters": {"NOTIFY": "NEVER"}}],
    }
    with store.write() as write:
        submit_hidden(
            write, user_id=store.owner_id, blob_id=email.blob_id, envelope=envelope, send_at=datetime.now(UTC)
        )
    assert store.verify() == []
    alone(store.account_id)
    with working():
        [taken] = relay.wait_for(1)
        until(lambda: left(store) == 0)
    assert (taken.sender, taken.recipients) == ("<>", ("bob@example.org",))
    assert store.rows("SELECT id FROM email_submission WHERE account_id = %s") == []
    assert store.log(modseq) == []
    assert store.verify() == []


def test_the_queue_survives_redis_and_late_tasks(store: MailStore, relay: Sink) -> None:
    """Nothing but the rows says what is due: waking is a courtesy."""
    alone(store.account_id)
    send(store, "a@example.org")
    with working() as courier:
        for _ in range(100):
            courier.wake()
        relay.wait_for(1)
        until(lambda: left(store) == 0)
    assert len(relay.taken) == 1
