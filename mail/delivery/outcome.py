"""What became of one recipient of a delivery, as SMTP says it (RFC 5321 §4.2, RFC 3463)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply on one line: code, enhanced status code, text."""

    code: int
    status: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.status} {self.text}"

    @property
    def is_positive(self) -> bool:
        """Whether it was done."""
        return self.code < 400

    @property
    def is_final(self) -> bool:
        """Whether it makes no sense to try again."""
        return not 400 <= self.code < 500


DELIVERED = Reply(250, "2.1.5", "Delivered")
DUPLICATE = Reply(250, "2.1.5", "Delivered before")
UNKNOWN = Reply(550, "5.1.1", "Nobody has this address")
SUSPENDED = Reply(550, "5.2.1", "This account takes no mail now")
FULL_FOR_NOW = Reply(452, "4.2.2", "The account is full")
FULL = Reply(552, "5.2.2", "The account is full")
LOOP = Reply(554, "5.4.6", "The message goes round in a loop")
REFUSED = Reply(554, "5.6.0", "The message cannot be stored")
AWAY = Reply(451, "4.3.0", "Not possible now, try again later")
STOPPING = Reply(421, "4.3.2", "Shutting down")
BUSY = Reply(451, "4.3.2", "Shutting down, try again later")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient; `email_id` where an Email was added."""

    recipient: str
    """As it was given."""
    reply: Reply
    account_id: int | None = None
    email_id: int | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the account has the message."""
        return self.reply.is_positive
