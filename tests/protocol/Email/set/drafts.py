"""Drafts for the tests of Email/set create."""

from __future__ import annotations

from typing import Any

from tests.protocol.post import get, roles
from tests.support.client import JMAPClient

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def draft(client: JMAPClient, **properties: Any) -> dict[str, Any]:
    """An Email to create, in the Drafts."""
    return {"mailboxIds": {roles(client)["drafts"]: True}, **properties}


def text(value: str = "Text") -> dict[str, Any]:
    """The properties of a text body."""
    return {"textBody": [{"partId": "t", "type": "text/plain"}], "bodyValues": {"t": {"value": value}}}


def html(value: str = "<p>HTML</p>") -> dict[str, Any]:
    """The properties of an HTML body."""
    return {"htmlBody": [{"partId": "h", "type": "text/html"}], "bodyValues": {"h": {"value": value}}}


def both(plain: str = "Text", rich: str = "<p>HTML</p>") -> dict[str, Any]:
    """The properties of a text and an HTML body."""
    values = {"t": {"value": plain}, "h": {"value": rich}}
    return {**text(), **html(), "bodyValues": values}


def created(client: JMAPClient, **properties: Any) -> dict[str, Any]:
    """What the creation of a draft with these properties answers."""
    answer = client.call("Email/set", {"create": {"new": draft(client, **properties)}})
    assert answer["notCreated"] is None, answer
    email: dict[str, Any] = answer["created"]["new"]
    return email


def refusal(client: JMAPClient, **properties: Any) -> dict[str, Any]:
    """The SetError of a draft with these properties."""
    answer = client.call("Email/set", {"create": {"new": draft(client, **properties)}})
    assert answer["created"] is None, answer
    error: dict[str, Any] = answer["notCreated"]["new"]
    return error


def invalid(*properties: str) -> dict[str, Any]:
    """The SetError that names these properties."""
    return {"type": "invalidProperties", "properties": sorted(properties)}


def octets(client: JMAPClient, blob_id: str) -> bytes:
    """A downloaded blob."""
    response = client.download(blob_id)
    assert response.status_code == 200
    content: bytes = b"".join(response)
    return content


def shape(part: dict[str, Any]) -> Any:
    """A body part as its type, a multipart with its parts."""
    return (
        part["type"]
        if part["subParts"] is None
        else (part["type"], [shape(each) for each in part["subParts"]])
    )


def structure(client: JMAPClient, email_id: str) -> Any:
    """The tree of an Email's types."""
    whole = get(client, email_id, "bodyStructure", bodyProperties=["type", "subParts"])["bodyStructure"]
    return shape(whole)
