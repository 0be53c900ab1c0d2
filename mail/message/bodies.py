"""From the MIME structure to what a client shows: body lists, attachments, preview, truncation (RFC 8621
§4.1.4, §4.2).
"""

import re
from dataclasses import dataclass

from mail.message.charsets import decode_text
from mail.message.encoded_words import without_controls
from mail.message.html_text import html_to_text, outside_tags
from mail.message.scan import Message, Part
from mail.message.transfer import decode

#: "This MUST NOT be more than 256 characters in length" (RFC 8621 §4.1.4). Counted in UTF-16, as JavaScript
#: does.
PREVIEW_LENGTH = 256
#: Octets of a body that a preview is made from; the next where one gives too little, as in HTML with long
#: styles.
PREVIEW_OCTETS = (2_048, 16_384, 65_536)

_QUOTED_LINE = re.compile(r"^[>|][^\n]*+\n?", re.MULTILINE)
_ATTRIBUTION_END = re.compile(r":\n\n?(?=[>|])")
_RULE = re.compile(r"(?:[-=_*#~+][ \t]?){4,}")
_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffc]+")


@dataclass(slots=True)
class _BodyLists:
    """The lists while they grow. The algorithm of the RFC sets one to null for the rest of a multipart: None
    here.
    """

    text: list[Part] | None
    html: list[Part] | None
    attachments: list[Part]


def _is_inline_media(type_: str) -> bool:
    return type_.startswith(("image/", "audio/", "video/"))


def body_lists(root: Part) -> tuple[list[Part], list[Part], list[Part]]:
    """textBody, htmlBody and attachments, by the algorithm that RFC 8621 §4.1.4 suggests.

    Where that differs from the definition of `attachments` the definition counts: a part that the algorithm
    puts nowhere is an attachment, one that comes to be in both bodies is none.
    """
    text: list[Part] = []
    html: list[Part] = []
    attachments: list[Part] = []
    _collect([root], "mixed", False, _BodyLists(text, html, attachments))
    if any(_is_inline_media(part.type) for part in attachments):
        in_both = {id(part) for part in text} & {id(part) for part in html}
        attachments = [part for part in attachments if id(part) not in in_both]
    return text, html, attachments


def _collect(parts: list[Part], multipart: str, in_alternative: bool, lists: _BodyLists) -> None:
    """The RFC's parseStructure. Its depth is bounded by the scan's."""
    text_length = -1 if lists.text is None else len(lists.text)
    html_length = -1 if lists.html is None else len(lists.html)
    for index, part in enumerate(parts):
        if part.is_multipart:
            kind = part.type.partition("/")[2]
            within = _BodyLists(lists.text, lists.html, lists.attachments)
            _collect(part.parts, kind, in_alternative or kind == "alternative", within)
        elif not _is_body_part(part, index, multipart):
            lists.attachments.append(part)
        elif multipart == "alternative":
            _add_alternative(part, lists)
        else:
            _add_inline(part, in_alternative, lists)
    if multipart == "alternative" and lists.text is not None and lists.html is not None:
        if text_length == len(lists.text) and html_length != len(lists.html):
            lists.text.extend(lists.html[html_length:])
        elif html_length == len(lists.html) and text_length != len(lists.text):
            lists.html.extend(lists.text[text_length:])


def _is_body_part(part: Part, index: int, multipart: str) -> bool:
    """Whether a part is of the body and no attachment: the algorithm's isInline."""
    is_media = _is_inline_media(part.type)
    if part.disposition == "attachment" or not (is_media or part.type in ("text/plain", "text/html")):
        return False
    # "If multipart/related, only the first part can be inline. If a text part with a filename, and not the
    # first item in the multipart, assume it is an attachment."
    return index == 0 or (multipart != "related" and (is_media or not part.name))


def _add_alternative(part: Part, lists: _BodyLists) -> None:
    if part.type == "text/plain" and lists.text is not None:
        lists.text.append(part)
    elif part.type == "text/html" and lists.html is not None:
        lists.html.append(part)
    else:
        lists.attachments.append(part)


def _add_inline(part: Part, in_alternative: bool, lists: _BodyLists) -> None:
    if in_alternative and part.type == "text/plain":
        lists.html = None
    elif in_alternative and part.type == "text/html":
        lists.text = None
    if lists.text is not None:
        lists.text.append(part)
    if lists.html is not None:
        lists.html.append(part)
    is_in_neither = lists.text is None and lists.html is None
    if is_in_neither or (_is_inline_media(part.type) and (lists.text is None or lists.html is None)):
        # The algorithm loses a text that is in neither list; the definition of `attachments` does not.
        lists.attachments.append(part)


def has_attachment(attachments: list[Part]) -> bool:
    """hasAttachment of RFC 8621 §4.1.4: whether any attachment is neither inline nor an image that the HTML
    embeds.

    An image with a Content-ID that is not marked as an attachment is there for a "cid:" link.
    """
    return any(
        part.disposition != "inline"
        and not (part.type.startswith("image/") and part.cid is not None and part.disposition != "attachment")
        for part in attachments
    )


def preview(raw: bytes, message: Message, *, detect: bool | None = None) -> str:
    """The beginning of the message's text on one line, at most 256 characters (RFC 8621 §4.1.4).

    Quoted lines are skipped where there are others. Only a bounded beginning of each part is looked at, and
    of no more than four parts.
    """
    text_body = body_lists(message.root)[0]
    return preview_of(raw, text_body, detect=detect)


def preview_of(raw: bytes, text_body: list[Part], *, detect: bool | None = None) -> str:
    """As `preview`, where the body lists are there already."""
    pieces: list[str] = []
    length = 0
    for part in text_body[:4]:
        if part.type not in ("text/plain", "text/html"):
            continue
        line = ""
        for octets in PREVIEW_OCTETS:
            line = _one_line(_beginning(raw, part, octets, detect))
            if len(line) >= PREVIEW_LENGTH or part.body_end - part.body_start <= octets:
                break
        if line:
            pieces.append(line)
            length += len(line) + 1
            if length > PREVIEW_LENGTH:
                break
    return _cut(" ".join(pieces))


def _beginning(raw: bytes, part: Part, most: int, detect: bool | None) -> str:
    """The text in the first octets of a part's body."""
    is_html = part.type == "text/html"
    end = min(part.body_end, part.body_start + most)
    octets = decode(part.encoding, raw[part.body_start : end])
    text, _ = decode_text(octets, part.charset, detect=detect, is_html=is_html)
    if end < part.body_end:
        # The last character may have been cut in two.
        text = text.rstrip("\ufffd")
    return html_to_text(text, 4 * PREVIEW_LENGTH) if is_html else _without_quotes(text.replace("\r\n", "\n"))


def _without_quotes(text: str) -> str:
    """Text without quoted lines and the line that says who wrote them, if anything is left then."""
    if "\n>" not in text and "\n|" not in text and text[:1] not in (">", "|"):
        return text
    pieces: list[str] = []
    position = 0
    for match in _ATTRIBUTION_END.finditer(text):
        pieces.append(text[position : max(position, text.rfind("\n", position, match.start()) + 1)])
        position = match.end()
    pieces.append(text[position:])
    left = _QUOTED_LINE.sub("", "".join(pieces))
    return left if left.strip() else text


def _one_line(text: str) -> str:
    """Text with each run of white space as one space, without rules drawn from punctuation and invisible
    characters.
    """
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    # Far more than will be left, so that the rest costs nothing.
    line = " ".join(text.split())[: 8 * PREVIEW_LENGTH]
    if _RULE.search(line):
        line = " ".join(_RULE.sub(" ", line).split())
    return without_controls(line[: 4 * PREVIEW_LENGTH])


def _cut(line: str) -> str:
    line = line[:PREVIEW_LENGTH]
    beyond = sum(character > "\uffff" for character in line) if not line.isascii() else 0
    while beyond and len(line) + beyond > PREVIEW_LENGTH:
        beyond -= line[-1] > "\uffff"
        line = line[:-1]
    return line.rstrip()


def truncate_text(text: str, max_bytes: int, is_html: bool) -> tuple[str, bool]:
    """Text cut to at most `max_bytes` octets of UTF-8 and isTruncated (RFC 8621 §4.2, maxBodyValueBytes; 0 is
    no limit).

    The cut is between characters; in HTML it is not inside a tag.
    """
    if max_bytes <= 0 or len(text) * 4 <= max_bytes:
        return text, False
    octets = text.encode("utf_8")
    if len(octets) <= max_bytes:
        return text, False
    cut = octets[:max_bytes].decode("utf_8", "ignore")
    return (cut[: outside_tags(cut)] if is_html else cut), True
