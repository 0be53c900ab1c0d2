"""An MTA that hands over messages by LMTP until each recipient's is answered for good."""

from __future__ import annotations

import queue
import random
import smtplib
import threading
import time
from dataclasses import dataclass, field

LINE = "The quick brown fox jumps over the lazy dog, and nothing of what it does gets lost.\r\n"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way: its number, to whom, and its octets."""

    number: int
    recipients: tuple[str, ...]
    content: bytes


def letters(count: int, recipients: list[str], randomness: random.Random) -> list[Letter]:
    """So many messages of 0.5 to 300 kB to one to three of the recipients."""
    made = []
    for number in range(count):
        lines = randomness.choice([5, 50, 250, 250, 500]) if number % 100 else 3_500
        head = (
            f"From: Outside {number} <out{number}@elsewhere.example>\r\nTo: somebody@chaos.example\r\n"
            f"Subject: Letter {number}\r\nMessage-ID: <in-{number}@elsewhere.example>\r\n"
            "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\n"
        )
        to = tuple(randomness.sample(recipients, randomness.randint(1, min(3, len(recipients)))))
        made.append(Letter(number, to, (head + LINE * lines).encode()))
    return made


@dataclass
class Feeder:
    """Connections that share the work; `accepted` says which message was answered 250 for whom."""

    port: int
    waiting: queue.SimpleQueue[Letter | None]
    accepted: set[tuple[int, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    repeats: int = 0
    """Hand-overs after one whose outcome was not known, or was "try again"."""

    def run(self, connections: int) -> list[threading.Thread]:
        """Start the connections; each ends when it gets a None."""
        threads = [threading.Thread(target=self._work) for _ in range(connections)]
        for thread in threads:
            thread.start()
        return threads

    def _work(self) -> None:
        client: smtplib.LMTP | None = None
        while True:
            letter = self.waiting.get()
            if letter is None:
                return
            left = list(letter.recipients)
            while left:
                try:
                    client = client or _connected(self.port)
                    self._hand_over(client, letter, left)
                except (OSError, smtplib.SMTPException):
                    if client is not None:
                        client.close()
                    client = None
                if left:
                    self.repeats += 1
                    time.sleep(0.1)

    def _hand_over(self, client: smtplib.LMTP, letter: Letter, left: list[str]) -> None:
        """One transaction; takes those from `left` who are answered for good."""
        code, words = client.docmd("MAIL", f"FROM:<out{letter.number}@elsewhere.example>")
        if code != 250:
            raise smtplib.SMTPResponseException(code, words)
        taken = []
        for recipient in list(left):
            code, words = client.docmd("RCPT", f"TO:<{recipient}>")
            if code == 250:
                taken.append(recipient)
            elif code >= 500:
                self.refused.append(f"{letter.number} {recipient}: {code} {words!r}")
                left.remove(recipient)
        if not taken:
            client.docmd("RSET")
            return
        code, words = client.docmd("DATA")
        if code != 354:
            raise smtplib.SMTPResponseException(code, words)
        client.send(letter.content + b".\r\n")
        for recipient in taken:
            code, words = client.getreply()
            if code == 250:
                self.accepted.add((letter.number, recipient))
                left.remove(recipient)
            elif code >= 500:
                self.refused.append(f"{letter.number} {recipient}: {code} {words!r}")
                left.remove(recipient)


def _connected(port: int) -> smtplib.LMTP:
    client = smtplib.LMTP("127.0.0.1", port)
    client.ehlo_or_helo_if_needed()
    return client
