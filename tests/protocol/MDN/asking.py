"""Messages whose senders ask to be notified, and short ways to notify them."""

from __future__ import annotations

from typing import Any

from tests.protocol.post import add, message
from tests.support.client import JMAPClient

SENDER = "ann1@example.org"
DISPOSITION = {"actionMode": "manual-action", "sendingMode": "mdn-sent-manually", "type": "displayed"}
ASKS = f"Disposition-Notification-To: Ann <{SENDER}>\r\n"


def asks(client: JMAPClient, number: int = 1, *, fields: str = ASKS, **properties: Any) -> str:
    """An Email whose sender asks; its id."""
    return add(client, message(number, subject="World domination", fields=fields), **properties)


def identity(client: JMAPClient) -> str:
    """The identity of the client's own address."""
    found: str = client.call("Identity/get", {"ids": None})["list"][0]["id"]
    return found


def mdn(email_id: str, **properties: Any) -> dict[str, Any]:
    """An MDN of an Email that was displayed."""
    return {"forEmailId": email_id, "disposition": DISPOSITION, **properties}


def marking(*keys: str) -> dict[str, Any]:
    """The onSuccessUpdateEmail that marks Emails, or those of MDNs by `#` and their creation ids."""
    return {key: {"keywords/$mdnsent": True} for key in keys}


def arguments(client: JMAPClient, send: dict[str, Any], **further: Any) -> dict[str, Any]:
    """The arguments of MDN/send."""
    given = {
        "identityId": identity(client),
        "send": send,
        "onSuccessUpdateEmail": marking(*(f"#{key}" for key in send)),
    }
    return {**given, **further}


def send(client: JMAPClient, email_id: str, **properties: Any) -> dict[str, Any]:
    """What MDN/send answers to one notification `k`."""
    return client.call("MDN/send", arguments(client, {"k": mdn(email_id, **properties)}))


def refusal(client: JMAPClient, email_id: str, **properties: Any) -> dict[str, Any]:
    """Why one notification is refused."""
    answer = send(client, email_id, **properties)
    assert answer["sent"] is None, answer
    error: dict[str, Any] = answer["notSent"]["k"]
    return error


def keywords(client: JMAPClient, email_id: str) -> dict[str, bool]:
    """The keywords of an Email."""
    [email] = client.call("Email/get", {"ids": [email_id], "properties": ["keywords"]})["list"]
    found: dict[str, bool] = email["keywords"]
    return found
