"""Identity/get (RFC 8621 §6.1)."""

from __future__ import annotations

import pytest

from accounts import provisioning
from tests.support.cast import Cast
from tests.support.client import CORE, MAIL, JMAPClient

SUBMISSION = "urn:ietf:params:jmap:submission"

pytestmark = pytest.mark.rfc("8621", "6.1")


def test_the_owners_address_is_an_identity_from_the_start(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    assert client.call("Identity/get", {"ids": None}) | {"state": ""} == {
        "accountId": client.account_id,
        "state": "",
        "list": [
            {
                "id": "i7",
                "name": cast.alice.user.name,
                "email": cast.alice.address,
                "replyTo": None,
                "bcc": None,
                "textSignature": "",
                "htmlSignature": "",
                "mayDelete": False,
            }
        ],
        "notFound": [],
    }


def test_an_alias_is_an_identity_and_changes_the_state(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    before = client.call("Identity/get", {"ids": []})["state"]
    address = f"sales@{cast.north_domain.name}"
    provisioning.add_alias(address, cast.alice.account)
    answer = client.call("Identity/get", {"ids": None, "properties": ["email"]})
    assert [each["email"] for each in answer["list"]] == [cast.alice.address, address]
    assert answer["state"] != before


def test_some_by_their_ids(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    answer = client.call("Identity/get", {"ids": ["i7", "i999999999"], "properties": []})
    assert (answer["list"], answer["notFound"]) == ([{"id": "i7"}], ["i999999999"])


@pytest.mark.parametrize("using", [[CORE, MAIL], [CORE, SUBMISSION], [CORE, MAIL, SUBMISSION]])
def test_mail_opens_it_as_submission_does(cast: Cast, using: list[str]) -> None:
    client = JMAPClient(cast.alice)
    call = ["Identity/get", {"accountId": client.account_id, "ids": None}, "0"]
    assert client.request(call, using=using)["methodResponses"][0][0] == "Identity/get"


def test_who_may_not_send_has_no_identities_there(cast: Cast) -> None:
    client = JMAPClient(cast.dora)
    answer = client.request(["Identity/get", {"accountId": cast.alice.account_id, "ids": None}, "0"])
    assert answer["methodResponses"] == [["error", {"type": "accountNotSupportedByMethod"}, "0"]]


def test_every_member_is_there_of_what_a_user_added_too(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    created = client.call("Identity/set", {"create": {"new": {"email": cast.alice.address}}})["created"][
        "new"
    ]
    answer = client.call("Identity/get", {"ids": [created["id"]]})
    assert answer["list"] == [
        {
            "id": created["id"],
            "name": "",
            "email": cast.alice.address,
            "replyTo": None,
            "bcc": None,
            "textSignature": "",
            "htmlSignature": "",
            "mayDelete": True,
        }
    ]


@pytest.mark.rfc("8621", "1.3.2")
def test_the_session_promises_submission_where_the_caller_may_send(cast: Cast) -> None:
    bobs = JMAPClient(cast.bob).session()
    value = {
        "maxDelayedSend": 2_592_000,
        "submissionExtensions": {
            "FUTURERELEASE": [],
            "SIZE": ["75000000"],
            "DSN": [],
            "8BITMIME": [],
            "SMTPUTF8": [],
        },
    }
    promised = {name: each["accountCapabilities"].get(SUBMISSION) for name, each in bobs["accounts"].items()}
    assert bobs["capabilities"][SUBMISSION] == {}
    assert promised == {cast.bob.account_id: value, cast.alice.account_id: None}
