"""Receipts that come back are noted with the submission that they speak of, in the write that delivers them (RFC 8621 §7).

A receipt belongs to a submission by the token that was sent with it and by nothing else: whoever knows of a message (its
Message-ID, its recipients, its date) must not be able to say what became of it. The recipients of a message do know its token,
as they see where receipts go; what they claim concerns the recipients of that one submission alone, and nothing that is final.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote

from accounts.addresses import normalise_address
from jmapcore.store.write import AccountWrite
from mail.delivery.hooks import Arrived
from mail.fragments import json_text
from mail.receipts.reports import (
    DeliveryReport,
    DispositionReport,
    Report,
    is_report,
    read_report,
    typed_address,
)
from mail.submissions import TYPE, is_token, token_of_address

MOST_REPORTS = 2_000
"""Receipts of each kind that one submission names; with a thousand recipients there may be two of each."""

FIND = """
    SELECT s.id, s.envelope_id, s.envelope, s.delivery_status, s.dsn_blob_ids, s.mdn_blob_ids, q.taken
    FROM email_submission AS s LEFT JOIN submission_queue AS q ON q.account_id = %s AND q.id = s.id
    WHERE s.account_id = %s AND s.envelope_id = ANY(%s::text[]) AND NOT s.is_destroyed"""
SAVE = """
    UPDATE email_submission SET delivery_status = %s::jsonb, dsn_blob_ids = %s::jsonb, mdn_blob_ids = %s::jsonb
    WHERE account_id = %s AND id = %s"""
ADD_REPORT = """
    INSERT INTO submission_report (account_id, submission_id, blob_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"""

Status = dict[str, dict[str, Any]]
"""The deliveryStatus of a submission: DeliveryStatus objects by the addresses of its recipients."""

_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF_8_XTEXT = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_REPLY = re.compile(r"([245]\d\d)([ -])((?:[245]\.\d{1,3}\.\d{1,3})?)(.*)")
_FINAL = frozenset({"yes", "no"})
QUEUED = "queued"
_SYNTHETIC = {
    "failed": ("550", "5.0.0", "Delivery failed"),
    "delivered": ("250", "2.0.0", "Delivered"),
}
_LONGEST_REPLY = 1_000


def match_receipt(write: AccountWrite, arrived: Arrived) -> None:
    """Note a receipt with the submission of this account that it speaks of; a hook of `mail.delivery.hooks.in_write`."""
    if arrived.prepared.summary.body_structure[0][0] != "multipart/report":
        return
    if not is_report(arrived.incoming.scanned):
        return
    report = read_report(arrived.incoming.scanned)
    tokens = [] if report is None else tokens_of(report, arrived.recipient)
    if report is None or not tokens:
        return
    (rows,) = write.run((FIND, (write.account_id, write.account_id, tokens)))
    by_token = {row[1]: row for row in rows}
    row = next((by_token[token] for token in tokens if token in by_token), None)
    if row is None:
        return
    number, _, envelope, status, dsn_blob_ids, mdn_blob_ids, taken = row
    ids = dsn_blob_ids if isinstance(report, DeliveryReport) else mdn_blob_ids
    blob_id = f"b{arrived.blob_id}"
    if blob_id in ids or len(ids) >= MOST_REPORTS:
        return
    ids.append(blob_id)
    status = status_after(status, envelope, report, taken or ())
    write.defer(
        (SAVE, (*map(json_text, (status, dsn_blob_ids, mdn_blob_ids)), write.account_id, number)),
        (ADD_REPORT, (write.account_id, number, arrived.blob_id)),
    )
    write.updated(TYPE, number)


def tokens_of(report: Report, recipient: str) -> list[str]:
    """The tokens by which a report may be known: that of the address it came to, and the ENVID that it names."""
    found = [token_of_address(recipient)]
    if isinstance(report, DeliveryReport):
        envelope_id = report.envelope_id.lower()
        found.append(envelope_id if is_token(envelope_id) else None)
    return [token for token in dict.fromkeys(found) if token is not None]


def status_after(
    status: Status, envelope: Mapping[str, Any], report: Report, taken: Collection[int] = ()
) -> Status:
    """The deliveryStatus of a submission once a report has been read.

    Nobody can end the delivery to a recipient for whom the message is still in our queue: none but those at the places `taken`
    of the envelope, for whom it has left, can have been reported of.
    """
    recipient_of = _recipients(status, envelope)
    kept = {
        recipient["email"]
        for place, recipient in enumerate(envelope["rcptTo"])
        if place not in taken and status.get(recipient["email"], {}).get("delivered") == QUEUED
    }
    new = {address: dict(each) for address, each in status.items()}
    if isinstance(report, DispositionReport):
        named = [typed_address(report.original_recipient), typed_address(report.final_recipient)]
        address = recipient_of(named)
        # "this property SHOULD be set to "yes"" where the disposition type is "displayed" (§7).
        if address is not None and report.type == "displayed":
            new[address]["displayed"] = "yes"
        return new
    for each in report.recipients:
        address = recipient_of([each.original, each.final])
        if address is None or address in kept or new[address]["delivered"] in _FINAL:
            continue
        reply = _reply(each.diagnostic) if each.diagnostic else None
        if each.action in _SYNTHETIC:
            code, code_of_action, text = _SYNTHETIC[each.action]
            enhanced = each.status if each.status[:1] == code[0] else code_of_action
            fitting = reply if reply is not None and reply[0] == code[0] else None
            new[address]["smtpReply"] = fitting or f"{code} {enhanced} {text}"
            new[address]["delivered"] = "no" if each.action == "failed" else "yes"
        elif reply is not None:
            # "Receipt of any other DSN SHOULD NOT affect" what is said of the delivery.
            new[address]["smtpReply"] = reply
    return new


def _recipients(status: Status, envelope: Mapping[str, Any]) -> Callable[[list[str]], str | None]:
    """From the addresses in a report to the recipient of the submission that they mean."""
    known: dict[str, str] = {}
    for recipient in envelope["rcptTo"]:
        address = recipient["email"]
        if address in status:
            parameters = {name.upper(): value for name, value in (recipient["parameters"] or {}).items()}
            original = typed_address(parameters.get("ORCPT") or "")
            for spelling in filter(None, (address, original)):
                known.setdefault(_spelled(spelling), address)
    only = next(iter(status)) if len(status) == 1 else None

    def recipient_of(addresses: list[str]) -> str | None:
        for address in filter(None, addresses):
            for form in (address, _decoded(address)):
                if (found := known.get(_spelled(form))) is not None:
                    return found
        # Mail that was forwarded is reported for an address that nobody wrote to.
        return only

    return recipient_of


def _spelled(address: str) -> str:
    return normalise_address(address) or address.lower()


def _decoded(address: str) -> str:
    """An address without the encodings of RFC 3461 §4 and RFC 6533 §3, which some hosts leave in."""
    if "\\x{" in address:
        return _UTF_8_XTEXT.sub(lambda match: _character(match[1]), address)
    return unquote(_XTEXT.sub(r"%\1", address.replace("%", "%25")))


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"


def _reply(diagnostic: str) -> str | None:
    """An SMTP reply of several lines as one string (RFC 8621 §7); None for what is no reply."""
    match = _REPLY.fullmatch(diagnostic[:_LONGEST_REPLY])
    if match is None:
        return None
    code, _, enhanced, text = match.groups()
    # The lines were unfolded into one; their prefixes, which are those of the first line, still stand in it.
    prefix = rf" {code}[ -]{re.escape(enhanced)} ?" if enhanced else rf" {code}-"
    return f"{code} {enhanced}{re.sub(prefix, ' ', text)}".strip()
