"""The mail of the benchmark in an account of another JMAP server, put there through JMAP."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tqdm import tqdm

from bench.exchange import Exchange, RefusedError, Request, answers
from bench.letters import ARCHIVE, DRAFTS, INBOX, MAILBOXES, NEWEST, SENT, Correspondence, Letter
from bench.target import SampleEmail, Target

Path = tuple[str, ...]

ROLES: dict[Path, str] = {
    INBOX: "inbox", SENT: "sent", DRAFTS: "drafts", ARCHIVE: "archive", ("Junk",): "junk", ("Trash",): "trash",
}  # fmt: skip
SAMPLE = 2000
IMPORTED_AT_ONCE = 50
ASKED_AT_ONCE = 500


def filled(exchange: Exchange, target: Target, messages: int, seed: int) -> Target:
    """The target with its mailboxes and a sample, once the account holds the mail of the benchmark and nothing newer.

    Each message is composed: servers that know a message again by its octets could not hold copies. An account that was
    filled in part gets what is missing; what workloads of an earlier run left is removed. Raises `RefusedError` and `OSError`.
    """
    mailboxes = _mailboxes(exchange, target.account_id)
    _remove_newer(exchange, target.account_id)
    roles = {role: mailboxes[path] for path, role in ROLES.items()}
    held = _total(exchange, target.account_id)
    if held < messages:
        letters = Correspondence(seed).letters(messages)[held:]
        with tqdm(total=len(letters), desc="filling the peer", unit=" messages", disable=None) as progress:
            for start in range(0, len(letters), IMPORTED_AT_ONCE):
                some = letters[start : start + IMPORTED_AT_ONCE]
                _import(exchange, target, mailboxes, some)
                progress.update(len(some))
    return replace(
        target,
        mailboxes=roles,
        emails=_sample(exchange, target.account_id, seed),
        correspondent=Correspondence(seed).frequent_correspondent,
    )


def _remove_newer(exchange: Exchange, account_id: str) -> None:
    """Destroy what came later than the newest letter: drafts and imports of earlier runs."""
    later = {"after": f"{NEWEST + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"}
    while True:
        query = {"accountId": account_id, "filter": later, "limit": ASKED_AT_ONCE}
        [found] = answers(exchange, ("Email/query", query))
        if not found["ids"]:
            return
        answers(exchange, ("Email/set", {"accountId": account_id, "destroy": found["ids"]}))


def _total(exchange: Exchange, account_id: str) -> int:
    query = {"accountId": account_id, "limit": 1, "calculateTotal": True}
    [found] = answers(exchange, ("Email/query", query))
    count: int = found["total"]
    return count


def _mailboxes(exchange: Exchange, account_id: str) -> dict[Path, str]:
    """The ids of all 18 mailboxes by path, those that are not there created: first those with a role, by role."""
    [found] = answers(exchange, ("Mailbox/get", {"accountId": account_id, "ids": None}))
    listed = found["list"]
    by_role = {each["role"]: each["id"] for each in listed if each["role"]}
    by_place = {(each["parentId"], each["name"]): each["id"] for each in listed}
    ids: dict[Path, str] = {}
    for path in (*ROLES, *MAILBOXES):
        role, parent = ROLES.get(path), ids.get(path[:-1])
        there = by_role.get(role) if role else by_place.get((parent, path[-1]))
        ids[path] = there or _create_mailbox(exchange, account_id, path[-1], parent, role)
    return ids


def _create_mailbox(
    exchange: Exchange, account_id: str, name: str, parent: str | None, role: str | None
) -> str:
    create = {"new": {"name": name, "parentId": parent, "role": role}}
    [made] = answers(exchange, ("Mailbox/set", {"accountId": account_id, "create": create}))
    mailbox_id: str = made["created"]["new"]["id"]
    return mailbox_id


def _import(exchange: Exchange, target: Target, mailboxes: dict[Path, str], letters: list[Letter]) -> None:
    """Upload some messages and import them with one call (RFC 8621 §4.8)."""
    emails: dict[str, Any] = {}
    for place, letter in enumerate(letters):
        to = target.addresses.upload_to(target.account_id)
        response = exchange(Request("POST", to, letter.raw, "message/rfc822"))
        if (refusal := response.refusal()) is not None:
            raise RefusedError(refusal)
        emails[str(place)] = {
            "blobId": json.loads(response.body)["blobId"],
            "mailboxIds": {mailboxes[path]: True for path in letter.mailboxes},
            "keywords": dict.fromkeys(sorted(letter.keywords), True),
            "receivedAt": f"{letter.received_at:%Y-%m-%dT%H:%M:%SZ}",
        }
    answers(exchange, ("Email/import", {"accountId": target.account_id, "emails": emails}))


def _sample(exchange: Exchange, account_id: str, seed: int) -> tuple[SampleEmail, ...]:
    ids = list(_all_ids(exchange, account_id))
    chosen = random.Random(seed).sample(ids, min(SAMPLE, len(ids)))
    found: list[SampleEmail] = []
    for start in range(0, len(chosen), ASKED_AT_ONCE):
        get = {
            "accountId": account_id,
            "ids": chosen[start : start + ASKED_AT_ONCE],
            "properties": ["blobId", "keywords"],
        }
        [got] = answers(exchange, ("Email/get", get))
        found += [
            SampleEmail(each["id"], each["blobId"], "$seen" in each["keywords"]) for each in got["list"]
        ]
    return tuple(found)


def _all_ids(exchange: Exchange, account_id: str) -> Iterator[str]:
    """The ids of all Emails, oldest first."""
    position = 0
    while True:
        query = {
            "accountId": account_id,
            "sort": [{"property": "receivedAt", "isAscending": True}],
            "position": position,
            "limit": ASKED_AT_ONCE,
        }
        [found] = answers(exchange, ("Email/query", query))
        if not found["ids"]:
            return
        yield from found["ids"]
        position += len(found["ids"])
