"""Charsets of mail: names as they occur, decoding that never fails, and detection for unlabelled text.

A name in a message is looked up in a table made once from Python's codecs. `codecs.lookup` never sees it:
that would import modules and grow a cache by whatever a sender writes. Codecs that are no charset
(`unicode_escape`, `idna`, …) are not in the table, and UTF-7 is refused unless it is asked for, since it
hides ASCII text from filters (RFC 8621 §9.1).

Whether text without a usable label is guessed at, and whether UTF-7 is read, is said once for the process by
`configure`; each function takes a choice of its own instead.
"""

import re
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import lru_cache

from charset_normalizer import from_bytes

#: Octets of an unlabelled text that detection looks at.
DETECTION_OCTETS = 4096


@dataclass(slots=True)
class _Choices:
    detect: bool = True
    allow_utf7: bool = False


_chosen = _Choices()


def configure(*, detect: bool, allow_utf7: bool) -> None:
    """Choose for the whole process: guess the charset of text without a usable label; read UTF-7 (RFC 8621
    §9.1).
    """
    _chosen.detect, _chosen.allow_utf7 = detect, allow_utf7


_NO_CHARSETS = {
    "base64_codec",
    "bz2_codec",
    "hex_codec",
    "quopri_codec",
    "rot_13",
    "uu_codec",
    "zlib_codec",
    "mbcs",
    "utf_7",
}

#: Labels that mail uses for a superset, or that Python does not know (compare the WHATWG Encoding Standard,
#: "Names and labels").
_LABELS = {
    "ansix341968": "ascii",
    "ascii": "ascii",
    "usascii": "ascii",
    "big5": "big5hkscs",
    "big5eten": "big5hkscs",
    "chinesebig5": "big5hkscs",
    "cnbig5": "big5hkscs",
    "cp936": "gb18030",
    "gb2312": "gb18030",
    "gb231280": "gb18030",
    "gbk": "gb18030",
    "euckr": "cp949",
    "ksc5601": "cp949",
    "ksc56011987": "cp949",
    "ksc56011989": "cp949",
    "korean": "cp949",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "windows31j": "cp932",
    "mskanji": "cp932",
    "iso2022jp": "iso2022_jp_ext",
    "iso885911": "cp874",
    "tis620": "cp874",
    "windows874": "cp874",
    "iso88596e": "iso8859_6",
    "iso88596i": "iso8859_6",
    "iso88598e": "iso8859_8",
    "iso88598i": "iso8859_8",
    "iso88599": "cp1254",
    "latin5": "cp1254",
    "macintosh": "mac_roman",
    "macroman": "mac_roman",
    "maccyrillic": "mac_cyrillic",
    "unicode": "utf_16",
    "ucs2": "utf_16",
    "iso10646ucs2": "utf_16",
    "unicode11utf8": "utf_8",
    "unicode20utf8": "utf_8",
    "utf8": "utf_8",
    "utf8mb4": "utf_8",
    "windows65001": "utf_8",
    "csiso88596e": "iso8859_6",
    "csiso88596i": "iso8859_6",
    "csiso88598e": "iso8859_8",
    "csiso88598i": "iso8859_8",
    "visual": "iso8859_8",
    "logical": "iso8859_8",
    "suneugreek": "iso8859_7",
    "csisolatin9": "iso8859_15",
    "88591": "latin_1",
    "cp28591": "latin_1",
    "iso88591windows31latin1": "cp1252",
    "ansi": "cp1252",
    "ibm1252": "cp1252",
    "koi": "koi8_r",
    "koi8": "koi8_r",
    "koi8ru": "koi8_u",
    "mac": "mac_roman",
    "macce": "mac_latin2",
    "maccentraleurroman": "mac_latin2",
    "macicelandic": "mac_iceland",
    "macukrainian": "mac_cyrillic",
    "dos874": "cp874",
    "cseucpkdfmtjapanese": "euc_jp",
    "cp51932": "euc_jp",
    "eucjpms": "euc_jp",
    "mscp932": "cp932",
    "cp50220": "iso2022_jp_ext",
    "isoir149": "cp949",
    "windows949": "cp949",
}

_UTF_7 = {"utf7", "u7", "unicode11utf7", "csunicode11utf7", "xunicode20utf7", "csutf7"}

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def _squeeze(name: str) -> str:
    """A charset's name without the punctuation that mailers spell in different ways."""
    return _NOT_IN_NAMES.sub("", name.lower())


def _known_codecs() -> dict[str, str]:
    known = {}
    for alias, codec in aliases.items():
        if codec not in _NO_CHARSETS:
            known[_squeeze(alias)] = codec
            known[_squeeze(codec)] = codec
    for page in ("720", "737", "856", "874", "875", "1006", "1125"):
        known["cp" + page] = "cp" + page
    for codec in ("koi8_r", "koi8_t", "koi8_u"):
        known[_squeeze(codec)] = codec
    known.update({"windows" + name[2:]: codec for name, codec in known.items() if codec.startswith("cp125")})
    known.update({"win" + name[2:]: codec for name, codec in known.items() if codec.startswith("cp125")})
    known["xbig5"] = "big5hkscs"
    named = known | _LABELS
    return known | {prefix + name: codec for prefix in ("cs", "x") for name, codec in named.items()} | _LABELS


_CODECS = _known_codecs()

#: What unlabelled 8-bit text may be. The first that the detector finds plausible wins; else windows-1252.
_CANDIDATES = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "koi8_r",
    "cp949",
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp874",
)

#: Candidates in Latin script, which the detector cannot tell apart from windows-1252 where only its usual
#: letters occur.
_LATIN = {"cp1250", "cp1252", "cp1254"}
_WESTERN = bytes(range(128)) + "äöüßÄÖÜéèêëáàâçíìîïñóòôúùûœæøåÉÈÀÇÅØÆÑ«»°§·£€–—‘’‚“”„…\xa0".encode("cp1252")

_ESCAPE_JAPANESE = re.compile(rb"\x1b\$[@B]|\x1b\(J")
_META_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9_:.+-]{1,40})""", re.IGNORECASE
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def codec_name(charset: str, *, allow_utf7: bool | None = None) -> str | None:
    """The name of the Python codec for a charset as a message names it; None if it is unknown or refused."""
    return _codec_name(charset[:80], _chosen.allow_utf7 if allow_utf7 is None else allow_utf7)


@lru_cache(maxsize=512)
def _codec_name(charset: str, allow_utf7: bool) -> str | None:
    squeezed = _squeeze(charset)
    if squeezed in _UTF_7:
        return "utf_7" if allow_utf7 else None
    return _CODECS.get(squeezed)


def decode_known(data: bytes, codec: str) -> tuple[str, bool]:
    """Decode by a codec that `codec_name` gave; (text, whether malformed sections were replaced by U+FFFD).

    ISO-8859-1 is read as windows-1252 where octets 0x80-0x9F occur: there they are typographic characters of
    mislabelled text, never the control characters that the standard has.
    """
    if codec == "latin_1":
        try:
            return data.decode("cp1252"), False
        except UnicodeDecodeError:
            return data.decode("latin_1"), False
    try:
        text, problem = data.decode(codec), False
    except UnicodeDecodeError:
        text, problem = data.decode(codec, "replace"), True
    if codec in ("utf_7", "utf_16", "utf_16_be", "utf_16_le") and _SURROGATES.search(text):
        text, problem = _SURROGATES.sub("\ufffd", text), True
    return text, problem


def decode_text(
    data: bytes,
    charset: str | None,
    *,
    detect: bool | None = None,
    allow_utf7: bool | None = None,
    is_html: bool = False,
) -> tuple[str, bool]:
    """Decode text that claims a charset (None: no claim); (text, isEncodingProblem) of RFC 8621 §4.1.4.

    A known charset other than US-ASCII is believed. For US-ASCII (which is also what a missing label means)
    with 8-bit octets, and for unknown charsets, detection applies: valid UTF-8 is UTF-8; then, in HTML, what
    a `<meta charset>` says; then what `detect_codec` finds. What was guessed is reported as an encoding
    problem, UTF-8 under a missing or US-ASCII label is none. With `detect` off such text keeps its ASCII and
    has U+FFFD for all else.
    """
    detect = _chosen.detect if detect is None else detect
    codec = codec_name(charset, allow_utf7=allow_utf7) if charset else "ascii"
    if codec is not None and codec != "ascii":
        return decode_known(data, codec)
    unknown = codec is None
    if data.isascii() and not (detect and b"\x1b" in data):
        return data.decode("ascii"), unknown
    if not detect:
        return data.decode("ascii", "replace"), True
    if _ESCAPE_JAPANESE.search(data, 0, DETECTION_OCTETS):
        return decode_known(data, "iso2022_jp_ext")[0], True
    try:
        return data.decode("utf_8"), unknown
    except UnicodeDecodeError:
        pass
    if is_html and (meta := _META_CHARSET.search(data, 0, DETECTION_OCTETS)):
        declared = codec_name(meta[1].decode("ascii"), allow_utf7=allow_utf7)
        if declared not in (None, "ascii"):
            return decode_known(data, str(declared))[0], True
    return decode_known(data, detect_codec(data))[0], True


def detect_codec(data: bytes) -> str:
    """The codec that unlabelled 8-bit text, which is no UTF-8, is most plausibly in; `latin_1` where nothing
    is convincing.

    Only the first `DETECTION_OCTETS` octets from the first 8-bit one's line on are looked at.
    """
    first = re.search(rb"[\x80-\xff]", data)
    start = max(data.rfind(b"\n", 0, first.start()) + 1, first.start() - 256) if first else 0
    sample = data[start : start + DETECTION_OCTETS]
    high = sum(octet > 0x7F for octet in sample)
    if high < 8:
        return "latin_1"
    best = from_bytes(sample, cp_isolation=list(_CANDIDATES), preemptive_behaviour=False).best()
    if best is None or (best.encoding in _LATIN and not sample.translate(None, _WESTERN)):
        return "latin_1"
    return best.encoding
