"""What a commit calls for."""

from __future__ import annotations

import threading
import time
from typing import Any

from accounts import lifecycle
from jmapcore.store import write
from jmapcore.store.database import connection, run
from push.subscriptions import notices
from push.subscriptions.notices import Notices
from tests.support.mail_store import MailStore, make_store


def subscribe(store: MailStore, number: int = 1) -> None:
    """A verified subscription of the account's owner."""
    sql = """
        INSERT INTO push_subscription (user_id, number, owner, sealed_endpoint, device_client_id, types, email_push, code,
            is_code_sent, is_verified, sent, seen, arrived, notices, failures, gap_seconds)
        VALUES (%s, %s, 'password:1', '', '', 'null', 'null', '', true, true, '{}', '{}', '{}', 0, 0, 0)"""
    with connection() as lent:
        run(lent, (sql, (store.owner_id, number)))


def due(store: MailStore) -> list[bool]:
    """Whether the owner's subscriptions are due."""
    with connection() as lent:
        sql = "SELECT due_at IS NOT NULL FROM push_subscription WHERE user_id = %s"
        [result] = run(lent, (sql, (store.owner_id,)))
        return [row[0] for row in result.fetchall()]


def test_every_commit_is_noted() -> None:
    assert notices.changed in write.after_commit


def test_accounts_without_subscriptions_call_for_nothing(database: None) -> None:
    store = make_store()
    own = Notices()
    own.changed(store.account_id)
    assert own.look_up() is False


def test_subscriptions_of_an_account_are_due_when_it_has_changed(database: None) -> None:
    store, other = make_store(), make_store()
    subscribe(store)
    subscribe(other)
    own = Notices()
    own.changed(store.account_id)
    assert own.look_up() is True
    assert (due(store), due(other)) == ([True], [False])
    assert own.look_up() is False
    # It waits already.
    own.changed(store.account_id)
    assert own.look_up() is False


def test_a_thread_looks_them_up(database: None, settings: Any, monkeypatch: Any) -> None:
    told = threading.Event()
    settings.PUSH_AT_ONCE = True
    monkeypatch.setattr(notices, "send_worker", told.set)
    store = make_store()
    subscribe(store)
    own = Notices()
    own.changed(store.account_id)
    assert told.wait(10)
    assert due(store) == [True]


def test_noting_costs_next_to_nothing(database: None) -> None:
    own = Notices()
    started = time.perf_counter()
    for number in range(20_000):
        own.changed(number % 100)
    # 50 microseconds each would still be no part of a commit; it is less than one.
    assert time.perf_counter() - started < 1.0


def test_a_right_that_was_taken_away_calls_for_a_sweep(
    database: None, settings: Any, monkeypatch: Any
) -> None:
    sent: list[str] = []
    told = threading.Event()

    class App:
        """Where tasks go."""

        def send_task(self, name: str, **options: Any) -> None:
            """Note it."""
            sent.append(name)
            told.set()

    settings.PUSH_AT_ONCE = True
    monkeypatch.setattr(notices, "current_app", App())
    Notices().rights_changed()
    assert told.wait(10)
    assert sent == ["push.sweep"]
    assert notices.rights_changed in lifecycle.rights_changed
