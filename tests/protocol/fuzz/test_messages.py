"""Messages that nobody would send, all the way: uploaded, imported, every property fetched, every part downloaded."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from jmapcore.registry import registry
from tests.protocol.fuzz.ground import Ground
from tests.support.client import JMAPClient
from tests.support.examples import play
from tests.support.hostile import MESSAGES
from tests.support.values import ACCOUNT, FIELDS

FORMS_OF_FIELDS = {
    "asRaw": FIELDS,
    "asText": ["Subject", "X-Any", "List-Id"],
    "asAddresses": ["From", "To", "Resent-To", "X-Any"],
    "asGroupedAddresses": ["From", "Cc", "X-Any"],
    "asMessageIds": ["Message-ID", "References", "X-Any"],
    "asDate": ["Date", "X-Any"],
    "asURLs": ["List-Post", "X-Any"],
}
HEADER_PROPERTIES = [
    f"header:{name}:{form}{every}"
    for form, names in FORMS_OF_FIELDS.items()
    for name in names
    if name.isascii() and name.replace("-", "").isalpha()
    for every in ("", ":all")
]
PART_PROPERTIES = [
    "partId", "blobId", "size", "headers", "name", "type", "charset", "disposition", "cid", "language", "location", "subParts",
    "header:Subject:asText", "header:From:asGroupedAddresses:all", "header:References:asMessageIds", "header:Date:asDate",
]  # fmt: skip


def leaves(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a bodyStructure that have content."""
    if part["partId"] is not None:
        return [part]
    return [leaf for inner in part["subParts"] or [] for leaf in leaves(inner)]


@pytest.mark.fuzz
@pytest.mark.rfc("8621", "4.2")
@pytest.mark.rfc("8621", "4.8")
def test_every_property_of_every_message_can_be_fetched(database: None) -> None:
    ground = Ground()
    properties = [*registry.types["Email"].properties, *HEADER_PROPERTIES]
    wanted = {
        "properties": properties,
        "bodyProperties": PART_PROPERTIES,
        "fetchAllBodyValues": True,
    }

    def fetch(raw: bytes) -> None:
        with ground.example():
            client = JMAPClient(ground.person)
            blob_id = client.upload(raw)["blobId"]
            new = {"blobId": blob_id, "mailboxIds": {"@Mailbox:0": True}}
            emails = {"accountId": ACCOUNT, "emails": {"new": new}}
            [[_, imported, _]] = ground.send(["Email/import", emails, "0"])["methodResponses"]
            if imported["created"] is None:
                assert imported["notCreated"]["new"]["type"] in {"invalidEmail", "tooLarge"}
                return
            email_id = imported["created"]["new"]["id"]
            answers = ground.send(
                ["Email/get", {"accountId": ACCOUNT, "ids": [email_id], **wanted}, "0"],
                [
                    "Email/get",
                    {"accountId": ACCOUNT, "ids": [email_id], **wanted, "maxBodyValueBytes": 7},
                    "1",
                ],
                ["Email/get", {"accountId": ACCOUNT, "ids": [email_id]}, "2"],
            )["methodResponses"]
            [whole], [cut], [_] = (answer["list"] for _, answer, _ in answers)
            assert whole.keys() == {*properties}
            assert whole["size"] == len(raw)
            assert orjson.dumps(whole)
            for value in cut["bodyValues"].values():
                assert len(value["value"].encode()) <= 7
            for part in leaves(whole["bodyStructure"])[:5]:
                content = b"".join(client.download(part["blobId"], content_type=part["type"] or "x/x"))
                assert len(content) == part["size"]

    play(fetch, MESSAGES)
    ground.leave()
