"""Mail in the session (RFC 8621 §1.3.1)."""

from __future__ import annotations

import pytest

from tests.support.cast import Cast
from tests.support.client import MAIL, JMAPClient

SORTS = [
    "receivedAt", "size", "from", "to", "subject", "sentAt", "hasKeyword", "allInThreadHaveKeyword",
    "someInThreadHaveKeyword",
]  # fmt: skip


@pytest.mark.rfc("8621", "1.3.1")
def test_what_mail_can_do_in_an_account(cast: Cast) -> None:
    session = JMAPClient(cast.alice).session()
    assert session["capabilities"][MAIL] == {}
    assert session["accounts"][cast.alice.account_id]["accountCapabilities"][MAIL] == {
        "maxMailboxesPerEmail": 100,
        "maxMailboxDepth": 10,
        "maxSizeMailboxName": 255,
        "maxSizeAttachmentsPerEmail": 50_000_000,
        "emailQuerySortOptions": SORTS,
        "mayCreateTopLevelMailbox": True,
    }


@pytest.mark.rfc("8621", "1.3.1")
def test_a_reader_creates_no_mailbox(cast: Cast) -> None:
    account = JMAPClient(cast.dora).session()["accounts"][cast.alice.account_id]
    assert account["accountCapabilities"][MAIL]["mayCreateTopLevelMailbox"] is False


@pytest.mark.rfc("8620", "3.3")
def test_without_its_capability_mail_is_unknown(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    call = ["Mailbox/get", {"accountId": client.account_id, "ids": None}, "0"]
    answer = client.request(call, using=["urn:ietf:params:jmap:core"])
    assert answer["methodResponses"] == [["error", {"type": "unknownMethod"}, "0"]]
