"""The sample mail as messages (RFC 5322), composed with the standard library."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mail.demo.attachments import drawing_png, measurements_csv, quotation_pdf
from mail.demo.letter import DRAFTS, SENT, Copy, File, Letter, Person
from mail.demo.letters import letters
from mail.importing.source_message import SourceMessage

ALICE_NAME = "Alice Brenner"
BOB_NAME = "Bob Okafor"
_FILES = {
    File.DRAWING: (drawing_png, "image", "png"),
    File.QUOTATION: (quotation_pdf, "application", "pdf"),
    File.MEASUREMENTS: (measurements_csv, "text", "csv"),
}


def sample_messages(alice: str, bob: str, now: datetime) -> dict[str, list[SourceMessage]]:
    """Return the sample mail of the two addresses, oldest first; the newest is two hours older than `now`.

    The same arguments give the same bytes.
    """
    post_office = _PostOffice((ALICE_NAME, alice), (BOB_NAME, bob), now)
    return {alice: list(post_office.mail_of("alice")), bob: list(post_office.mail_of("bob"))}


class _PostOffice:
    """Composes the letters; one letter has the same Message-ID in both accounts."""

    def __init__(self, alice: Person, bob: Person, now: datetime) -> None:
        self._now = now.astimezone(UTC).replace(microsecond=0)
        self._letters = letters(alice, bob)
        self._by_key = {letter.key: letter for letter in self._letters}
        self._owner = {"alice": alice[1], "bob": bob[1]}
        self._domain = alice[1].rpartition("@")[2]

    def mail_of(self, owner: str) -> Iterator[SourceMessage]:
        """Yield what "alice" or "bob" keeps."""
        for letter in self._letters:
            copy: Copy | None = getattr(letter, owner)
            if copy is None:
                continue
            message = self._compose(letter)
            if copy.folder not in (SENT, DRAFTS):
                self._stamp(message, letter, self._owner[owner])
            yield SourceMessage(
                folder=copy.folder,
                raw=message.as_bytes(policy=SMTP),
                origin=f"sample {letter.key}",
                keywords=copy.keywords,
                file_time=self._date(letter),
            )

    def _date(self, letter: Letter) -> datetime:
        return self._now - timedelta(hours=letter.hours)

    def _message_id(self, key: str) -> str:
        domain = self._by_key[key].author[1].rpartition("@")[2]
        return f"<{key}.{hashlib.sha256(f'{key}@{self._domain}'.encode()).hexdigest()[:12]}@{domain}>"

    def _references(self, letter: Letter) -> list[str]:
        """Return the message ids of the thread so far, oldest first (RFC 5322 §3.6.4)."""
        found: list[str] = []
        while letter.answers is not None:
            found.insert(0, self._message_id(letter.answers))
            letter = self._by_key[letter.answers]
        return found

    def _stamp(self, message: EmailMessage, letter: Letter, recipient: str) -> None:
        """Add what the delivery adds in front (RFC 5321 §4.4)."""
        arrived = format_datetime(self._date(letter) + timedelta(seconds=4))
        fields = message.items()
        for name in message.keys():  # noqa: SIM118 - a message is no dictionary
            del message[name]
        message["Return-Path"] = f"<{letter.author[1]}>"
        message["Received"] = (
            f"from mail.{letter.author[1].rpartition('@')[2]} by mx.{self._domain} with ESMTPS"
            f" for <{recipient}>; {arrived}"
        )
        for name, value in fields:
            message[name] = value

    def _compose(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["Date"] = format_datetime(self._date(letter))
        message["From"] = _address(letter.author)
        message["To"] = [_address(person) for person in letter.to]
        if letter.cc:
            message["Cc"] = [_address(person) for person in letter.cc]
        message["Subject"] = letter.subject
        message["Message-ID"] = self._message_id(letter.key)
        if references := self._references(letter):
            message["In-Reply-To"] = references[-1]
            message["References"] = " ".join(references)
        if letter.newsletter:
            domain = letter.author[1].rpartition("@")[2]
            message["List-Id"] = f"The Joinery Letter <letter.{domain}>"
            message["List-Unsubscribe"] = f"<https://{domain}/leave>, <mailto:leave@{domain}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(letter.text)
        self._add_html(message, letter)
        self._add_files(message, letter)
        _fix_boundaries(message, letter.key)
        return message

    def _add_html(self, message: EmailMessage, letter: Letter) -> None:
        if letter.html is None:
            return
        picture = self._message_id(letter.key).strip("<>").replace("@", ".picture@")
        body = letter.html.replace("{picture}", picture)
        message.add_alternative(f"<!DOCTYPE html><html><body>{body}</body></html>\n", subtype="html")
        html = message.get_body(("html",))
        if letter.picture and isinstance(html, EmailMessage):
            html.add_related(
                drawing_png(),
                "image",
                "png",
                cid=f"<{picture}>",
                disposition="inline",
                filename=File.DRAWING.value,
            )

    def _add_files(self, message: EmailMessage, letter: Letter) -> None:
        for file in letter.files:
            make, maintype, subtype = _FILES[file]
            message.add_attachment(make(), maintype, subtype, filename=file.value)
        if letter.encloses is not None:
            message.add_attachment(self._compose(self._by_key[letter.encloses]))


def _address(person: Person) -> Address:
    return Address(person[0], addr_spec=person[1])


def _fix_boundaries(message: EmailMessage, key: str) -> None:
    """Give each multipart a boundary that is the same at every run."""
    for number, part in enumerate(message.walk()):
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_{hashlib.sha256(f'{key}/{number}'.encode()).hexdigest()[:24]}")
