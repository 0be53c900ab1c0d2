"""The content of a message on its way in: octets go in, the message without its dots comes out (RFC 5321 §4.5.2).

No I/O but the spool. "CRLF.CRLF" ends the data and nothing else: no lone CR or LF is a line end (RFC 5321 §2.3.8, §4.1.1.4).
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from mail.delivery.outcome import Reply

MOST_IN_MEMORY = 256 * 1024
"""Octets of one message that are held in memory while it comes in; more go to disk."""
LONGEST_LINE = 1024 * 1024 + 2
"""Octets of a line with its CRLF that is still taken, a thousand times what RFC 5321 §4.5.3.1.6 demands."""

TOO_LARGE = Reply(552, "5.3.4", "The message is too large")
LINE_TOO_LONG = Reply(554, "5.6.0", "A line is too long")
LONE_LINE_END = Reply(554, "5.6.0", "A line ends with a lone CR or LF")
HAS_NUL = Reply(554, "5.6.0", "There is a NUL in the message")
NO_ROOM = Reply(452, "4.3.1", "No room to keep the message")

_END = b"\r\n.\r\n"


class Content:
    """Collects the content of one message.

    `problem` is why it cannot be taken, once that is known; it is read to its end anyway. What is not `is_strict` takes lone CR
    and LF and NUL as they are: no line end, and an octet like others.
    """

    def __init__(self, most: int, directory: str, *, is_strict: bool = True) -> None:
        self.problem: Reply | None = None
        self.size = 0
        self.excess = 0
        """Octets that came after it was too large."""
        self._most = most
        self._is_strict = is_strict
        self._directory = directory
        # The CRLF of the line before belongs to the end of a message without content.
        self._pending = b"\r\n"
        self._is_first = True
        self._line = 0
        """Octets of the line that goes on."""
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._is_gone = False

    def feed(self, octets: bytes) -> bytes | None:
        """Take in octets; once the end has come, what follows it, None before."""
        text = self._pending + octets
        end = text.find(_END)
        if end >= 0:
            self._pending = b""
            self._take(text[: end + 2])
            return text[end + len(_END) :]
        held = next(length for length in (4, 3, 2, 1, 0) if text.endswith(_END[:length]))
        cut = len(text) - held
        self._pending = text[cut:]
        if cut:
            self._take(text[:cut])
        return None

    def _take(self, text: bytes) -> None:
        """Whole lines and pieces of lines, of which none ends within a CRLF or before a dot that might be doubled."""
        text = text.replace(b"\r\n.", b"\r\n")
        if self._is_first:
            self._is_first = False
            text = text[2:]
        self.size += len(text)
        if self.size > self._most:
            self.excess += len(text)
            self._refuse(TOO_LARGE)
            return
        self._look_at(text)
        if self.problem is None and text:
            self._keep(text)

    def _look_at(self, text: bytes) -> None:
        line_ends = text.count(b"\n")
        if self._is_strict:
            if not line_ends == text.count(b"\r\n") == text.count(b"\r"):
                self._refuse(LONE_LINE_END)
            if b"\0" in text:
                self._refuse(HAS_NUL)
        if not line_ends:
            self._line += len(text)
        else:
            is_long = self._line + text.index(b"\n") + 1 > LONGEST_LINE
            if is_long or (len(text) > LONGEST_LINE and max(map(len, text.split(b"\n"))) >= LONGEST_LINE):
                self._refuse(LINE_TOO_LONG)
            self._line = len(text) - text.rindex(b"\n") - 1
        if self._line > LONGEST_LINE:
            self._refuse(LINE_TOO_LONG)

    def _refuse(self, problem: Reply) -> None:
        self.problem = self.problem or problem
        self.discard()

    def _keep(self, text: bytes) -> None:
        if self._file is None and self.size <= MOST_IN_MEMORY:
            self._pieces.append(text)
            return
        try:
            if self._file is None:
                Path(self._directory).mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115  # discard closes it
                self._pieces.append(text)
                text = b"".join(self._pieces)
                self._pieces.clear()
            self._file.write(text)
        except OSError:
            self._refuse(NO_ROOM)

    def octets(self) -> bytes:
        """The message; what was kept of it goes. Raises OSError where the disk does, and once it is gone."""
        if self._is_gone:
            raise FileNotFoundError("what was kept of the message is gone")
        try:
            if self._file is None:
                return b"".join(self._pieces)
            self._file.seek(0)
            return self._file.read()
        finally:
            self.discard()

    def discard(self) -> None:
        """Keep nothing of it."""
        self._is_gone = True
        self._pieces.clear()
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
