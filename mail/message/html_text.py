"""Text out of HTML, for previews and search: no rendering, linear in the input, and never an error."""

import re
from html import unescape

_TAG_REST = r"""(?>(?:[^>=]++|=\s*+(?>(?:"[^"]*+"|'[^']*+')?))*)"""

# Their "<" stands in `_MARKUP`: what begins with a fixed character is found twice as fast.
_TAG = rf"[A-Za-z/!?]{_TAG_REST}>?"

#: Tags that do not separate words.
_INLINE = (
    r"/?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|o:p|q|s|samp|small|span"
    rf"|strike|strong|sub|sup|tt|u|var|wbr)(?=[\s/>]){_TAG_REST}>?"
)

#: Comments, and elements whose content is not shown. What never closes reaches to the end.
_HIDDEN = "|".join(
    [r"!--.*?(?:-->|\Z)"]
    + [
        rf"{element}(?=[\s/>]).*?(?:</{element}(?=[\s/>])[^>]*+>?|\Z)"
        for element in ("style", "script", "title", "template")
    ]
)
_ANY = rf"(?:{_HIDDEN}|{_TAG})\s*+"

#: A run of markup with nothing shown inside it: of inline tags alone, or with anything that ends a word.
_MARKUP = re.compile(
    rf"<(?:(?>{_INLINE}(?:<{_INLINE})*)(?!\s*+<[A-Za-z/!?])|(?P<block>(?>{_ANY}(?:<{_ANY})*)))",
    re.DOTALL | re.IGNORECASE,
)

#: A number that no character has: `html.unescape` would build an integer of any length from it.
_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9A-Fa-f]{8,};?")

#: All up to the last tag that is not closed before the end. A quote that is open there is part of the tag.
_OUTSIDE_TAGS = re.compile(
    r"""(?>(?:[^<]++|<(?![A-Za-z/!?])|<(?>(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])))*)>)*)"""
)


def html_to_text(markup: str, enough: int | None = None) -> str:
    """The text of HTML: tags, comments and hidden elements left out, character references decoded; blocks end
    in LF.

    With `enough` it may stop once there are so many characters, white space not counted in full.
    """
    pieces: list[str] = []
    length = position = 0
    for match in _MARKUP.finditer(markup):
        piece = markup[position : match.start()]
        pieces.append(piece if match["block"] is None else piece + "\n")
        position = match.end()
        if enough is not None and piece and (length := length + len(piece.strip())) > enough:
            break
    else:
        pieces.append(markup[position:])
    text = "".join(pieces)
    return unescape(_LONG_REFERENCE.sub("", text)) if "&" in text else text


def outside_tags(markup: str) -> int:
    """The length of the longest beginning of the text that does not end inside a tag."""
    match = _OUTSIDE_TAGS.match(markup)
    assert match is not None
    return match.end()
