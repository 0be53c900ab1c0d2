"""Parts of messages as blobs (RFC 8621 §4.1.4)."""

from __future__ import annotations

import pytest

from mail.parts import resolve_part

RAW = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nText\r\n"
    b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--b--\r\n"
)


@pytest.mark.rfc("8621", "4.1.4")
@pytest.mark.parametrize(
    ("number", "part"),
    [(0, None), (1, (b"Text", "text/plain")), (2, (b"\x89PNG", "image/png")), (3, None), (-1, None)],
)
def test_a_part_by_its_number(number: int, part: tuple[bytes, str] | None) -> None:
    span = resolve_part(RAW, number)
    assert (None if span is None else (span.octets(RAW), span.type)) == part
