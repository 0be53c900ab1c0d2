"""Media types: normalised on the way in, exact on the way out."""

from __future__ import annotations

import pytest

from jmapcore.blobs.media_types import download_type, upload_type


@pytest.mark.rfc("8620", "6.1")
@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("image/png", "image/png"),
        ("Text/HTML; charset=UTF-8", "text/html"),
        (" application/json ", "application/json"),
        ("application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
        ("", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("text/", "application/octet-stream"),
        ("text/a b", "application/octet-stream"),
        ("text/pl\u00e4in", "application/octet-stream"),
        ("text/plain\r\nX-Evil: 1", "application/octet-stream"),
        ("*/*", "application/octet-stream"),
        (f"text/{'a' * 128}", "application/octet-stream"),
    ],
)
def test_upload_type_is_a_bare_media_type(header: str, media_type: str) -> None:
    assert upload_type(header) == media_type


@pytest.mark.rfc("8620", "6.2")
@pytest.mark.parametrize(
    "wanted", ["text/plain", "Text/HTML;charset=UTF-8", 'text/plain; a="b;c"', "image/*", "x/y ; q=1"]
)
def test_download_type_is_exactly_what_was_asked_for(wanted: str) -> None:
    assert download_type(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "text",
        "text/",
        "text/plain\r\nX: 1",
        "text/plain\n",
        "text/plain\x00",
        "text/pl\u00e4in",
        "a/b; c",
        "a" * 2000,
    ],
)
def test_download_type_that_is_no_header_value_is_refused(wanted: str) -> None:
    assert download_type(wanted) is None


def test_download_without_type_is_octets() -> None:
    assert download_type("") == "application/octet-stream"
