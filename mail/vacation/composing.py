"""The answer itself (RFC 3834 §3, RFC 8621 §8), composed as any other message is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mail.message.compose import Draft, compose
from mail.message.compose_fields import Field, addresses_value, text_value
from mail.message.compose_parts import DraftPart, arranged
from mail.message.compose_reply import reply_fields
from mail.message.compose_words import ComposeError
from mail.message.html_text import html_to_text

LONGEST_SUBJECT = 200
"""Characters of the subject that is answered."""

DEFAULT_TEXT = "I am away at the moment, and will read your message when I am back.\n"
"""What is said where the user has written nothing: "an appropriate default body SHOULD be generated" (RFC 8621 §8)."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a user has written for the time away (RFC 8621 §8)."""

    subject: str | None
    text_body: str | None
    html_body: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The message that is answered, as far as the answer names it."""

    subject: str | None
    message_id: Sequence[str]
    references: Sequence[str]
    """Its References, else its In-Reply-To."""


def compose_answer(
    response: Response, answered: Answered, *, name: str, sender: str, recipient: str, now: datetime
) -> bytes:
    """The answer from `name` <`sender`> to `recipient`. Raises `ComposeError` where an address fits into no field."""
    fields: list[Field] = [
        ("From", _address_value("From", name, sender)),
        ("To", _address_value("To", "", recipient)),
        ("Subject", text_value("Subject", _subject(response, answered))),
        ("Auto-Submitted", " auto-replied"),
        *reply_fields(answered.message_id, answered.references),
    ]
    return compose(Draft(fields, _body(response)), {}, now, sender.rpartition("@")[2])


def _address_value(field: str, name: str, email: str) -> str:
    try:
        made = addresses_value(field, [{"name": name or None, "email": email}])
    except ComposeError:
        made = addresses_value(field, [{"name": None, "email": email}])
    return made or ""


def _subject(response: Response, answered: Answered) -> str:
    """What the user wrote, else "Auto: " and the subject that is answered (RFC 3834 §3.1.5)."""
    if response.subject is not None and response.subject.strip():
        return response.subject
    subject = "".join(each for each in answered.subject or "" if each.isprintable()).strip()
    return f"Auto: {subject[:LONGEST_SUBJECT]}" if subject else "Auto: your message"


def _body(response: Response) -> DraftPart:
    text, html = response.text_body, response.html_body
    if text is None:
        # "the server SHOULD generate a plaintext body part from the "htmlBody"" (RFC 8621 §8)
        text = DEFAULT_TEXT if html is None else html_to_text(html)
    html_part = None if html is None else DraftPart("text/html", text=html)
    return arranged(DraftPart("text/plain", text=text), html_part, [])
