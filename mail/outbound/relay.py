"""A connection to a relay, and one message over it (RFC 5321), with as few turns as the relay's extensions allow."""

from __future__ import annotations

import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from mail.outbound.relay_address import Relay, Security
from mail.outbound.replies import Answer, answer_of

CONNECT_SECONDS = 30
COMMAND_SECONDS = 300
"""How long a relay is waited for (RFC 5321 §4.5.3.2: five minutes); for what it says of a whole message, twice as long."""
FINAL_SECONDS = 600
PIECE = 64 * 1024
GROUP = 50
"""Commands that are sent before their replies are read, where the relay announces PIPELINING (RFC 2920)."""
IDLE_SECONDS = 30
MOST_MESSAGES = 200
"""Messages over one connection; then there is a new one, so that a relay can balance its load."""

TOO_MANY = 452
_STRANGE = {ord(character): None for character in "\r\n\0"}


class RelayError(Exception):
    """The relay cannot be used now: it is away, says so, or ended the connection. `answer` is what is known of it."""

    def __init__(self, answer: Answer, *, was_silent: bool = True, is_unsure: bool = False) -> None:
        super().__init__(str(answer))
        self.answer = answer
        self.is_unsure = is_unsure
        """Whether the relay was told that the message is complete: it may have taken it."""
        self.was_silent = was_silent
        """Whether nothing of a message was sent, so that trying once more over a new connection harms nobody."""


class LeaseLostError(Exception):
    """Somebody else may be delivering the message by now: it must not be given to the relay."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """A recipient as RCPT TO names it, and its parameters for DSN (RFC 3461), in the form of the JMAP envelope: not encoded."""

    address: str
    notify: str | None = None
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """What one message is sent with."""

    sender: str
    """Empty: the null sender."""
    recipients: Sequence[Addressee]
    octets: bytes
    """The message with CRLF line ends."""
    has_international_header: bool = False
    wants_smtputf8: bool = False
    returned: str | None = None
    """RET."""
    envelope_id: str | None = None
    """ENVID."""
    is_ours: Callable[[], bool] = field(default=lambda: True)
    """Asked before the relay is told that the message is complete."""


class RelayConnection:
    """One connection, opened when it is first needed and again when it was lost. Of one thread."""

    def __init__(self, relay: Relay, learned: Callable[[Mapping[str, str]], None] | None = None) -> None:
        self.relay = relay
        self._learned = learned
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._messages = 0

    @property
    def extensions(self) -> Mapping[str, str]:
        """What the relay offers, in lower case; connects where there is no connection. Raises `RelayError`."""
        return dict(self._connected().esmtp_features)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as can be seen without asking the relay."""
        if self._smtp is None or self._smtp.sock is None:
            return False
        readable, _, _ = select.select([self._smtp.sock], [], [], 0)
        # Whatever a relay says unasked is a goodbye.
        return not readable

    def close(self, *, politely: bool = True) -> None:
        """End the connection."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            if politely and smtp.sock is not None:
                smtp.sock.settimeout(1)
                smtp.quit()
        except (OSError, smtplib.SMTPException, ValueError):
            pass
        finally:
            smtp.close()

    def close_if_idle(self) -> None:
        """End a connection that was not used of late."""
        if self._smtp is not None and time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()

    def _connected(self) -> smtplib.SMTP:
        stale = time.monotonic() - self._used_at > IDLE_SECONDS or self._messages >= MOST_MESSAGES
        if self._smtp is not None and (stale or not self.is_open):
            self.close(politely=stale)
        if self._smtp is None:
            try:
                self._smtp = _open(self.relay)
            except smtplib.SMTPResponseException as error:
                raise RelayError(answer_of(error.smtp_code, _lines(error.smtp_error))) from error
            except (OSError, smtplib.SMTPException, ValueError) as error:
                raise RelayError(Answer(451, f"4.4.1 No answer from the relay: {_said(error)}")) from error
            self._messages = 0
            self._used_at = time.monotonic()
            if self._learned is not None:
                self._learned(dict(self._smtp.esmtp_features))
        return self._smtp

    def send(self, transaction: Transaction) -> list[Answer]:
        """Give a message to the relay; what it said for each recipient, in order.

        A positive answer is one for a message that the relay has taken. Raises `LeaseLostError`, after which it has not, and
        `RelayError`, after which it has not either, unless nobody can know (`is_unsure`).
        """
        was_used = self._smtp is not None and self._messages > 0
        try:
            return self._send(transaction)
        except RelayError as error:
            # A connection that was kept may have been closed by the relay while nobody looked.
            if not (was_used and error.was_silent):
                raise
        return self._send(transaction)

    def _send(self, transaction: Transaction) -> list[Answer]:
        smtp = self._connected()
        exchange = _Exchange(smtp, transaction)
        try:
            answers = exchange.run()
        except (OSError, smtplib.SMTPException) as error:
            self.close(politely=False)
            raise RelayError(
                Answer(451, f"4.4.2 The connection to the relay was lost: {_said(error)}"),
                was_silent=exchange.was_silent,
                is_unsure=exchange.is_complete,
            ) from error
        except LeaseLostError:
            self.close(politely=False)
            raise
        self._used_at = time.monotonic()
        self._messages += 1
        if any(answer.code == 421 for answer in answers):
            self.close(politely=False)
        return answers


def _lines(text: bytes | str) -> list[str]:
    return (text.decode("utf-8", "replace") if isinstance(text, bytes) else text).split("\n")


def _said(error: Exception) -> str:
    """What an error says, without what it may quote of a command (a password)."""
    if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPNotSupportedError):
        return type(error).__name__
    return str(error).translate(_STRANGE)[:200] or type(error).__name__


def tls_context() -> ssl.SSLContext:
    """How relays are known: by the certification authorities of the system, or those of `MAIL_RELAY_CA`."""
    return ssl.create_default_context(cafile=settings.MAIL_RELAY_CA or None)


def _open(relay: Relay) -> smtplib.SMTP:
    """A connection, greeted, protected and signed in. Raises `OSError`, `smtplib.SMTPException`."""
    options: dict[str, Any] = {"local_hostname": settings.MAIL_HOST_NAME, "timeout": CONNECT_SECONDS}
    smtp: smtplib.SMTP
    if relay.security is Security.TLS:
        smtp = smtplib.SMTP_SSL(relay.host, relay.port, context=tls_context(), **options)
    else:
        smtp = smtplib.SMTP(relay.host, relay.port, **options)
    try:
        smtp.ehlo_or_helo_if_needed()
        if relay.security is Security.STARTTLS:
            code, text = smtp.starttls(context=tls_context())
            if code != 220:
                raise smtplib.SMTPResponseException(451, text)
            smtp.ehlo_or_helo_if_needed()
        if relay.username:
            smtp.login(relay.username, relay.password)
        assert smtp.sock is not None
        smtp.sock.settimeout(COMMAND_SECONDS)
        # The period that ends a message is a small write after large ones: it would wait for an acknowledgement of these.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        smtp.close()
        raise
    return smtp


class _Exchange:
    """One mail transaction on an open connection."""

    def __init__(self, smtp: smtplib.SMTP, transaction: Transaction) -> None:
        self.smtp = smtp
        self.transaction = transaction
        self.was_silent = True
        self.is_complete = False
        self.features = smtp.esmtp_features

    def run(self) -> list[Answer]:
        """The whole of it: what was answered for each recipient."""
        transaction = self.transaction
        refusal = self._unspeakable()
        if refusal is not None:
            return [refusal] * len(transaction.recipients)
        commands = [self._mail(), *map(self._rcpt, transaction.recipients)]
        mail, *answers = self._ask(commands)
        if not mail.is_positive:
            self._reset(mail)
            return [mail] * len(answers)
        if not any(answer.is_positive for answer in answers):
            self._reset(*answers)
            return answers
        return self._data(answers)

    def _unspeakable(self) -> Answer | None:
        """Why this relay cannot be told of this message at all."""
        transaction = self.transaction
        addresses = [transaction.sender, *(each.address for each in transaction.recipients)]
        if "smtputf8" not in self.features and not all(address.isascii() for address in addresses):
            return Answer(553, "5.6.7 The relay takes no addresses with other letters than those of ASCII")
        if "8bitmime" not in self.features and not transaction.octets.isascii():
            return Answer(554, "5.6.3 The relay takes no message with other octets than those of ASCII")
        limit = self.features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(transaction.octets):
            return Answer(552, f"5.3.4 The relay takes no message of more than {limit} octets")
        return None

    def _mail(self) -> str:
        transaction, features = self.transaction, self.features
        words = [f"MAIL FROM:<{transaction.sender}>"]
        if "size" in features:
            words.append(f"SIZE={len(transaction.octets)}")
        if "8bitmime" in features and not transaction.octets.isascii():
            words.append("BODY=8BITMIME")
        addresses = [transaction.sender, *(each.address for each in transaction.recipients)]
        is_international = not all(address.isascii() for address in addresses)
        if "smtputf8" in features and (
            is_international or transaction.wants_smtputf8 or transaction.has_international_header
        ):
            words.append("SMTPUTF8")
        if "dsn" in features:
            if transaction.returned:
                words.append(f"RET={transaction.returned.upper()}")
            if transaction.envelope_id:
                words.append(f"ENVID={xtext(transaction.envelope_id)}")
        return " ".join(words)

    def _rcpt(self, recipient: Addressee) -> str:
        words = [f"RCPT TO:<{recipient.address}>"]
        if "dsn" in self.features:
            if recipient.notify:
                words.append(f"NOTIFY={recipient.notify.upper()}")
            kind, _, address = (recipient.original or f"rfc822;{recipient.address}").partition(";")
            if not address.isascii():
                kind = "utf-8"
            words.append(f"ORCPT={kind};{xtext(address)}")
        return " ".join(words)

    def _ask(self, commands: Sequence[str]) -> list[Answer]:
        """Send commands, several at once where that is allowed, and read a reply for each."""
        step = GROUP if "pipelining" in self.features else 1
        answers: list[Answer] = []
        for start in range(0, len(commands), step):
            group = commands[start : start + step]
            self.smtp.send(b"".join(_line(command) for command in group))
            answers += [self._answer() for _ in group]
            self.was_silent = False
            if start == 0 and not answers[0].is_positive:
                break
        return answers + [answers[0]] * (len(commands) - len(answers))

    def _answer(self) -> Answer:
        code, text = self.smtp.getreply()
        return answer_of(code, text.split(b"\n"))

    def _reset(self, *answers: Answer) -> None:
        if not any(answer.code == 421 for answer in answers):
            self._ask(["RSET"])

    def _data(self, answers: list[Answer]) -> list[Answer]:
        """Send the message to those whom the relay takes it for."""
        [ready] = self._ask(["DATA"])
        if ready.code != 354:
            if ready.is_positive:
                raise smtplib.SMTPServerDisconnected("a reply to DATA that SMTP does not know")
            self._reset(ready)
            return [ready if answer.is_positive else answer for answer in answers]
        stuffed = dot_stuffed(self.transaction.octets)
        view = memoryview(stuffed)
        for start in range(0, len(stuffed), PIECE):
            self.smtp.send(view[start : start + PIECE])
        if not self.transaction.is_ours():
            raise LeaseLostError
        assert self.smtp.sock is not None
        self.smtp.sock.settimeout(FINAL_SECONDS)
        self.is_complete = True
        self.smtp.send(b".\r\n")
        final = self._answer()
        self.smtp.sock.settimeout(COMMAND_SECONDS)
        return [
            answer if not answer.is_positive or final.is_positive else final
            # "the response to the RCPT TO stage, unless this was accepted and the message as a whole was rejected"
            for answer in answers
        ]


def _line(command: str) -> bytes:
    """A command as it is sent. What could become a second one was refused long ago; this is the last look."""
    if any(ord(character) < 32 or ord(character) == 127 for character in command):
        raise smtplib.SMTPException("a control character in a command")
    return command.encode() + b"\r\n"


def xtext(value: str) -> str:
    """A value in the form of RFC 3461 §4; letters beyond ASCII stay for SMTPUTF8 (RFC 6533 §3)."""
    return "".join(
        character if ("!" <= character <= "~" and character not in "+=") or character > "\x7f"
        else f"+{ord(character):02X}"
        for character in value
    )  # fmt: skip


def dot_stuffed(octets: bytes) -> bytes:
    """The message with a second period before each one that begins a line (RFC 5321 §4.5.2), and a line end at its end."""
    stuffed = octets.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
