"""What must hold when the storm is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.http_client import Client

PAGE = 500


@dataclass
class Findings:
    """Sentences about what is wrong, and figures worth printing."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, number: int) -> None:
        """Add to a figure."""
        self.figures[name] = self.figures.get(name, 0) + number


def all_ids(client: Client) -> list[str]:
    """The ids of every Email of the account."""
    ids: list[str] = []
    while True:
        [page] = client.call(("Email/query", {"filter": None, "position": len(ids), "limit": PAGE}))
        ids += page["ids"]
        if len(page["ids"]) < PAGE:
            return ids


def emails(client: Client, ids: list[str], properties: list[str]) -> list[dict[str, Any]]:
    """These Emails."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), PAGE):
        [page] = client.call(("Email/get", {"ids": ids[start : start + PAGE], "properties": properties}))
        found += page["list"]
    return found


def replay(client: Client, type_name: str, state: str) -> set[str]:
    """What a client that had nothing at `state` holds now, by /changes alone."""
    held: set[str] = set()
    while True:
        [page] = client.call((f"{type_name}/changes", {"sinceState": state, "maxChanges": 200}))
        held |= set(page["created"])
        held -= set(page["destroyed"])
        state = page["newState"]
        if not page["hasMoreChanges"]:
            return held


def check_arrivals(client: Client, address: str, accepted: set[tuple[int, str]], findings: Findings) -> None:
    """Every message that was answered 250 for the address is there exactly once, and nothing else from outside."""
    there: Counter[str] = Counter()
    for each in emails(client, all_ids(client), ["messageId", "mailboxIds"]):
        identifier = (each["messageId"] or [""])[0]
        if identifier.startswith("in-"):
            there[identifier] += 1
    expected = {f"in-{number}@elsewhere.example" for number, recipient in accepted if recipient == address}
    findings.count("messages found", sum(there.values()))
    if lost := sorted(expected - set(there)):
        findings.wrong.append(f"{address}: {len(lost)} accepted messages are not there: {lost[:5]}")
    if strange := sorted(set(there) - expected):
        findings.wrong.append(
            f"{address}: {len(strange)} messages nobody was told are accepted: {strange[:5]}"
        )
    if twice := sorted(name for name, times in there.items() if times > 1):
        findings.wrong.append(f"{address}: {len(twice)} messages are there more than once: {twice[:5]}")


def check_changes(client: Client, address: str, since: dict[str, str], findings: Findings) -> None:
    """The change log replays to the same mailbox."""
    held, there = replay(client, "Email", since["Email"]), set(all_ids(client))
    if held != there:
        findings.wrong.append(
            f"{address}: following Email/changes gives {len(held)} Emails where there are {len(there)}"
        )
    [boxes] = client.call(("Mailbox/get", {"ids": None}))
    for box in boxes["list"]:
        [query] = client.call(
            ("Email/query", {"filter": {"inMailbox": box["id"]}, "limit": 0, "calculateTotal": True})
        )
        if query["total"] != box["totalEmails"]:
            findings.wrong.append(
                f"{address}: {box['name']} says {box['totalEmails']} and holds {query['total']}"
            )


def check_submissions(
    client: Client, sent: dict[int, str], expected: dict[int, str], findings: Findings
) -> None:
    """Every submission has ended as it should, each is there once, and no Email was submitted twice.

    `expected` has the `delivered` of each number's one recipient.
    """
    ids = list(sent.values())
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), PAGE):
        [page] = client.call(("EmailSubmission/get", {"ids": ids[start : start + PAGE]}))
        found |= {each["id"]: each for each in page["list"]}
    for number, submission_id in sent.items():
        submission = found.get(submission_id)
        if submission is None:
            findings.wrong.append(f"submission {number} is not there")
            continue
        if submission["undoStatus"] != "final":
            findings.wrong.append(f"submission {number} is {submission['undoStatus']}")
        [status] = submission["deliveryStatus"].values()
        if status["delivered"] != expected[number]:
            findings.wrong.append(f"submission {number}: {status}, not {expected[number]}")
    [query] = client.call(("EmailSubmission/query", {"limit": 0, "calculateTotal": True}))
    if query["total"] != len(sent):
        findings.wrong.append(f"{len(sent)} messages were sent by {query['total']} submissions")


def still_pending(client: Client) -> int:
    """How many submissions of the account have not ended."""
    [query] = client.call(
        ("EmailSubmission/query", {"filter": {"undoStatus": "pending"}, "limit": 0, "calculateTotal": True})
    )
    return int(query["total"])
