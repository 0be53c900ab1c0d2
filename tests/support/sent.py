"""What an account has queued to be sent without its user's knowledge: answers and receipts."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from jmapcore.blobs.storage import read_blob
from jmapcore.store.database import connection, read
from tests.support.cast import Person

HIDDEN = """
    SELECT s.envelope, s.blob_id FROM email_submission AS s
    JOIN submission_queue AS q ON q.account_id = s.account_id AND q.id = s.id
    WHERE s.account_id = %s AND s.is_destroyed ORDER BY s.id"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A hidden submission that is queued: its envelope as on the wire, and its message."""

    envelope: dict[str, Any]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The message as Python's own parser reads it."""
        parsed = BytesParser(policy=default).parsebytes(self.raw)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def sender(self) -> str:
        """The envelope's mailFrom."""
        return str(self.envelope["mailFrom"]["email"])

    @property
    def recipients(self) -> list[str]:
        """The addresses in the envelope's rcptTo."""
        return [each["email"] for each in self.envelope["rcptTo"]]


def sent_by(person: Person) -> list[Sent]:
    """All that is queued, the oldest first."""
    with connection() as lent:
        [rows] = read(lent, person.account.pk, (HIDDEN, (person.account.pk,)))
        return [Sent(row[0], read_blob(lent, person.account.pk, row[1]) or b"") for row in rows]
