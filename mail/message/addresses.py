"""Address lists (RFC 5322 §3.4 and §4.4), read as well as they can be (RFC 8621 §4.1.2.3, §4.1.2.4).

Most addresses are of two plain shapes and one regular expression reads them. Whatever it does not match, from
there to the end of the field, goes through a lexer that takes any octets.
"""

import re
from dataclasses import dataclass, field

from mail.message.encoded_words import composed, decode_words, decode_words_in_comment, unfolded

Address = dict[str, str | None]

_ATOM = r"[^\x00-\x20()<>@,;:\\\"\[\].\x7f]"
_ADDRESS = rf"{_ATOM}++(?>(?:\.{_ATOM}++)*)@{_ATOM}++(?>(?:\.{_ATOM}++)*)"

#: One mailbox and the comma or the end after it.
_PLAIN = re.compile(
    rf"""\s*+(?:(?:"(?P<quoted>[^"\\]*+)"\s*+|(?P<atoms>{_ATOM}++(?>(?:[ ]{_ATOM}++|\.)*))\s++)?"""
    rf"""<(?P<angle>{_ADDRESS})>|(?P<bare>{_ADDRESS}))\s*+(?:,|\Z)"""
)

_TOKEN = re.compile(
    r"""(?P<space>\s++)|(?P<encoded>=\?[^?\s]++\?[BbQq]\?[^?\s]*+\?=(?=[\s]|\Z))"""
    r"""|(?P<quoted>"(?>(?:[^"\\]++|\\.)*)")|(?P<literal>\[(?>(?:[^\[\]\\\s]++|\\.)*)\])"""
    r"""|(?P<special>[<>@,;:])|(?P<paren>\()|(?P<atom>[^\s()<>@,;:\\"\[\]]++)|(?P<pair>\\.?)|(?P<other>.)""",
    re.DOTALL,
)
_PAREN = re.compile(r"[()]|\\.", re.DOTALL)

#: Addresses and groups of one field; further ones are left out. A field of the length that is read has half as
#: many, where they are real.
MOST = 20_000

#: No text has a NUL here (`unfolded` dropped it).
_TOUCHING = "\x00"
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class Group:
    """A group of addresses; `name` is None for addresses outside of any."""

    name: str | None
    addresses: list[Address] = field(default_factory=list)


@dataclass(slots=True)
class _Word:
    text: str
    kind: str
    after_space: bool


def parse_addresses(value: bytes) -> list[Group]:
    """An address list as groups in order; consecutive addresses outside of groups share one without a name."""
    text = unfolded(value)
    groups: list[Group] = []
    plain: list[Address] = []
    position = 0
    while len(plain) < MOST and (match := _PLAIN.match(text, position)):
        quoted, atoms, angle, bare = match.groups()
        if atoms is not None:
            name = composed(decode_words(atoms)).strip() or None
        else:
            name = (composed(quoted).strip() or None) if quoted else None
        plain.append({"name": name, "email": angle or bare})
        position = match.end()
    if plain:
        groups.append(Group(None, plain))
    if len(plain) < MOST and text[position:].strip():
        _Lexer(text, position, groups, MOST - len(plain)).run()
    return groups


class _Lexer:
    """Reads the list token by token into words, and makes a mailbox of them at each comma, semicolon and
    angle bracket.
    """

    def __init__(self, text: str, position: int, groups: list[Group], room: int) -> None:
        self.room = room
        self.text = text
        self.position = position
        self.groups = groups
        self.in_group = False
        self.quotes_close = True
        self.parens_close = True
        self.start_mailbox()

    def start_mailbox(self) -> None:
        """Forget what was read of the last mailbox."""
        self.words: list[_Word] = []
        self.route: list[_Word] | None = None
        self.in_angle = False
        self.name_touches = False
        self.comment: str | None = None

    def run(self) -> None:
        """Read to the end of the text."""
        after_space = False
        while self.room > 0 and (match := _TOKEN.match(self.text, self.position)):
            kind, text = str(match.lastgroup), match[0]
            if (kind == "other" and text == '"') or (kind == "quoted" and not self.quotes_close):
                self.quotes_close = False
                self.position = match.start() + 1
                continue
            self.position = match.end()
            if kind == "paren":
                self.read_comment(match.start())
                after_space = True
            elif kind == "special":
                self.special(text, after_space)
                after_space = False
            elif kind == "space":
                after_space = True
            elif kind != "other":
                self.word(_Word(text, kind, after_space))
                after_space = False
        self.end_mailbox()

    def read_comment(self, start: int) -> None:
        """A comment with those inside it; a parenthesis that is never closed is noise."""
        if not self.parens_close:
            return
        depth = 0
        for match in _PAREN.finditer(self.text, start):
            if match[0] in "()":
                depth += 1 if match[0] == "(" else -1
            if depth == 0:
                if self.words or self.route is not None:  # one before the address says nothing of it
                    self.comment = self.text[start + 1 : match.start()]
                self.position = match.end()
                return
        self.parens_close = False

    def word(self, word: _Word) -> None:
        """Take a word for the name or, in angle brackets, for the address."""
        if self.in_angle:
            assert self.route is not None
            self.route.append(word)
            return
        if self.route is not None:
            # Words after "<address>": the comma is missing.
            self.end_mailbox()
        self.words.append(word)

    def special(self, special: str, after_space: bool) -> None:
        """One of the characters that give an address list its structure."""
        if special == "<":
            if self.in_angle and not self.route:
                return
            if self.route is not None:
                self.end_mailbox()
            self.in_angle, self.route, self.name_touches = True, [], not after_space
        elif special == ">":
            self.in_angle = False
        elif special == "@" or (self.in_angle and (special != "," or self.is_source_route())):
            self.word(_Word(special, "special", after_space))
        elif special == ":":
            self.start_group(touches_next=not after_space)
        else:
            self.end_mailbox()
            self.in_group = self.in_group and special == ","

    def is_source_route(self) -> bool:
        """Whether "<" was followed by "@", the obsolete route that goes before an address (RFC 5322 §4.4)."""
        return bool(self.route) and self.route is not None and self.route[0].text == "@"

    def start_group(self, *, touches_next: bool) -> None:
        """Begin a group whose name are the words read so far."""
        self.groups.append(Group(_phrase(self.words, touches_next=touches_next) or ""))
        self.room -= 1
        self.in_group = True
        self.start_mailbox()

    def end_mailbox(self) -> None:
        """Add what was read, if it is anything."""
        if self.route is not None:
            name = _phrase(self.words, touches_next=self.name_touches)
            self.add(name or self.comment_text(), _address(self.without_route()))
        elif self.words:
            self.add(self.comment_text(), _address(self.words))
        self.start_mailbox()

    def without_route(self) -> list[_Word]:
        """The words in angle brackets without an obsolete source route."""
        words = self.route or []
        colons = [number for number, word in enumerate(words) if word.kind == "special" and word.text == ":"]
        return words[colons[-1] + 1 :] if colons and self.is_source_route() else words

    def comment_text(self) -> str | None:
        """The last comment, decoded."""
        if self.comment is None:
            return None
        return composed(decode_words_in_comment(_QUOTED_PAIR.sub(r"\1", self.comment))).strip() or None

    def add(self, name: str | None, email: str) -> None:
        """Add an address to the open group, or to the addresses outside of groups; "<>" alone is none."""
        if not name and not email:
            return
        if not self.groups or (not self.in_group and self.groups[-1].name is not None):
            self.groups.append(Group(None))
        self.groups[-1].addresses.append({"name": name, "email": email})
        self.room -= 1


def _phrase(words: list[_Word], *, touches_next: bool) -> str | None:
    """A display name: quoted strings without quotes, encoded words decoded, one space where there was any.

    An encoded word "MUST be separated from any adjacent 'word', 'text' or 'special' by 'linear-white-space'"
    (RFC 2047 §5): the mark `_TOUCHING` stands where it is not.
    """
    pieces: list[str] = []
    run = ""
    for word in words:
        space = " " if word.after_space else ""
        if word.kind == "quoted":
            pieces.append(decode_words(run if space else run + _TOUCHING))
            pieces.append(space + _QUOTED_PAIR.sub(r"\1", word.text[1:-1]).strip())
            run = _TOUCHING
        else:
            run += space + _QUOTED_PAIR.sub(r"\1", word.text)
    pieces.append(decode_words(run + _TOUCHING if touches_next else run))
    return composed("".join(pieces).replace(_TOUCHING, "")).strip() or None


def _address(words: list[_Word]) -> str:
    """An addr-spec without white space around its dots and "@"; a space stays between words that should not
    be there.
    """
    email = ""
    for word in words:
        joins = not email or email[-1] in ".@" or word.text[0] in ".@"
        email += word.text if joins or not word.after_space else " " + word.text
    return email
