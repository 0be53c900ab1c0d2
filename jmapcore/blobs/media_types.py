"""Media types as clients give them: normalised for uploads, checked for downloads; never sniffed."""

from __future__ import annotations

import re

UNKNOWN = "application/octet-stream"

# RFC 6838 §4.2: type-name and subtype-name are restricted-names of at most 127 characters.
_RESTRICTED = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(rf"({_RESTRICTED})/({_RESTRICTED})")

# RFC 9110 §8.3.1, with parameters; quoted-string without the obsolete octets above ASCII.
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  # a token of a header field
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
_CONTENT_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?)*")
_LONGEST = 1000


def upload_type(content_type: str) -> str:
    """The media type of an upload (RFC 8620 §6.1, RFC 6838 §4.2) from its Content-Type header ("" for none).

    Lower case and without parameters; what is no media type is `application/octet-stream`.
    """
    name = content_type.partition(";")[0].strip(" \t")
    return name.lower() if _MEDIA_TYPE.fullmatch(name) else UNKNOWN


def download_type(wanted: str) -> str | None:
    """The Content-Type of a download from the URL's `type`: exactly that, or None where it can be no
    header's value."""
    if not wanted:
        return UNKNOWN
    if len(wanted) > _LONGEST or not _CONTENT_TYPE.fullmatch(wanted):
        return None
    return wanted
