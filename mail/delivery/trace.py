"""The fields that a delivery puts before a message: Return-Path, Delivered-To, Received (RFC 5321 §4.4, RFC 9228)."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from email.utils import format_datetime

MOST_RECEIVED = 50
"""Received fields of a message that is still taken (RFC 5321 §6.3)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def new_transaction_id() -> str:
    """A name for one transaction, in the Received field and in the log."""
    return secrets.token_hex(6)


def check_path(path: str) -> None:
    """Raise ValueError for an address that would end its line."""
    if _CONTROL.search(path):
        raise ValueError(f"control characters in {path!r}")


def received_field(hop: str, recipient: str | None, moment: datetime) -> bytes:
    """The Received field: `hop` is its clauses from `from` or `by` to `id`; `recipient` only where there is but one.

    Who else got a message is nobody's business.
    """
    clauses = f"Received: {hop}" + (f"\r\n\tfor <{recipient}>" if recipient else "")
    return f"{clauses};\r\n\t{format_datetime(moment)}\r\n".encode("utf_8", "replace")


def trace_fields(return_path: str, recipient: str, received: bytes) -> bytes:
    """All that stands before a message in the account of one recipient."""
    head = f"Return-Path: <{return_path}>\r\nDelivered-To: {recipient}\r\n"
    return head.encode("utf_8", "replace") + received
