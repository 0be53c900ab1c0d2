"""The pool of the JMAP path: the connection used last comes first, and a dead one never."""

from __future__ import annotations

import select
import threading

import pytest

from jmapcore.store.database import connection, execute

pytestmark = pytest.mark.usefixtures("database")


def backend() -> int:
    with connection() as lent:
        row = execute(lent, "SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def test_the_connection_used_last_is_lent_first() -> None:
    with connection() as first, connection() as second:
        assert first is not second
    assert {backend() for _ in range(5)} == {first.info.backend_pid}


def test_a_connection_that_the_server_ended_meanwhile_is_not_lent() -> None:
    ended = backend()
    with connection() as kept, connection() as other:
        assert kept.info.backend_pid == ended
        execute(other, "SELECT pg_terminate_backend(%s::int)", (ended,))
        # The end has arrived when there is something to be read.
        assert select.select([kept.pgconn.socket], [], [], 30)[0]
    assert backend() != ended


def test_a_connection_in_a_failed_transaction_is_made_new() -> None:
    with connection() as lent:
        execute(lent, "BEGIN")
    with connection() as other:
        assert other.pgconn.transaction_status == 0


def test_many_threads_share_few_connections() -> None:
    seen: set[int] = set()
    barrier = threading.Barrier(12)

    def borrow() -> None:
        barrier.wait()
        for _ in range(10):
            seen.add(backend())

    threads = [threading.Thread(target=borrow) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(seen) <= 8
