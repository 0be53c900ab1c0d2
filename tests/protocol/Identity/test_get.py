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
                "id": "i1",
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
    answer = client.call("Identity/get", {"ids": ["i1", "i999999999"], "properties": []})
    assert (answer["list"], answer["notFound"]) == ([{"id": "i1"}], ["i999999999"])


@pytest.mark.parametrize("using", [[CORE, MAIL], [CORE, SUBMISSION], [CORE, MAIL, SUBMISSION]])
def test_mail_opens_it_as_submission_does(cast: Cast, using: list[str]) -> None:
    client = JMAPClient(cast.alice)
    call = ["Identity/get", {"accountId": client.account_id, "ids": None}, "0"]
    assert client.request(call, using=using)["methodResponses"][0][0] == "Identity/get"


def test_who_may_not_send_has_no_identities_there(cast: Cast) -> None:
    client = JMAPClient(cast.dora)
    answer = client.request(["Identity/get", {"accountId": cast.alice.account_id, "ids": None}, "0"])
    assert answer["methodResponses"] == [["error", {"type": "accountNotSupportedByMethod"}, "0"]]


@pytest.mark.rfc("8620", "2")
def test_submission_is_accepted_without_being_promised(cast: Cast) -> None:
    session = JMAPClient(cast.alice).session()
    assert (SUBMISSION in session["capabilities"], SUBMISSION in session["primaryAccounts"]) == (False, False)
