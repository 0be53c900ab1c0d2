"""Command lines of LMTP, taken apart: paths and parameters (RFC 5321 §4.1.2, RFC 1870, RFC 6152, RFC 6531). Pure Python.

What a line says goes into header fields and the log of an MTA, so nothing of it is taken that could end a line there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mail.delivery.outcome import Reply

LONGEST_LINE = 4_096
"""Octets of a command with its CRLF: 512 (RFC 5321 §4.5.3.1.4), more for the parameters of extensions, and room besides."""
LONGEST_PATH = 320
"""64 octets of local part, `@`, 255 of domain (RFC 5321 §4.5.3.1)."""
MOST_DIGITS = 20
"""Of a SIZE (RFC 1870 §3)."""

BAD_SYNTAX = Reply(500, "5.5.2", "No command has this form")
BAD_ARGUMENT = Reply(501, "5.5.4", "The argument has another form")
BAD_SENDER = Reply(553, "5.1.7", "This is no address of a sender")
BAD_RECIPIENT = Reply(553, "5.1.3", "This is no address of a recipient")
NEEDS_UTF8 = Reply(553, "5.6.7", "Such an address needs SMTPUTF8")
BAD_PARAMETER = Reply(501, "5.5.4", "A parameter has a value that it cannot have")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "There is no such parameter here")

# A source route is "ignored" (RFC 5321 §4.1.1.3). Local parts as they occur, quotes or not; domains and address literals.
_PATH = re.compile(
    r"""
    \ *<(?:@[^\s<>:"]+:)?
    (?P<address>(?:"(?:[^"\\\x00-\x1f\x7f-\x9f]|\\[ -~])*"|[^\s<>"@\\,;:()\x00-\x1f\x7f-\x9f]+)
        (?:@(?:[^\s<>"@\\,;:()\[\]\x00-\x1f\x7f-\x9f]+|\[[A-Za-z0-9:.]+\]))?|)
    >(?:\ +(?P<parameters>\S.*))?\ *""",
    re.VERBOSE,
)
_PARAMETER = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[\x21-\x3c\x3e-\x7e]+))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9.])?|\[[A-Za-z0-9:.]{1,60}\]")


class CommandError(Exception):
    """A command that is refused; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(str(reply))


@dataclass(frozen=True, slots=True)
class Command:
    """The verb in upper case, and what follows it."""

    verb: str
    argument: str


@dataclass(frozen=True, slots=True)
class Sender:
    """MAIL FROM: the return path, empty for the null sender, and what it announces of the message."""

    path: str
    size: int | None = None
    is_utf8: bool = False


@dataclass(frozen=True, slots=True)
class _Path:
    address: str
    parameters: dict[str, str | None] = field(default_factory=dict)


def parse_command(line: bytes) -> Command:
    """A command line with its line end. Raises `CommandError`: "MUST NOT" be ended by anything but CRLF (RFC 5321 §2.3.8)."""
    if not line.endswith(b"\r\n") or len(line) > LONGEST_LINE:
        raise CommandError(BAD_SYNTAX)
    try:
        text = line[:-2].decode("utf_8")
    except UnicodeDecodeError:
        raise CommandError(BAD_SYNTAX) from None
    if _CONTROL.search(text):
        raise CommandError(BAD_SYNTAX)
    verb, _, argument = text.partition(" ")
    return Command(verb.upper(), argument.strip(" "))


def parse_host(argument: str) -> str:
    """The name that a client gives itself with LHLO. Raises `CommandError`."""
    if not _HOST.fullmatch(argument):
        raise CommandError(BAD_ARGUMENT)
    return argument


def parse_sender(argument: str) -> Sender:
    """The argument of MAIL. Raises `CommandError`."""
    path = _path(argument, "FROM:", BAD_SENDER)
    size, is_utf8 = None, False
    for name, value in path.parameters.items():
        match name:
            case "SIZE":
                if value is None or not (value.isdigit() and len(value) <= MOST_DIGITS):
                    raise CommandError(BAD_PARAMETER)
                size = int(value)
            case "BODY":
                if (value or "").upper() not in {"7BIT", "8BITMIME"}:
                    raise CommandError(BAD_PARAMETER)
            case "SMTPUTF8":
                if value is not None:
                    raise CommandError(BAD_PARAMETER)
                is_utf8 = True
            case _:
                raise CommandError(UNKNOWN_PARAMETER)
    if not (is_utf8 or path.address.isascii()):
        raise CommandError(NEEDS_UTF8)
    return Sender(path.address, size, is_utf8)


def parse_recipient(argument: str, *, is_utf8: bool) -> str:
    """The address that the argument of RCPT names. Raises `CommandError`."""
    path = _path(argument, "TO:", BAD_RECIPIENT)
    if path.parameters:
        raise CommandError(UNKNOWN_PARAMETER)
    if not path.address:
        raise CommandError(BAD_RECIPIENT)
    if not (is_utf8 or path.address.isascii()):
        raise CommandError(NEEDS_UTF8)
    return path.address


def _path(argument: str, keyword: str, refusal: Reply) -> _Path:
    if argument[: len(keyword)].upper() != keyword:
        raise CommandError(BAD_ARGUMENT)
    match = _PATH.fullmatch(argument[len(keyword) :])
    if match is None or len(match["address"].encode()) > LONGEST_PATH:
        raise CommandError(refusal)
    parameters: dict[str, str | None] = {}
    for text in (match["parameters"] or "").split():
        parameter = _PARAMETER.fullmatch(text)
        if parameter is None or parameter["name"].upper() in parameters:
            raise CommandError(BAD_PARAMETER)
        parameters[parameter["name"].upper()] = parameter["value"]
    return _Path(match["address"], parameters)
