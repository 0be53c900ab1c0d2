"""Which of a few Emails match a filter: the same ones as among all results."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.access import AccountAccess
from jmapcore.protocol.errors import UnsupportedFilter
from jmapcore.registry import registry
from jmapcore.store.database import connection
from jmapcore.store.query import Query, parse_filter
from jmapcore.store.reading import Reading
from tests.support.mail_store import MailStore, message

EMAIL = registry.types["Email"]


def query(condition: Any) -> Query:
    """A query with this filter alone."""
    return Query(EMAIL, parse_filter(EMAIL, condition, lambda text: text), ())


def filters(store: MailStore) -> list[Any]:
    """Filters of every kind."""
    inbox = {"inMailbox": f"m{store.mailboxes['inbox']}"}
    return [
        None,
        inbox,
        {"inMailboxOtherThan": [inbox["inMailbox"]]},
        {"operator": "OR", "conditions": [inbox, {"hasKeyword": "$notify"}]},
        {"operator": "NOT", "conditions": [inbox, {"hasKeyword": "$notify"}]},
        {"notKeyword": "$seen", **inbox},
        {"from": "zoe", "hasAttachment": False},
        {"subject": '"green tea"'},
        {"text": "tea", "header": ["X-Kind", "b"]},
        {"header": ["X-Kind"]},
        {"someInThreadHaveKeyword": "$notify"},
        {"after": "2026-01-01T00:00:00Z", "minSize": 10},
    ]


@pytest.mark.rfc("8621", "4.4.1")
def test_they_are_those_of_the_results(store: MailStore) -> None:
    added = [
        store.add(message("a", subject="Green tea")),
        store.add(message("b", subject="Tea, green", headers="X-Kind: a b\r\n"), "archive"),
        store.add(message("c", headers="X-Kind: c\r\n"), "junk", keywords=["$notify"]),
        store.add(message("d", refers_to=["c"], body="tea"), "archive", keywords=["$seen"]),
    ]
    ids = [each.id for each in added]
    access = AccountAccess(store.account_id, store.owner_id, "", True, False, True)
    for condition in filters(store):
        with connection() as lent:
            reading = Reading(lent, access)
            results = set(EMAIL.storage.results(reading, query(condition)))
            assert EMAIL.storage.matching(reading, query(condition), ids) == [
                number for number in ids if number in results
            ]
            few = [ids[2], ids[0], 1_000_000]
            expected = [number for number in few if number in results]
            assert EMAIL.storage.matching(reading, query(condition), few) == expected
            assert EMAIL.storage.matching(reading, query(condition), []) == []


def test_a_filter_that_a_query_refuses_is_refused(store: MailStore) -> None:
    many = {"operator": "OR", "conditions": [{"hasKeyword": f"k{n}"} for n in range(51)]}
    access = AccountAccess(store.account_id, store.owner_id, "", True, False, True)
    with connection() as lent, pytest.raises(UnsupportedFilter):
        EMAIL.storage.matching(Reading(lent, access), query(many), [])
