"""To how many recipients may be sent in an hour (`mail.outbound.rates`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from jmapcore.store.database import connection, execute
from jmapcore.store.write import account_write
from mail.outbound.rates import allow, forget
from tests.protocol.EmailSubmission.sending import draft, envelope, identity, submit
from tests.support.cast import Cast, Person
from tests.support.client import JMAPClient

RATE_LIMIT = {"type": "rateLimit"}


def names(count: int) -> list[str]:
    return [f"r{number}@example.org" for number in range(count)]


def asked(person: Person, *counts: int) -> list[bool]:
    """What is allowed to a person, and counted."""
    with connection() as lent, account_write(person.account.pk, lent) as write:
        return allow(write, person.user.pk, counts)


def at_once(people: Sequence[Person], times: int, count: int) -> int:
    """How many of the submissions that all of them make at once are allowed."""
    barrier = threading.Barrier(len(people))
    allowed: list[bool] = []

    def go(person: Person) -> None:
        barrier.wait()
        for _ in range(times):
            allowed.extend(asked(person, count))

    threads = [threading.Thread(target=go, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(allowed)


@pytest.mark.rfc("8621", "7.5")
def test_a_user_who_sends_too_much_is_told(alice: JMAPClient, settings: Any) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR = 5
    email = draft(alice)
    assert submit(alice, email, envelope=envelope(alice, *names(3)))["notCreated"] is None
    assert submit(alice, email, envelope=envelope(alice, *names(3)))["notCreated"] == {"new": RATE_LIMIT}
    assert submit(alice, email, envelope=envelope(alice, *names(2)))["notCreated"] is None
    assert submit(alice, email)["notCreated"] == {"new": RATE_LIMIT}


def test_in_one_call_what_fits_is_taken(alice: JMAPClient, settings: Any) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR = 5
    email, own = draft(alice), identity(alice)
    create = {
        name: {"identityId": own, "emailId": email, "envelope": envelope(alice, *names(count))}
        for name, count in (("a", 4), ("b", 2), ("c", 1))
    }
    answer = alice.call("EmailSubmission/set", {"create": create})
    assert set(answer["created"]) == {"a", "c"}
    assert answer["notCreated"] == {"b": RATE_LIMIT}


def test_what_is_refused_counts_nothing(alice: JMAPClient, settings: Any) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR = 2
    email = draft(alice)
    wrong = envelope(alice, *names(2), "nobody")
    assert submit(alice, email, envelope=wrong)["notCreated"]["new"]["type"] == "invalidRecipients"
    assert submit(alice, email, envelope=envelope(alice, *names(3)))["notCreated"] == {"new": RATE_LIMIT}
    assert submit(alice, email, envelope=envelope(alice, *names(2)))["notCreated"] is None


def test_a_colleague_is_counted_apart_and_with_the_tenant(cast: Cast, settings: Any) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR = 4
    settings.MAIL_RECIPIENTS_PER_HOUR_OF_TENANT = 7
    assert asked(cast.alice, 4, 1) == [True, False]
    assert asked(cast.bob, 4, 3) == [False, True]
    assert asked(cast.bob, 1) == [False]
    assert asked(cast.charlie, 4) == [True]


def test_what_was_sent_an_hour_ago_counts_no_more(cast: Cast, settings: Any) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR = 4
    assert asked(cast.alice, 4) == [True]
    age = "UPDATE sent_recipients SET minute = minute - make_interval(mins => %s::int) WHERE user_id = %s"
    with connection() as lent:
        execute(lent, age, (59, cast.alice.user.pk))
        assert asked(cast.alice, 1) == [False]
        execute(lent, age, (2, cast.alice.user.pk))
        assert asked(cast.alice, 4) == [True]
        execute(lent, age, (240, cast.alice.user.pk))
        assert forget(lent) >= 2


@pytest.mark.parametrize("count", [1, 20])
def test_two_connections_at_once_do_not_pass_the_limit_of_a_user(
    cast: Cast, settings: Any, count: int
) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR = 10 * count
    assert at_once([cast.alice, cast.alice], 10, count) == 10


@pytest.mark.parametrize("count", [1, 20])
def test_colleagues_at_once_do_not_pass_the_limit_of_the_tenant(
    cast: Cast, settings: Any, count: int
) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR_OF_TENANT = 13 * count
    assert at_once([cast.alice, cast.bob, cast.dora], 10, count) == 13


def test_far_from_the_limit_colleagues_do_not_wait_for_each_other(cast: Cast, settings: Any) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR_OF_TENANT = 1_000_000
    with connection() as lent, account_write(cast.alice.account.pk, lent) as write:
        assert allow(write, cast.alice.user.pk, [3]) == [True]
        # Her write is open still: a colleague who had to wait for it would end by a timeout.
        assert asked(cast.bob, 3) == [True]


def test_far_from_the_limit_those_at_once_are_all_counted(cast: Cast, settings: Any) -> None:
    with connection() as lent:
        [[connections]] = lent.execute("SELECT current_setting('max_connections')::int").fetchall()
    # Just where the shared lock ends to do.
    settings.MAIL_RECIPIENTS_PER_HOUR_OF_TENANT = 20 * connections + 15
    assert at_once([cast.alice, cast.bob, cast.dora], 10, 1) == 30
