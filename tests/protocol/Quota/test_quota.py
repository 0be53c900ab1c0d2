"""Quota/get, /changes, /query and /queryChanges (RFC 9425 §4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from redis import Redis

from accounts.quotas import MESSAGES, OCTETS, Limits, set_limits
from push.announcements import channel, decode
from push.visibility import state_types
from tests.protocol.post import add, message, roles
from tests.support.cast import Cast
from tests.support.client import CORE, MAIL, JMAPClient

QUOTA = "urn:ietf:params:jmap:quota"


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    """Alice, with limits on what she holds."""
    set_limits(cast.alice.account, OCTETS, Limits(10_000, 9_000, 8_000))
    set_limits(cast.alice.account, MESSAGES, Limits(10))
    return JMAPClient(cast.alice)


def quotas(client: JMAPClient, **arguments: Any) -> dict[str, dict[str, Any]]:
    """All Quotas by their ids."""
    given = {"ids": None, **arguments}
    return {each["id"]: each for each in client.call("Quota/get", given)["list"]}


@pytest.mark.rfc("9425", "2.1")
def test_the_capability_is_an_empty_object(alice: JMAPClient) -> None:
    session = alice.session()
    account = session["accounts"][alice.account_id]
    assert session["capabilities"][QUOTA] == account["accountCapabilities"][QUOTA] == {}
    assert session["primaryAccounts"][QUOTA] == alice.account_id


@pytest.mark.rfc("9425", "3.1")
@pytest.mark.rfc("9425", "3.2")
@pytest.mark.rfc("9425", "4.1")
@pytest.mark.rfc("9425", "4.2")
@pytest.mark.rfc("9425", "5.1")
def test_an_account_has_a_quota_of_octets_and_one_of_emails(alice: JMAPClient, cast: Cast) -> None:
    raw = message(1)
    add(alice, raw)
    more = " From the soft limit on, users can add nothing while mail still comes in; at the hard limit nothing is taken."
    assert quotas(alice) == {
        "q1": {
            "id": "q1",
            "resourceType": "octets",
            "used": len(raw),
            "hardLimit": 10_000,
            "scope": "account",
            "name": cast.alice.address,
            "types": ["Email"],
            "warnLimit": 8_000,
            "softLimit": 9_000,
            "description": f"The size of all messages of this account.{more}",
        },
        "q2": {
            "id": "q2",
            "resourceType": "count",
            "used": 1,
            "hardLimit": 10,
            "scope": "account",
            "name": cast.alice.address,
            "types": ["Email"],
            "warnLimit": 9,
            "softLimit": None,
            "description": "The number of messages of this account.",
        },
    }


@pytest.mark.rfc("9425", "4.2")
def test_quotas_are_fetched_by_their_ids(alice: JMAPClient) -> None:
    answer = alice.call("Quota/get", {"ids": ["q2", "q3", "x"], "properties": ["used", "hardLimit"]})
    assert answer["list"] == [{"id": "q2", "used": 0, "hardLimit": 10}]
    assert answer["notFound"] == ["q3", "x"]
    assert alice.error("Quota/get", {"ids": None, "properties": ["size"]}) == {"type": "invalidArguments"}


@pytest.mark.rfc("9425", "4.1")
def test_what_has_no_limit_has_no_quota(alice: JMAPClient, cast: Cast) -> None:
    set_limits(cast.alice.account, OCTETS, Limits(None))
    assert list(quotas(alice)) == ["q2"]


@pytest.mark.rfc("9425", "4.1")
def test_a_client_that_does_not_know_emails_sees_no_quota(alice: JMAPClient) -> None:
    """The server MUST NOT return Quota objects for which there are no types recognised by the client."""
    state = alice.call("Quota/get", {"ids": []})["state"]
    add(alice, message(1))
    using = [CORE, QUOTA]
    query = alice.call("Quota/query", {"calculateTotal": True}, using=using)
    assert (query["ids"], query["total"]) == ([], 0)
    answer = alice.call("Quota/get", {"ids": None}, using=using)
    assert (answer["list"], answer["notFound"]) == ([], [])
    assert alice.call("Quota/get", {"ids": ["q1"]}, using=using)["notFound"] == ["q1"]
    changes = alice.call("Quota/changes", {"sinceState": state}, using=using)
    assert (changes["updated"], changes["hasMoreChanges"]) == ([], False)
    moved = alice.call(
        "Quota/queryChanges", {"sinceQueryState": state, "sort": [{"property": "used"}]}, using=using
    )
    assert (moved["removed"], moved["added"]) == ([], [])


def test_a_client_that_names_mail_alone_may_call_quota_methods(alice: JMAPClient) -> None:
    answer = alice.call("Quota/get", {"ids": ["q1"]}, using=[CORE, MAIL])
    assert answer["list"][0]["types"] == ["Email"]


def test_without_a_capability_that_opens_it_the_method_is_unknown(alice: JMAPClient) -> None:
    assert alice.error("Quota/get", {"ids": None}, using=[CORE]) == {"type": "unknownMethod"}


def test_quotas_are_not_set_by_clients(alice: JMAPClient) -> None:
    answer = alice.error("Quota/set", {"update": {"q1": {"hardLimit": 10**12}}})
    assert answer == {"type": "unknownMethod"}


@pytest.mark.rfc("9425", "4.3")
def test_where_the_usage_alone_changed_it_says_so(alice: JMAPClient) -> None:
    state = alice.call("Quota/get", {"ids": []})["state"]
    add(alice, message(1))
    answer = alice.call("Quota/changes", {"sinceState": state})
    assert answer.pop("newState") == alice.call("Quota/get", {"ids": []})["state"] != state
    assert answer == {
        "accountId": alice.account_id,
        "oldState": state,
        "hasMoreChanges": False,
        "created": [],
        "updated": ["q1", "q2"],
        "destroyed": [],
        "updatedProperties": ["used"],
    }


@pytest.mark.rfc("9425", "4.3")
def test_where_a_limit_changed_too_it_does_not(alice: JMAPClient, cast: Cast) -> None:
    state = alice.call("Quota/get", {"ids": []})["state"]
    add(alice, message(1))
    set_limits(cast.alice.account, OCTETS, Limits(20_000))
    answer = alice.call("Quota/changes", {"sinceState": state})
    assert (answer["updated"], answer["updatedProperties"]) == (["q1", "q2"], None)


@pytest.mark.rfc("9425", "4.3")
def test_limits_that_come_and_go_are_quotas_that_do(alice: JMAPClient, cast: Cast) -> None:
    state = alice.call("Quota/get", {"ids": []})["state"]
    set_limits(cast.alice.account, OCTETS, Limits(None))
    gone = alice.call("Quota/changes", {"sinceState": state})
    set_limits(cast.alice.account, OCTETS, Limits(5))
    come = alice.call("Quota/changes", {"sinceState": gone["newState"]})
    assert (gone["destroyed"], come["created"]) == (["q1"], ["q1"])


@pytest.mark.rfc("9425", "4.3")
@pytest.mark.rfc("9425", "5.2")
def test_changed_properties_are_fetched_by_back_reference(alice: JMAPClient) -> None:
    state = alice.call("Quota/get", {"ids": []})["state"]
    raw = message(1)
    add(alice, raw)
    reference = {"resultOf": "0", "name": "Quota/changes"}
    responses = alice.request(
        ["Quota/changes", {"accountId": alice.account_id, "sinceState": state, "maxChanges": 20}, "0"],
        [
            "Quota/get",
            {
                "accountId": alice.account_id,
                "#ids": {**reference, "path": "/updated"},
                "#properties": {**reference, "path": "/updatedProperties"},
            },
            "1",
        ],
    )["methodResponses"]
    assert responses[1][1]["list"] == [{"id": "q1", "used": len(raw)}, {"id": "q2", "used": 1}]


def test_what_moves_no_usage_changes_no_quota(alice: JMAPClient) -> None:
    email_id = add(alice, message(1))
    state = alice.call("Quota/get", {"ids": []})["state"]
    alice.call("Email/set", {"update": {email_id: {"keywords/$seen": True}}})
    assert alice.call("Quota/get", {"ids": []})["state"] == state


FILTERS: list[tuple[Any, list[str]]] = [
    (None, ["q1", "q2"]),
    ({}, ["q1", "q2"]),
    ({"name": "ALICE"}, ["q1", "q2"]),
    ({"name": "nobody"}, []),
    ({"scope": "account"}, ["q1", "q2"]),
    ({"scope": "domain"}, []),
    ({"resourceType": "count"}, ["q2"]),
    ({"resourceType": "Count"}, []),
    ({"type": "Email"}, ["q1", "q2"]),
    ({"type": "Mailbox"}, []),
    ({"resourceType": "octets", "type": "Email"}, ["q1"]),
    ({"operator": "NOT", "conditions": [{"resourceType": "octets"}]}, ["q2"]),
]


@pytest.mark.rfc("9425", "4.4")
@pytest.mark.parametrize(("condition", "ids"), FILTERS)
def test_filters(alice: JMAPClient, condition: Any, ids: list[str]) -> None:
    answer = alice.call("Quota/query", {"filter": condition, "calculateTotal": True})
    assert (answer["ids"], answer["total"]) == (ids, len(ids))


@pytest.mark.rfc("9425", "4.4")
def test_sorts(alice: JMAPClient) -> None:
    add(alice, message(1))
    for sort, ids in (
        ({"property": "used"}, ["q2", "q1"]),
        ({"property": "used", "isAscending": False}, ["q1", "q2"]),
        ({"property": "name"}, ["q1", "q2"]),
    ):
        assert alice.call("Quota/query", {"sort": [sort]})["ids"] == ids
    assert alice.error("Quota/query", {"sort": [{"property": "hardLimit"}]}) == {"type": "unsupportedSort"}
    assert alice.error("Quota/query", {"filter": {"used": 1}}) == {"type": "unsupportedFilter"}


@pytest.mark.rfc("9425", "4.5")
def test_a_query_by_usage_follows_it(alice: JMAPClient) -> None:
    sort = {"sort": [{"property": "used"}]}
    before = alice.call("Quota/query", sort)
    assert before["canCalculateChanges"] is True
    add(alice, message(1))
    answer = alice.call("Quota/queryChanges", {"sinceQueryState": before["queryState"], **sort})
    assert answer["removed"] == ["q1", "q2"]
    assert answer["added"] == [{"id": "q2", "index": 0}, {"id": "q1", "index": 1}]


@pytest.mark.rfc("9425", "4.5")
def test_a_query_that_does_not_look_at_the_usage_stays_as_it_is(alice: JMAPClient) -> None:
    query = {"filter": {"name": "alice"}}
    before = alice.call("Quota/query", query)
    add(alice, message(1))
    answer = alice.call("Quota/queryChanges", {"sinceQueryState": before["queryState"], **query})
    assert (answer["removed"], answer["added"]) == ([], [])


@pytest.mark.rfc("9425", "6")
def test_a_changed_usage_is_announced_to_push(alice: JMAPClient, cast: Cast) -> None:
    boxes, blob_id = {roles(alice)["inbox"]: True}, alice.upload(message(1))["blobId"]
    subscription = Redis.from_url(settings.REDIS_URL).pubsub()
    subscription.subscribe(channel())
    assert subscription.get_message(timeout=10) is not None
    alice.call("Email/import", {"emails": {"new": {"blobId": blob_id, "mailboxIds": boxes}}})
    told = subscription.get_message(timeout=10)
    subscription.close()
    assert told is not None
    moved = decode(told["data"])
    assert moved is not None
    state = alice.call("Quota/get", {"ids": []})["state"]
    assert (moved.account_id, moved.modseqs["Quota"]) == (
        cast.alice.account.pk,
        int(state.partition("-")[2]),
    )
    assert "Quota" in state_types()


@pytest.mark.rfc("9425", "8")
def test_another_tenant_sees_nothing(alice: JMAPClient, cast: Cast) -> None:
    charlie = JMAPClient(cast.charlie)
    given = {"accountId": alice.account_id, "ids": None}
    assert charlie.error("Quota/get", given) == {"type": "accountNotFound"}
    assert cast.alice.address not in str(quotas(charlie))


def test_who_may_read_an_account_sees_its_quotas(alice: JMAPClient, cast: Cast) -> None:
    dora = JMAPClient(cast.dora)
    seen = dora.call("Quota/get", {"accountId": alice.account_id, "ids": None})["list"]
    assert [each["hardLimit"] for each in seen] == [10_000, 10]
