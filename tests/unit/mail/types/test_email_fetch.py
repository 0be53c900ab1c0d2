"""How the records of Emails are put together."""

from __future__ import annotations

import orjson
import pytest

from mail.fragments import STATIC_PROPERTIES
from mail.types.email_fetch import record_plan

LINES = "\n".join(orjson.dumps(f"{name} \x85").decode() for name in STATIC_PROPERTIES)


def test_pieces_in_the_order_that_is_asked_for() -> None:
    plan = record_plan(("id", "subject", "receivedAt", "size", "blobId"))
    record = plan.fragment((7, "2020-01-02 03:04:05", "12", LINES))
    assert orjson.loads(orjson.dumps(record)) == {
        "id": "e7",
        "subject": "subject \x85",
        "receivedAt": "2020-01-02T03:04:05Z",
        "size": 12,
        "blobId": "blobId \x85",
    }


def test_metadata_alone_needs_one_table() -> None:
    plan = record_plan(("id", "threadId"))
    assert (
        plan.sql
        == "SELECT e.id, e.thread_id::text FROM email AS e WHERE e.account_id = %s AND e.id = ANY(%b::int[])"
    )
    assert orjson.dumps(plan.fragment((7, "5"))) == b'{"id":"e7","threadId":"t5"}'


def test_the_id_alone() -> None:
    assert orjson.dumps(record_plan(("id",)).fragment((7,))) == b'{"id":"e7"}'


@pytest.mark.rfc("8621", "4.1.3")
def test_a_convenience_property_by_its_long_name() -> None:
    plan = record_plan(("id", "header:SUBJECT:asText", 'header:"%s":asText'))
    assert plan.made == ('header:"%s":asText',)
    record = plan.fragment((7, LINES, 3, "[]"), ["null"])
    assert orjson.loads(orjson.dumps(record)) == {
        "id": "e7",
        "header:SUBJECT:asText": "subject \x85",
        'header:"%s":asText': None,
    }
