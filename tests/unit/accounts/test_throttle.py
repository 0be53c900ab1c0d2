"""Counters of failed attempts: in Redis, in the process, and in the process while Redis is away."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
import redis
from django.conf import settings

from accounts.throttle import Attempts, Limits, ProcessAttempts, RedisAttempts, SharedAttempts, connect

LIMITS = Limits(window=60, address_and_client=3, client=6, address=8)


@pytest.fixture(params=["redis", "process"])
def attempts(request: pytest.FixtureRequest, database: None) -> Attempts:
    """A store with small limits. Redis outlives the test: the addresses and clients are new in each."""
    if request.param == "redis":
        return RedisAttempts(redis.Redis.from_url(settings.REDIS_URL), LIMITS)
    return ProcessAttempts(LIMITS)


def new_address() -> str:
    """An address no other test has."""
    return f"{secrets.token_hex(8)}@example.org"


def new_client() -> str:
    """An IPv6 address in a /64 no other test has."""
    return f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::{secrets.randbelow(65535) + 1:x}"


def is_refused(attempts: Attempts, address: str, client: str) -> bool:
    """Whether an attempt must wait, for longer than nothing and no longer than the window."""
    wait = attempts.begin(address, client)
    assert 0 <= wait <= LIMITS.window
    return wait > 0


def test_attempts_at_an_address_from_a_client_run_out(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    assert [is_refused(attempts, address, client) for _ in range(5)] == [False, False, False, True, True]


def test_other_clients_reach_the_address(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    for _ in range(4):
        attempts.begin(address, client)
    assert not is_refused(attempts, address, new_client())


def test_the_client_reaches_other_addresses(attempts: Attempts) -> None:
    client = new_client()
    for _ in range(4):
        attempts.begin(new_address(), client)
    assert not is_refused(attempts, new_address(), client)


def test_one_64_is_one_client(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    for host in range(1, 4):
        attempts.begin(address, client.rpartition(":")[0] + f":{host:x}")
    assert is_refused(attempts, address, client.rpartition(":")[0] + ":ffff")


def test_a_client_that_tries_many_addresses_runs_out(attempts: Attempts) -> None:
    client = new_client()
    refused = [is_refused(attempts, new_address(), client) for _ in range(8)]
    assert refused == [False] * 6 + [True] * 2


def test_a_known_client_passes_where_its_network_ran_out(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    attempts.begin(address, client)
    attempts.succeeded(address, client)
    for _ in range(7):
        attempts.begin(new_address(), client)
    assert not is_refused(attempts, address, client)


def test_success_forgives_the_failures_before(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    for _ in range(3):
        attempts.begin(address, client)
    attempts.succeeded(address, client)
    assert [is_refused(attempts, address, client) for _ in range(4)] == [False, False, False, True]


def test_success_counts_for_nothing(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    for _ in range(50):
        assert attempts.begin(address, client) == 0
        attempts.succeeded(address, client)


def test_an_address_under_attack_from_everywhere_gives_each_client_one_attempt(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    for _ in range(LIMITS.address):
        attempts.begin(address, new_client())
    assert [is_refused(attempts, address, client) for _ in range(2)] == [False, True]


def test_an_address_under_attack_stays_open_to_a_client_it_knows(attempts: Attempts) -> None:
    address, client = new_address(), new_client()
    attempts.begin(address, client)
    attempts.succeeded(address, client)
    for _ in range(LIMITS.address):
        attempts.begin(address, new_client())
    assert [is_refused(attempts, address, client) for _ in range(4)] == [False, False, False, True]


def test_counters_in_redis_expire() -> None:
    server = redis.Redis.from_url(settings.REDIS_URL)
    before = set(server.scan_iter("jmapsite:attempts:*", count=10_000))
    address, client = new_address(), new_client()
    store = RedisAttempts(server, LIMITS)
    store.begin(address, client)
    made = set(server.scan_iter("jmapsite:attempts:*", count=10_000)) - before
    assert len(made) >= 3
    assert all(server.ttl(key) != -1 for key in made)


def test_a_window_ends() -> None:
    now = 0.0
    store = ProcessAttempts(LIMITS, clock=lambda: now)
    address, client = new_address(), new_client()
    for _ in range(3):
        store.begin(address, client)
    now = 59.0
    wait = store.begin(address, client)
    now = 60.0
    assert (wait, store.begin(address, client)) == (1, 0)


def test_the_memory_of_a_process_is_bounded() -> None:
    store = ProcessAttempts(LIMITS, maximum=30)
    for _ in range(100):
        store.begin(new_address(), new_client())
    assert len(store) == 30


def test_without_redis_the_process_counts() -> None:
    store = connect("unix:///nowhere/redis.sock", LIMITS)
    address, client = new_address(), new_client()
    assert [store.begin(address, client) > 0 for _ in range(4)] == [False, False, False, True]


class AwayAttempts:
    """A store whose server does not answer, and the times it was asked at."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.asked: list[float] = []
        self.clock = clock

    def begin(self, address: str, client: str) -> int:
        self.asked.append(self.clock())
        raise redis.ConnectionError("away")

    def succeeded(self, address: str, client: str) -> None:
        self.asked.append(self.clock())
        raise redis.ConnectionError("away")


def test_redis_is_asked_again_after_a_pause() -> None:
    now = [0.0]

    def clock() -> float:
        return now[0]

    away = AwayAttempts(clock)
    store = SharedAttempts(away, ProcessAttempts(LIMITS, clock=clock), pause=5.0, clock=clock)
    for time in (0.0, 1.0, 4.9, 5.0, 6.0):
        now[0] = time
        store.begin(new_address(), new_client())
    assert away.asked == [0.0, 5.0]
