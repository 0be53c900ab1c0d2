"""A day of Alice's: she writes to Bob, to somebody elsewhere, thinks better of a third message, and a fourth comes back."""

from __future__ import annotations

from mail.delivery.deliver import deliver
from mail.outbound.courier import Courier
from tests.protocol.EmailSubmission.sending import draft, envelope, get, submitted
from tests.protocol.outbound.looks import account, inbox, queued, status
from tests.support.client import JMAPClient
from tests.support.outbound import alone
from tests.support.relay import Sink, until


def test_four_messages(alice: JMAPClient, bob: JMAPClient, relay: Sink) -> None:
    relay.replies["nobody@elsewhere.example"] = "550 5.1.1 Nobody of this name"
    to_bob = bob.person.address
    first = submitted(alice, draft(alice, to_bob, number=1))
    second = submitted(alice, draft(alice, "carol@elsewhere.example", number=2))
    held = envelope(alice, "dan@elsewhere.example", HOLDFOR="600")
    third = submitted(alice, draft(alice, "dan@elsewhere.example", number=3), envelope=held)
    fourth = submitted(alice, draft(alice, "nobody@elsewhere.example", number=4))
    undone = alice.call("EmailSubmission/set", {"update": {third: {"undoStatus": "canceled"}}})
    assert undone["notUpdated"] is None
    alone(account(alice))
    courier = Courier(2)
    courier.start()
    try:
        until(lambda: not queued(alice))
    finally:
        courier.stop()
    assert {each.recipients for each in relay.taken} == {(to_bob,), ("carol@elsewhere.example",)}
    # What the relay does with mail for this service: it brings it back.
    [back] = relay.to(to_bob)
    assert [each.is_delivered for each in deliver(back.content, [to_bob], return_path=back.sender)] == [True]
    assert [each["subject"] for each in inbox(bob)] == ["Hello"]
    assert [each["subject"] for each in inbox(alice)] == ["Your message could not be delivered"]
    assert status(alice, fourth) == {"nobody@elsewhere.example": ("550 5.1.1 Nobody of this name", "no")}
    assert status(alice, third) == {"dan@elsewhere.example": ("554 5.7.1 Canceled by the sender", "no")}
    states = [get(alice, each)["undoStatus"] for each in (first, second, third, fourth)]
    assert states == ["final", "final", "canceled", "final"]
    assert len(get(alice, fourth)["dsnBlobIds"]) == 1
