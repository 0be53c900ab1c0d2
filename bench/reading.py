"""Workloads that read: everything a client asks for when it opens, lists, shows and polls."""

from __future__ import annotations

from typing import Any

from bench.exchange import Exchange, Request, answers, jmap, result_of
from bench.letters import COMMON_WORD, RARE_WORD, UNCOMMON_WORD
from bench.target import Target
from bench.workload import Facts, Operations, Share

LIST_PROPERTIES = [
    "id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt", "from", "to", "subject", "preview",
    "hasAttachment",
]  # fmt: skip
MESSAGE_PROPERTIES = [
    *LIST_PROPERTIES, "messageId", "inReplyTo", "references", "sentAt", "cc", "bcc", "replyTo", "textBody", "htmlBody",
    "attachments", "bodyValues",
]  # fmt: skip
NEWEST_FIRST = [{"property": "receivedAt", "isAscending": False}]
PAGE = 50
SYNC_PAGE = 500


def _repeated(request: Request) -> Operations:
    while True:
        yield request


def echo(share: Share) -> Operations:
    """Core/echo (RFC 8620 §4)."""
    return _repeated(jmap(("Core/echo", {"hello": True, "high": 5})))


def session(share: Share) -> Operations:
    """The Session resource (RFC 8620 §2)."""
    return _repeated(Request("GET", share.target.addresses.session))


def all_mailboxes(share: Share) -> Operations:
    """Mailbox/get of all (RFC 8621 §2.1)."""
    return _repeated(jmap(("Mailbox/get", {"accountId": share.target.account_id, "ids": None})))


def inbox_query(target: Target) -> dict[str, Any]:
    """The arguments of the query behind a list of conversations, without position and limit."""
    return {
        "accountId": target.account_id,
        "filter": {"inMailbox": target.mailboxes["inbox"]},
        "sort": NEWEST_FIRST,
        "collapseThreads": True,
    }


def open_inbox(share: Share) -> Operations:
    """The first screen of a mail client (the example of RFC 8621 §4.10): 50 conversations and all their Emails."""
    account_id = share.target.account_id
    query = {**inbox_query(share.target), "position": 0, "limit": PAGE, "calculateTotal": True}
    return _repeated(
        jmap(
            ("Email/query", query),
            (
                "Email/get",
                {
                    "accountId": account_id,
                    "#ids": result_of(0, "Email/query", "/ids"),
                    "properties": ["threadId"],
                },
            ),
            (
                "Thread/get",
                {"accountId": account_id, "#ids": result_of(1, "Email/get", "/list/*/threadId")},
            ),
            (
                "Email/get",
                {
                    "accountId": account_id,
                    "#ids": result_of(2, "Thread/get", "/list/*/emailIds"),
                    "properties": LIST_PROPERTIES,
                },
            ),
        )
    )


def open_message(share: Share) -> Operations:
    """Email/get of one with its bodies (RFC 8621 §4.2), another one each time."""
    while True:
        yield jmap(
            (
                "Email/get",
                {
                    "accountId": share.target.account_id,
                    "ids": [share.random.choice(share.target.emails).id],
                    "properties": MESSAGE_PROPERTIES,
                    "fetchTextBodyValues": True,
                    "fetchHTMLBodyValues": True,
                },
            )
        )


def flip_first_email(exchange: Exchange, target: Target) -> None:
    """Change the `$seen` of one Email, so that there is something to synchronise."""
    account_id, email_id = target.account_id, target.emails[0].id
    [found] = answers(
        exchange, ("Email/get", {"accountId": account_id, "ids": [email_id], "properties": ["keywords"]})
    )
    seen = None if "$seen" in found["list"][0]["keywords"] else True
    update = {"accountId": account_id, "update": {email_id: {"keywords/$seen": seen}}}
    answers(exchange, ("Email/set", update))


def states(exchange: Exchange, target: Target) -> Facts:
    """The states of Email and Mailbox as they are."""
    calls = [(f"{name}/get", {"accountId": target.account_id, "ids": []}) for name in ("Email", "Mailbox")]
    email, mailbox = answers(exchange, *calls)
    return {"email_state": email["state"], "mailbox_state": mailbox["state"]}


def states_one_change_ago(exchange: Exchange, target: Target) -> Facts:
    """The states of Email and Mailbox before the newest change."""
    found = states(exchange, target)
    flip_first_email(exchange, target)
    return found


def delta_sync(share: Share) -> Operations:
    """Email/changes from one change ago, and Email/get of what changed (RFC 8620 §5.2)."""
    account_id = share.target.account_id
    return _repeated(
        jmap(
            ("Email/changes", {"accountId": account_id, "sinceState": share.facts["email_state"]}),
            (
                "Email/get",
                {
                    "accountId": account_id,
                    "#ids": result_of(0, "Email/changes", "/updated"),
                    "properties": ["mailboxIds", "keywords"],
                },
            ),
        )
    )


def delta_poll(share: Share) -> Operations:
    """Mailbox/changes and Email/changes from the present states."""
    account_id, facts = share.target.account_id, share.facts
    return _repeated(
        jmap(
            ("Mailbox/changes", {"accountId": account_id, "sinceState": facts["mailbox_state"]}),
            ("Email/changes", {"accountId": account_id, "sinceState": facts["email_state"]}),
        )
    )


def _query(share: Share, condition: dict[str, Any]) -> Operations:
    query = {"accountId": share.target.account_id, "filter": condition, "sort": NEWEST_FIRST, "limit": PAGE}
    return _repeated(jmap(("Email/query", query)))


def query_flagged(share: Share) -> Operations:
    """Email/query of everything flagged (RFC 8621 §4.4.1, hasKeyword)."""
    return _query(share, {"hasKeyword": "$flagged"})


def query_unread(share: Share) -> Operations:
    """Email/query of what is unread in the inbox (RFC 8621 §4.4.1, notKeyword)."""
    return _query(share, {"inMailbox": share.target.mailboxes["inbox"], "notKeyword": "$seen"})


def query_from(share: Share) -> Operations:
    """Email/query of what one correspondent wrote (RFC 8621 §4.4.1, from)."""
    return _query(share, {"from": share.target.correspondent})


def search_rare(share: Share) -> Operations:
    """Email/query of a word that one mail of a thousand has."""
    return _query(share, {"text": RARE_WORD})


def search_uncommon(share: Share) -> Operations:
    """Email/query of a word that two mails of a hundred have."""
    return _query(share, {"text": UNCOMMON_WORD})


def search_common(share: Share) -> Operations:
    """Email/query of a word that every fourth mail has."""
    return _query(share, {"text": COMMON_WORD})


def query_state_one_change_ago(exchange: Exchange, target: Target) -> Facts:
    """The state of the inbox's query before the newest change."""
    [found] = answers(exchange, ("Email/query", {**inbox_query(target), "limit": PAGE}))
    flip_first_email(exchange, target)
    return {"query_state": found["queryState"]}


def query_changes(share: Share) -> Operations:
    """Email/queryChanges of the inbox from one change ago (RFC 8620 §5.6)."""
    since = {"sinceQueryState": share.facts["query_state"], "calculateTotal": True}
    return _repeated(jmap(("Email/queryChanges", {**inbox_query(share.target), **since})))


def initial_sync(share: Share) -> Operations:
    """One page of the first synchronisation: 500 Emails of the whole account with list properties."""
    account_id, position = share.target.account_id, SYNC_PAGE * share.part
    pages = max(1, share.facts["total"] // SYNC_PAGE)
    while True:
        query = {"accountId": account_id, "sort": NEWEST_FIRST, "position": position, "limit": SYNC_PAGE}
        get = {
            "accountId": account_id,
            "#ids": result_of(0, "Email/query", "/ids"),
            "properties": LIST_PROPERTIES,
        }
        yield jmap(("Email/query", query), ("Email/get", get))
        position = (position + SYNC_PAGE * share.parts) % (pages * SYNC_PAGE)


def total(exchange: Exchange, target: Target) -> Facts:
    """How many Emails the account has."""
    query = {"accountId": target.account_id, "limit": 1, "calculateTotal": True}
    [found] = answers(exchange, ("Email/query", query))
    return {"total": found["total"]}


def download(share: Share) -> Operations:
    """Download of a message (RFC 8620 §6.2), another one each time."""
    target = share.target
    while True:
        blob_id = share.random.choice(target.emails).blob_id
        path = target.addresses.download_of(target.account_id, blob_id, "message.eml", "message/rfc822")
        yield Request("GET", path)
