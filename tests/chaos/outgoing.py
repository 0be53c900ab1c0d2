"""Users who send mail."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field

from tests.support.elsewhere import DELAYED, REFUSED
from tests.support.http_client import AwayError, Client


def recipient_of(number: int) -> str:
    """To whom submission `number` goes: one in twenty is refused, another put off."""
    name = {3: REFUSED, 7: DELAYED}.get(number % 20, "friend")
    return f"{name}{number}@elsewhere.example"


def message_id(number: int) -> str:
    """The Message-ID of a submission, without its brackets."""
    return f"out-{number}@chaos.example"


@dataclass
class Sender:
    """One user who writes and sends, and looks after each failure what became of it."""

    client: Client
    address: str
    numbers: queue.SimpleQueue[int | None]
    sent: dict[int, str] = field(default_factory=dict)
    """The id of each submission by the number of its message."""
    failures: int = 0

    def run(self) -> threading.Thread:
        """Start sending; the thread ends when it gets a None."""
        thread = threading.Thread(target=self._work)
        thread.start()
        return thread

    def _work(self) -> None:
        while True:
            number = self.numbers.get()
            if number is None:
                return
            while number not in self.sent:
                try:
                    self.sent[number] = self._sent(number) or self._send(number)
                except AwayError:
                    self.failures += 1
                    time.sleep(0.5)

    def _found(self, number: int) -> str | None:
        [found] = self.client.call(("Email/query", {"filter": {"subject": f"submission{number}"}}))
        ids: list[str] = found["ids"]
        return ids[0] if ids else None

    def _sent(self, number: int) -> str | None:
        """The submission of this number, if an earlier call whose answer was lost has made it."""
        email_id = self._found(number) if self.failures else None
        if email_id is None:
            return None
        [found] = self.client.call(("EmailSubmission/query", {"filter": {"emailIds": [email_id]}}))
        ids: list[str] = found["ids"]
        return ids[0] if ids else None

    def _send(self, number: int) -> str:
        email_id = (self._found(number) if self.failures else None) or self._write(number)
        to = recipient_of(number)
        envelope = {"mailFrom": {"email": self.address}, "rcptTo": [{"email": to}]}
        identity = self.client.call(("Identity/get", {"ids": None}))[0]["list"][0]["id"]
        submission = {"identityId": identity, "emailId": email_id, "envelope": envelope}
        update = {"#s": {"keywords/$draft": None}}
        [answer, *_] = self.client.call(
            ("EmailSubmission/set", {"create": {"s": submission}, "onSuccessUpdateEmail": update})
        )
        assert answer["created"], answer
        return str(answer["created"]["s"]["id"])

    def _write(self, number: int) -> str:
        [boxes] = self.client.call(("Mailbox/query", {"filter": {"role": "drafts"}}))
        draft = {
            "mailboxIds": {boxes["ids"][0]: True},
            "keywords": {"$draft": True},
            "from": [{"email": self.address}],
            "to": [{"email": recipient_of(number)}],
            "subject": f"submission{number}",
            "messageId": [message_id(number)],
            "textBody": [{"partId": "1", "type": "text/plain"}],
            "bodyValues": {"1": {"value": f"This is message {number}.\n" * 50}},
        }
        [answer] = self.client.call(("Email/set", {"create": {"d": draft}}))
        assert answer["created"], answer
        return str(answer["created"]["d"]["id"])
