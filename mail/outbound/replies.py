"""What SMTP servers answered to one recipient, as `smtpReply` has it (RFC 8621 §7), and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")
_STRANGE = re.compile(r"[^ -~\u00a1-\U0010ffff]+")

LONGEST = 900
"""Characters of a reply that are kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An SMTP reply: its code, and its text on one line (the enhanced status code, where there is one, begins it)."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()

    @property
    def is_positive(self) -> bool:
        """Whether it was done."""
        return 200 <= self.code < 300

    @property
    def is_permanent(self) -> bool:
        """Whether it makes no sense to try again."""
        return 500 <= self.code < 600

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463), made up from the code where the server gave none."""
        match = _ENHANCED.match(self.text)
        return match[1] if match is not None else f"{min(max(self.code // 100, 2), 5)}.0.0"


def answer_of(code: int, lines: Sequence[str | bytes]) -> Answer:
    """The answer in the lines of a reply, without their codes.

    "Any prefix in common with the first line is stripped from lines after the first": that is the enhanced status code.
    """
    texts = [
        _STRANGE.sub(" ", line.decode("utf-8", "replace") if isinstance(line, bytes) else line).strip()
        for line in lines
    ]
    match = _ENHANCED.match(texts[0]) if texts else None
    if match is not None:
        texts[1:] = [
            text[len(match[1]) :].strip() if text.startswith(match[1]) else text for text in texts[1:]
        ]
    # What is no code of SMTP's says that the server is none; it may be one tomorrow.
    known = code if 200 <= code < 600 else 451
    return Answer(known, " ".join(filter(None, texts))[:LONGEST])
