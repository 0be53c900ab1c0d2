"""Whether and to whom an answer goes, in the write that delivers a message (RFC 8621 §8, RFC 3834 §2).

The answer and that it was given are rows of the same commit as the message: a kill loses neither and doubles neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from accounts.addresses import normalise_address
from jmapcore.blobs import storage
from jmapcore.store.database import Row
from jmapcore.store.write import AccountWrite
from mail.delivery.hooks import Arrived
from mail.message.compose_words import ComposeError
from mail.message.summary import Summary
from mail.sending import is_mailbox, own_addresses_statement
from mail.submissions import submit_hidden
from mail.vacation.composing import Answered, Response, compose_answer
from mail.vacation.judgement import reason_for_silence

SILENCE = timedelta(days=7)
"""How long nobody gets a second answer: RFC 3834 §2 names this time."""
MOST_SENDERS = 10_000
"""Answers within that time from one account; beyond it, no more: junk with invented senders must not become junk of ours."""
MOST_RECIPIENTS = 1_000
"""Addresses in To, Cc and Bcc among which the user's own are looked for."""

_BATV = re.compile(r"prvs=[^=@]+=")
_SRS = re.compile(r"srs0[=+-][^=@]+=[^=@]+=|srs1[=+-][^=@]+=[^=@]+==[^=@]+=[^=@]+=")

# The account is to answer now, has not answered this sender, and has not answered too many.
RESPONSE = """
    SELECT v.subject, v.text_body, v.html_body FROM vacation_response AS v
    WHERE v.account_id = %s AND v.id = 0 AND v.is_enabled
        AND (v.from_date IS NULL OR v.from_date <= %s) AND (v.to_date IS NULL OR v.to_date > %s)
        AND NOT EXISTS (SELECT 1 FROM vacation_sender AS s
            WHERE s.account_id = %s AND s.address = %s AND s.answered_at > %s)
        AND (SELECT count(*) FROM (SELECT 1 FROM vacation_sender AS s
            WHERE s.account_id = %s AND s.answered_at > %s LIMIT %s) AS answered) < %s"""
NAMES = "SELECT email, name FROM identity WHERE account_id = %s ORDER BY may_delete, id LIMIT 200"
REMEMBER = """
    INSERT INTO vacation_sender (account_id, address, answered_at) VALUES (%s, %s, %s)
    ON CONFLICT (account_id, address) DO UPDATE SET answered_at = excluded.answered_at"""


def answer(write: AccountWrite, arrived: Arrived) -> None:
    """Queue an answer to a message, if it is to have one; a hook of `mail.delivery.hooks.in_write`."""
    sender = arrived.return_path
    if not arrived.answers or arrived.is_junk or not is_mailbox(sender):
        return
    if reason_for_silence(arrived.incoming.fields, sender) is not None:
        return
    response = _response(write, arrived, remembered_as(sender))
    if response is None:
        return
    (own, names) = write.run(
        own_addresses_statement(write.account_id, [*_named(arrived), remembered_as(sender)]),
        (NAMES, (write.account_id,)),
    )
    mine = {row[0] for row in own}
    addressed = next((address for address in _named(arrived) if address in mine), None)
    if addressed is None or remembered_as(sender) in mine:
        return
    raw = _composed(response, arrived.prepared.summary, addressed, names, sender)
    if raw is not None:
        _queue(write, arrived, raw, sender)


def _response(write: AccountWrite, arrived: Arrived, sender: str) -> Response | None:
    account_id, now = write.account_id, arrived.received_at
    since = now - SILENCE
    parameters = (
        *(account_id, now, now),
        *(account_id, sender, since),
        *(account_id, since, MOST_SENDERS, MOST_SENDERS),
    )
    (rows,) = write.run((RESPONSE, parameters))
    return Response(*rows[0]) if rows else None


def remembered_as(sender: str) -> str:
    """The person behind an envelope sender: without what hosts put into it that changes from message to message.

    A detail, be it the token of a submission (`mail.submissions.return_address`), and the tags of BATV and SRS.
    """
    normal = normalise_address(sender) or sender.lower()
    if (match := _SRS.match(normal)) is not None:
        return normal[match.end() :]
    normal = _BATV.sub("", normal)
    local_part, at, domain = normal.rpartition("@")
    return f"{local_part.partition('+')[0] or local_part}{at}{domain}"


def _named(arrived: Arrived) -> list[str]:
    """The addresses in To, Cc and Bcc, the one first to which this message was delivered where it is among them.

    "the responder SHOULD NOT respond … unless the recipient's e-mail address … is explicitly included" (RFC 3834 §2).
    """
    named = list(dict.fromkeys(_addresses(arrived.prepared.summary)))
    return sorted(named, key=lambda address: address != arrived.recipient)


def _addresses(summary: Summary) -> Iterator[str]:
    left = MOST_RECIPIENTS
    for addresses in (summary.to, summary.cc, summary.bcc):
        for each in (addresses or ())[:left]:
            left -= 1
            if (normal := normalise_address(each["email"] or "")) is not None:
                yield normal


def _composed(response: Response, summary: Summary, own: str, names: list[Row], sender: str) -> bytes | None:
    """The answer from one of the user's addresses; None where no message can be made."""
    name = next((row[1] for row in names if row[0] == own), names[0][1] if names else "")
    answered = Answered(
        summary.subject, summary.message_id or (), summary.references or summary.in_reply_to or ()
    )
    now = datetime.now(UTC)
    try:
        return compose_answer(response, answered, name=name, sender=own, recipient=sender, now=now)
    except ComposeError:
        return None


def _queue(write: AccountWrite, arrived: Arrived, raw: bytes, sender: str) -> None:
    [blob_id] = storage.put_small(write, [(storage.blob_hash(raw), raw)])
    envelope = {
        # "the return address of the response SHOULD be … empty" (RFC 3834 §3.3): no answer to the answer, whoever has it.
        "mailFrom": {"email": "", "parameters": None},
        "rcptTo": [{"email": sender, "parameters": None}],
    }
    submit_hidden(
        write, user_id=arrived.owner_id, blob_id=blob_id, envelope=envelope, send_at=datetime.now(UTC)
    )
    write.defer((REMEMBER, (write.account_id, remembered_as(sender), arrived.received_at)))
