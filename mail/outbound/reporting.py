"""Notifications on their way to senders: into the sender's inbox, or by the relay where the sender is not here any more."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.blobs.storage import prepare, put_small
from jmapcore.store.database import Connection
from jmapcore.store.write import UnknownAccountError, account_write
from mail.delivery.deliver import deliver
from mail.delivery.outcome import UNKNOWN
from mail.outbound.outgoing import Outgoing
from mail.outbound.persistence import persist
from mail.outbound.queue import Claim
from mail.outbound.relay_address import Relay
from mail.outbound.reports import DELIVERED, Occasion, make_report, parameter, reported
from mail.outbound.settling import REPORT_TIME
from mail.submissions import submit_hidden

if TYPE_CHECKING:
    from mail.outbound.attempt import Loaded

logger = logging.getLogger("mail.outbound")


def make_reports(
    claim: Claim,
    loaded: Loaded,
    due: Sequence[Mapping[str, Any]],
    message: Outgoing,
    relay: Relay | None,
    stopping: threading.Event,
) -> list[Mapping[str, Any]]:
    """Make the notifications that are due; those that were delivered, or can never be. Raises `StoppedError`."""
    mail_from = loaded.envelope["mailFrom"]
    made: list[Mapping[str, Any]] = []
    for stored in due:
        moment, recipients = reported(stored, loaded.envelope)
        occasion = Occasion(
            sender=mail_from["email"],
            host=settings.MAIL_HOST_NAME,
            token=loaded.token,
            envelope_id=parameter(mail_from, "ENVID") or loaded.token,
            sent_at=loaded.send_at,
            moment=moment,
            give_up_at=loaded.give_up_at,
            remote=relay.host if relay is not None and recipients[0].action != DELIVERED else None,
            returned=parameter(mail_from, "RET"),
        )
        octets = make_report(occasion, recipients, message)
        if _is_done(claim, octets, mail_from["email"], loaded.token, stopping) or (
            moment + REPORT_TIME < datetime.now(UTC)
        ):
            made.append(stored)
    return made


def _is_done(claim: Claim, octets: bytes, sender: str, token: str, stopping: threading.Event) -> bool:
    """Deliver one; whether nothing more is to be done for it."""
    from mail.outbound.attempt import own_return_address

    address = own_return_address(claim.account_id, sender, token, stopping) or sender
    [outcome] = deliver(octets, [address], return_path="", is_stopping=stopping.is_set)
    if outcome.reply == UNKNOWN and settings.MAIL_RELAY is not None:
        persist(lambda connection: _pass_on(connection, claim.account_id, octets, sender), stopping)
        return True
    if not outcome.is_delivered and outcome.reply.is_final:
        logger.warning("a notification finds no mailbox: %s", outcome.reply.code)
    return outcome.reply.is_final


def _pass_on(connection: Connection, account_id: int, octets: bytes, sender: str) -> None:
    """Queue a notification for a sender whom this service does not know any more."""
    envelope = {
        "mailFrom": {"email": "", "parameters": None},
        "rcptTo": [{"email": sender, "parameters": {"NOTIFY": "NEVER"}}],
    }
    [content] = prepare(account_id, [(hashlib.sha256(octets).digest(), octets)])
    try:
        with account_write(account_id, connection) as write:
            [blob_id] = put_small(write, [content])
            submit_hidden(write, user_id=0, blob_id=blob_id, envelope=envelope, send_at=datetime.now(UTC))
    except UnknownAccountError:
        logger.warning("a notification finds no account")
