"""Messages that nobody would send: nested, with wrong boundaries, charsets, encodings, encoded words and huge fields."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Octets = st.SearchStrategy[bytes]

REPEATED_PIECES = [
    b"x", b" ", b"\xcc\x81", b"<a", b">", b"a@b, ", b"=?utf-8?q?a?= ", b"(", b'"\\', b"\r\n x",
    b"<a@b> ", b"&lt;", b"=\r\n",
]  # fmt: skip
TEXT_PIECES = [
    b"Text", b"<p>Hello <b>there", b"<!--", b"<style>x</style>", b"&#x110000;&#0;&nbsp;", b"w7w=",
    b"w7w", b"====", b"=C3=BC=\r\n", b"=ZZ=", b"\x1b$B$3\x1b(B", b"\x1b$B", b"+AGEAYg-", b"+A",
    b"~{VP~}", b"\xa4\xa4", b"\xff\xfeA\0", b"\0\0\0", b"From me\n", b".\r\n.\r\n",
    b"begin 644 a\n#0V%T\n`\nend\n",
]  # fmt: skip
ADDRESS_PIECES = [
    b"ann@example.org", b"Ann", b"<ann@example.org>", b'"A \\"n"', b"Friends:", b";", b",", b"(c (d))",
    b"(", b")", b"@", b"<>", b"<@a,@b:c@d>", b"[1.2.3.4]", b"\xc3\xbc@\xc3\xbc.example", b'"', b"\\",
    b"<", b">", b":", b"a.b.", b".", b"\r\n ", b"undisclosed-recipients:;",
]  # fmt: skip
VALUE_PIECES = [
    b"", b" ", b"<a@b> <c@d>", b"<a@b", b"(<a@b>) <mailto:x@example.org>",
    b"Mon, 2 Sep 2002 12:00:00 +0100", b"2 Sep 02 25:61 EST", b"Tue, 99 Foo 9999 99:99:99 +9999",
    b"1 Jan 0000 00:00:00 -0000",
]  # fmt: skip
PARAMETER_NAMES = [
    b"charset", b"name", b"filename", b"filename*", b"filename*0", b"filename*0*", b"filename*1*",
    b"filename*9999999", b"boundary", b"", b"type", b"start",
]  # fmt: skip
PARAMETER_VALUES = [
    b"utf-8''%C3%BC", b"x''%FF%", b"a.png", b"../../etc/passwd", b"a\0b", b'"', b'"a\\', b"b", b"c",
]  # fmt: skip
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
CHARSETS = st.sampled_from([
    b"utf-8", b"us-ascii", b"iso-8859-1", b"utf-16", b"utf-7", b"gb18030", b"iso-2022-jp", b"big5",
    b"x-nobody", b"", b"\xff", b"hz", b"unicode_escape", b"rot13", b"zlib", b"idna", b"undefined",
    b"euc-kr", b"windows-1252", b"utf-8'en'", b"a\0b",
])  # fmt: skip
REPEATED: Octets = st.builds(
    lambda piece, count: (piece * count)[:20_000],
    st.sampled_from(REPEATED_PIECES),
    st.sampled_from([300, 5_000]),
)
TEXTS: Octets = st.one_of(
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=12),
    st.sampled_from(TEXT_PIECES),
    REPEATED,
)
ENCODED_WORDS: Octets = st.builds(
    b"=?%b?%b?%b?=".__mod__,
    st.tuples(
        CHARSETS,
        st.sampled_from([b"q", b"B", b"b", b"x", b""]),
        TEXTS.map(lambda text: text.replace(b"\n", b" ")),
    ),
)
ADDRESSES: Octets = st.lists(
    st.sampled_from(ADDRESS_PIECES) | ENCODED_WORDS,
    max_size=6,
).map(b" ".join)
VALUES: Octets = st.one_of(
    TEXTS,
    ENCODED_WORDS,
    st.lists(ENCODED_WORDS | TEXTS, max_size=4).map(b" ".join),
    ADDRESSES,
    st.sampled_from(VALUE_PIECES),
    REPEATED,
)
NAMES = st.sampled_from([
    b"Subject", b"From", b"To", b"Cc", b"Bcc", b"Reply-To", b"Sender", b"Date", b"Message-ID",
    b"In-Reply-To", b"References", b"List-Post", b"List-Id", b"Received", b"Resent-To", b"X-Any",
    b"subject ", b"\xc3\xbc", b"", b" ", b"From ann", b"Content-Language", b"Content-Location",
    b"Content-ID", b"MIME-Version",
])  # fmt: skip
FIELDS: Octets = st.builds(
    lambda name, colon, value, end: name + colon + value.replace(b"\n\n", b"\n") + end,
    NAMES,
    st.sampled_from([b": ", b":", b":\t", b" : ", b"", b":\r\n "]),
    VALUES,
    ENDS,
)
PARAMETERS: Octets = st.lists(
    st.builds(
        lambda name, value: b"; " + name + b"=" + value,
        st.sampled_from(PARAMETER_NAMES),
        st.builds(b'"%b"'.__mod__, TEXTS.map(lambda text: (text,)))
        | CHARSETS
        | st.sampled_from(PARAMETER_VALUES),
    ),
    max_size=3,
).map(b"".join)
TYPES = st.sampled_from([
    b"text/plain", b"text/html", b"text/x", b"TEXT/PLAIN", b"image/png", b"application/octet-stream",
    b"message/rfc822", b"message/global", b"message/delivery-status", b"message/partial",
    b"text/rfc822-headers", b"multipart/mixed", b"text", b"/", b"", b"multipart/", b"a/b/c",
    b"text/plain text/html",
])  # fmt: skip
ENCODINGS = st.sampled_from([
    b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable", b"x-uuencode", b"BASE64", b" base64 ",
    b"", b"x-nobody", b"base64, base64",
])  # fmt: skip
BOUNDARIES = st.sampled_from(
    [b"b", b"b", b"bb", b"b ", b"", b"--b", b"c", b"b" * 80, b"b'()+_,-./:=?", b"\xc3\xbc"]
)
MULTIPARTS = st.sampled_from(
    [b"mixed", b"alternative", b"related", b"digest", b"report", b"signed", b"encrypted", b"form-data", b"x"]
)


def _content_fields(declared: bytes, encoding: bytes | None, disposition: bytes | None) -> bytes:
    lines = [b"Content-Type: " + declared]
    lines += [] if encoding is None else [b"Content-Transfer-Encoding: " + encoding]
    lines += [] if disposition is None else [b"Content-Disposition: " + disposition]
    return b"\r\n".join(lines) + b"\r\n"


def _entity(fields: list[bytes], content: bytes, end: bytes, body: bytes) -> bytes:
    return b"".join(fields) + content + end + body


DISPOSITIONS = st.none() | st.builds(
    lambda kind, parameters: kind + parameters,
    st.sampled_from([b"inline", b"attachment", b"x", b"", b";"]),
    PARAMETERS,
)
LEAVES: Octets = st.builds(
    _entity,
    st.lists(FIELDS, max_size=2),
    st.just(b"")
    | st.builds(
        _content_fields,
        st.builds(bytes.__add__, TYPES, PARAMETERS),
        st.none() | ENCODINGS,
        DISPOSITIONS,
    ),
    ENDS | st.just(b""),
    st.lists(TEXTS, max_size=3).map(b"".join),
)


def _multipart(
    fields: list[bytes],
    subtype: bytes,
    written: bytes,
    used: bytes | None,
    parts: list[bytes],
    closing: bytes,
    end: bytes,
) -> bytes:
    """A multipart with its boundary as it is written in the field, and as it is `used` (None: the same)."""
    line = b"--" + (written if used is None else used)
    content = _content_fields(b"multipart/" + subtype + b'; boundary="' + written + b'"', None, None)
    body = b"".join(end + line + end + part for part in parts) + end + line + closing
    return _entity(fields, content, end, body)


def _nested(inner: Octets) -> Octets:
    multipart = st.builds(
        _multipart,
        st.lists(FIELDS, max_size=2),
        MULTIPARTS,
        BOUNDARIES,
        st.none() | st.none() | BOUNDARIES,
        st.lists(inner, max_size=4),
        st.sampled_from([b"--\r\n", b"--", b"", b"-", b"--x\r\n", b"--\r\nepilogue"]),
        st.sampled_from([b"\r\n", b"\r\n", b"\n"]),
    )
    message = st.builds(
        lambda kind, encoding, whole: _entity([], _content_fields(kind, encoding, None), b"\r\n", whole),
        st.sampled_from([b"message/rfc822", b"message/global", b"Message/RFC822; charset=x"]),
        st.none() | ENCODINGS,
        inner,
    )
    deep = st.builds(
        lambda depth, whole: (
            b"".join(
                b"Content-Type: multipart/mixed; boundary=d%d\r\n\r\n--d%d\r\n" % (level, level)
                for level in range(depth)
            )
            + whole
        ),
        st.sampled_from([2, 10, 60, 150]),
        inner,
    )
    return st.one_of(multipart, multipart, multipart, message, deep)


def _cut(whole: bytes, at: int | None) -> bytes:
    return whole if at is None else whole[:at]


MESSAGES: st.SearchStrategy[Any] = st.builds(
    _cut,
    st.builds(
        lambda fields, entity: b"".join(fields) + entity,
        st.lists(FIELDS, max_size=6),
        st.recursive(LEAVES, _nested, max_leaves=8),
    ),
    st.none() | st.none() | st.integers(0, 3_000),
)
