"""Short looks at what became of a submission."""

from __future__ import annotations

from typing import Any

from jmapcore.store.database import connection
from tests.protocol.EmailSubmission.sending import get
from tests.protocol.post import roles
from tests.support.client import JMAPClient


def account(client: JMAPClient) -> int:
    """The number of the client's account."""
    return client.person.account.pk


def queued(client: JMAPClient) -> list[tuple[Any, ...]]:
    """What is queued: number, lease, attempts, who has taken it."""
    with connection() as lent:
        return lent.execute(
            "SELECT id, leased_until, attempts, taken FROM submission_queue WHERE account_id = %s ORDER BY id",
            (account(client),),
        ).fetchall()


def status(client: JMAPClient, submission_id: str) -> dict[str, tuple[str, str]]:
    """The reply, and what is known of the delivery, of each recipient."""
    found = get(client, submission_id)["deliveryStatus"]
    return {email: (each["smtpReply"], each["delivered"]) for email, each in found.items()}


def token(client: JMAPClient, submission_id: str) -> str:
    """What comes back with receipts."""
    from jmapcore.store.database import read

    with connection() as lent:
        (rows,) = read(
            lent,
            account(client),
            (
                "SELECT envelope_id FROM email_submission WHERE account_id = %s AND id = %s",
                (account(client), int(submission_id[1:])),
            ),
        )
    found: str = rows[0][0]
    return found


def inbox(client: JMAPClient) -> list[dict[str, Any]]:
    """What is in the inbox, the newest first, with what a bounce says."""
    answer = client.request(
        [
            "Email/query",
            {
                "accountId": client.account_id,
                "filter": {"inMailbox": roles(client)["inbox"]},
                "sort": [{"property": "receivedAt", "isAscending": False}],
            },
            "0",
        ],
        [
            "Email/get",
            {
                "accountId": client.account_id,
                "#ids": {"resultOf": "0", "name": "Email/query", "path": "/ids"},
                "properties": [
                    "subject",
                    "from",
                    "to",
                    "bodyStructure",
                    "bodyValues",
                    "blobId",
                    "header:Return-Path:asRaw",
                ],
                "fetchAllBodyValues": True,
            },
            "1",
        ],
    )
    found: list[dict[str, Any]] = answer["methodResponses"][1][1]["list"]
    return found


def raw(client: JMAPClient, email: dict[str, Any]) -> bytes:
    """The octets of an Email."""
    response = client.http.get(f"/jmap/download/{client.account_id}/{email['blobId']}/x?type=message/rfc822")
    body: Any = response
    return b"".join(body.streaming_content) if body.streaming else body.content
