"""Mail that looks like mail, made from a number: the same number gives the same octets, for ever.

Threads of one to eight messages over three years, correspondents of whom a few write most, plain text, HTML and attachments,
a few kB to 20 kB, flags, mailing lists, and three words whose frequency is known to the searches.
"""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate

RARE_WORD, UNCOMMON_WORD, COMMON_WORD = "kingfisher", "estimate", "meeting"
"""Words that 0.1 %, 2 % and 25 % of the mail have."""

NEWEST = datetime(2025, 6, 1, 12, tzinfo=UTC)
SPAN = timedelta(days=3 * 365)
OWNER = ("Robin Reader", "reader@bench.example")
MAILBOXES: tuple[tuple[str, ...], ...] = (
    ("Family",), ("Travel",), ("Receipts",), ("Bank",), ("School",), ("Work",), ("Work", "Planning"), ("Work", "Reports"),
    ("Clubs",), ("Clubs", "Chess"), ("Clubs", "Rowing"), ("Newsletters",),
)  # fmt: skip
"""Those beside the six that every account has; parents first."""

INBOX, SENT, DRAFTS, ARCHIVE = ("Inbox",), ("Sent",), ("Drafts",), ("Archive",)
_HOMES = {
    INBOX: 40, ARCHIVE: 18, ("Newsletters",): 10, ("Junk",): 3, ("Trash",): 3,
    **dict.fromkeys([name for name in MAILBOXES if name != ("Newsletters",)], 2.4),
}  # fmt: skip
_THREAD_SIZES = {1: 70, 2: 15, 3: 7, 4: 3.5, 5: 2, 6: 1.2, 7: 0.8, 8: 0.5}
_FREQUENCIES = {RARE_WORD: 0.001, UNCOMMON_WORD: 0.02, COMMON_WORD: 0.25}
_CONSONANTS = tuple("bdfghklmnprstv")
_VOWELS = ("a", "e", "i", "o", "u", "ea", "ou")
_NAMES = ("Ada", "Ben", "Chloé", "Dilip", "Eva", "Finn", "Göran", "Hana", "Ivo", "Jana", "Kofi", "Maja")
_WORDS = 4000
_CORRESPONDENTS = 240
_STYLE = 'style="margin:0 0 12px 0;font-family:Helvetica,Arial,sans-serif;font-size:14px;line-height:1.5;color:#222"'


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it lies in the account: its octets, mailboxes (paths of names), keywords, and when it came."""

    raw: bytes
    mailboxes: tuple[tuple[str, ...], ...]
    keywords: frozenset[str]
    received_at: datetime


@dataclass(slots=True)
class _Thread:
    """What the messages of one thread have in common, and the ids of those so far."""

    subject: str
    other: tuple[str, str]
    home: tuple[str, ...]
    ids: list[str]


class Correspondence:
    """The mail of one person, from one number."""

    def __init__(self, number: int) -> None:
        # The vocabulary is the same for every number, as a language is.
        language = random.Random(0)
        self._words = [_word(language) for _ in range(_WORDS)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(_WORDS)))
        self._people = [_person(language, place) for place in range(_CORRESPONDENTS)]
        self._people_weights = list(accumulate(1 / (rank + 2) for rank in range(_CORRESPONDENTS)))
        self._random = random.Random(number)
        self._number = number
        self._made = 0

    @property
    def frequent_correspondent(self) -> str:
        """The address of somebody who wrote a few per cent of the mail."""
        return self._people[3][1]

    def letters(self, count: int) -> list[Letter]:
        """So many messages, oldest first."""
        found: list[Letter] = []
        while len(found) < count:
            found += self._thread(count - len(found))
        return sorted(found, key=lambda letter: letter.received_at)

    def new_message(self, mark: float) -> bytes:
        """A message that answers none and has just arrived; `mark` makes its id unlike all others."""
        thread = _Thread(self.text(5), self._person(), INBOX, [])
        return self._compose(thread, thread.other, OWNER, None, f"{mark:.15f}")

    def text(self, words: int) -> str:
        """So many words in sentences."""
        chosen = self._random.choices(self._words, cum_weights=self._weights, k=words)
        lines = [" ".join(chosen[start : start + 11]) for start in range(0, words, 11)]
        return ".\n".join(line.capitalize() for line in lines)

    def html(self, words: int) -> str:
        """So many words as HTML with the usual ballast."""
        paragraphs = self.text(words).split("\n")
        rows = "\n".join(f"<tr><td><p {_STYLE}>{paragraph}</p></td></tr>" for paragraph in paragraphs)
        return f'<!DOCTYPE html><html><body><table width="100%">\n{rows}\n</table></body></html>\n'

    def _person(self) -> tuple[str, str]:
        return self._random.choices(self._people, cum_weights=self._people_weights)[0]

    def _thread(self, most: int) -> Iterator[Letter]:
        chance = self._random
        size = min(most, chance.choices(list(_THREAD_SIZES), list(_THREAD_SIZES.values()))[0])
        home = chance.choices(list(_HOMES), list(_HOMES.values()))[0]
        thread = _Thread(self.text(chance.randint(2, 8)).replace("\n", " "), self._person(), home, [])
        moment = NEWEST - SPAN * chance.random()
        is_draft = size == 1 and chance.random() < 0.01
        for place in range(size):
            mine = is_draft or (place > 0 and chance.random() < 0.45)
            author, reader = (OWNER, thread.other) if mine else (thread.other, OWNER)
            raw = self._compose(thread, author, reader, moment)
            keywords = self._keywords(mine, is_draft, moment, answered=place + 1 < size)
            yield Letter(raw, self._mailboxes(thread, mine, is_draft), keywords, moment)
            moment = min(NEWEST, moment + timedelta(hours=chance.expovariate(1 / 9), seconds=1))

    def _mailboxes(self, thread: _Thread, mine: bool, is_draft: bool) -> tuple[tuple[str, ...], ...]:
        if is_draft:
            return (DRAFTS,)
        first = SENT if mine else thread.home
        if self._random.random() < 0.05:
            return tuple(sorted({first, self._random.choice(MAILBOXES)}))
        return (first,)

    def _keywords(self, mine: bool, is_draft: bool, moment: datetime, *, answered: bool) -> frozenset[str]:
        chance = self._random
        found = {"$draft"} if is_draft else set()
        is_recent = NEWEST - moment < SPAN * 0.05
        if mine or chance.random() < (0.55 if is_recent else 0.93):
            found.add("$seen")
        if answered and "$seen" in found and chance.random() < 0.7:
            found.add("$answered")
        for keyword, share in (("$flagged", 0.02), ("$forwarded", 0.01), ("project", 0.03)):
            if chance.random() < share:
                found.add(keyword)
        return frozenset(found)

    def _compose(
        self,
        thread: _Thread,
        author: tuple[str, str],
        reader: tuple[str, str],
        moment: datetime | None,
        mark: str = "",
    ) -> bytes:
        """One message of a thread (RFC 5322); with `moment` None it carries no date of arrival."""
        chance = self._random
        self._made += 1
        message_id = f"<{self._number}.{self._made}{mark}@{author[1].partition('@')[2]}>"
        subject = thread.subject if not thread.ids else f"Re: {thread.subject}"
        head = [
            f"Date: {format_datetime(moment or NEWEST)}",
            f"From: {_encoded(author)}",
            f"To: {_encoded(reader)}",
        ]
        if moment is not None and author != OWNER:
            by = f"by mx.bench.example with ESMTPS id {self._made:08x}; {format_datetime(moment)}"
            head.insert(
                0,
                f"Received: from mail.{author[1].partition('@')[2]} (203.0.113.{self._made % 254 + 1})\r\n\t{by}",
            )
        if chance.random() < 0.15:
            head.append(f"Cc: {', '.join(_encoded(self._person()) for _ in range(chance.randint(1, 4)))}")
        head += [f"Subject: {subject}", f"Message-ID: {message_id}", "MIME-Version: 1.0"]
        if thread.ids:
            head += [f"In-Reply-To: {thread.ids[-1]}", "References: " + "\r\n ".join(thread.ids)]
        if thread.home == ("Newsletters",):
            head.append(f"List-Id: <letter.{thread.other[1].partition('@')[2]}>")
        thread.ids.append(message_id)
        return ("\r\n".join(head) + "\r\n").encode() + self._content()

    def _content(self) -> bytes:
        """Content-Type field and body: text, or text and HTML, some with an attachment."""
        chance = self._random
        length = int(min(700, max(20, chance.lognormvariate(4.6, 0.7))))
        words = self.text(length)
        for word, frequency in _FREQUENCIES.items():
            if chance.random() < frequency:
                words += f"\nAbout the {word}"
        parts = _part("text/plain; charset=utf-8", words)
        if chance.random() < 0.65:
            html = self.html(length).replace("</table>", f"</table><p>{words[-60:]}</p>")
            parts = _multipart(
                "alternative", f"a{self._made}", parts, _part("text/html; charset=utf-8", html)
            )
        if chance.random() < 0.08:
            data = base64.encodebytes(chance.randbytes(chance.randint(2_000, 9_000))).replace(b"\n", b"\r\n")
            file = (
                b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
                b'Content-Disposition: attachment; filename="scan.pdf"\r\n\r\n'
            )
            parts = _multipart("mixed", f"m{self._made}", parts, file + data)
        return parts


def _word(chance: random.Random) -> str:
    return "".join(chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.randint(1, 4)))


def _person(chance: random.Random, place: int) -> tuple[str, str]:
    family = _word(chance).capitalize()
    return f"{chance.choice(_NAMES)} {family}", f"{family.lower()}{place}@{_word(chance)}{place % 40}.example"


def _encoded(person: tuple[str, str]) -> str:
    """A mailbox of RFC 5322 §3.4, its name as an encoded word (RFC 2047) where it needs to be."""
    name, address = person
    if not name.isascii():
        name = f"=?utf-8?b?{base64.b64encode(name.encode()).decode('ascii')}?="
    return f"{name} <{address}>"


def _part(content_type: str, text: str) -> bytes:
    body = quopri.encodestring(text.encode()).replace(b"\n", b"\r\n")
    return (
        f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".encode() + body
    )


def _multipart(subtype: str, boundary: str, *parts: bytes) -> bytes:
    head = f'Content-Type: multipart/{subtype}; boundary="=_{boundary}"\r\n\r\n'.encode()
    line = f"--=_{boundary}".encode()
    return head + b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
