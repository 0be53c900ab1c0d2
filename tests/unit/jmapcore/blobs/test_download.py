"""Downloads (RFC 8620 §6.2)."""

from __future__ import annotations

import pytest
from django.http import StreamingHttpResponse

from jmapcore.blobs.backends import bytes_write
from jmapcore.blobs.download import SLICE, content_disposition, requested_range
from jmapcore.blobs.storage import blob_hash
from jmapcore.protocol.errors import RequestError
from jmapcore.store import database
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.toys import access, body, download, fresh_bytes, uploaded


@pytest.mark.rfc("8620", "6.2")
def test_header_fields_of_a_download(cast: Cast) -> None:
    data = fresh_bytes()
    response = download(access(cast.alice), uploaded(access(cast.alice), data), "a.html", "text/html")
    assert response.status_code == 200
    assert dict(response.headers) == {
        "Content-Type": "text/html",
        "Content-Length": "100",
        "Content-Disposition": 'attachment; filename="a.html"',
        "Accept-Ranges": "bytes",
        "ETag": f'"{blob_hash(data).hex()}"',
        "Cache-Control": "private, immutable, max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


@pytest.mark.rfc("8620", "6.2")
def test_content_type_is_exactly_the_type_of_the_url(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes(), "image/png")
    assert download(access(cast.alice), wire_id, "n", "Text/Plain")["Content-Type"] == "Text/Plain"


def test_impossible_type_is_refused(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes())
    with pytest.raises(RequestError) as problem:
        download(access(cast.alice), wire_id, "n", "text/html\r\nSet-Cookie: a=b")
    assert problem.value.status == 400


def test_head_has_the_length_and_no_body(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes(400_000))
    response = download(access(cast.alice), wire_id, method="HEAD")
    assert (response.status_code, response["Content-Length"], body(response)) == (200, "400000", b"")


def test_large_blob_is_streamed(cast: Cast) -> None:
    data = fresh_bytes(600_000)
    response = download(access(cast.alice), uploaded(access(cast.alice), data))
    assert isinstance(response, StreamingHttpResponse)
    pieces = list(response)
    assert {len(piece) for piece in pieces[:-1]} == {SLICE}
    assert b"".join(pieces) == data


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_if_none_match_answers_not_modified(cast: Cast, form: str) -> None:
    data = fresh_bytes()
    wire_id = uploaded(access(cast.alice), data)
    response = download(access(cast.alice), wire_id, if_none_match=form.format(blob_hash(data).hex()))
    assert (response.status_code, body(response)) == (304, b"")
    assert response["ETag"] == f'"{blob_hash(data).hex()}"'
    assert "Content-Type" not in response.headers


def test_if_none_match_of_other_octets_answers_the_blob(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes())
    assert download(access(cast.alice), wire_id, if_none_match='"other"').status_code == 200


def test_if_none_match_tells_nothing_about_an_invisible_blob(cast: Cast) -> None:
    data = fresh_bytes()
    wire_id = uploaded(access(cast.alice), data)
    with pytest.raises(RequestError) as problem:
        download(access(cast.alice, cast.bob), wire_id, if_none_match="*")
    assert problem.value.status == 404


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=262143-262144", 262_143, 262_145),
        ("bytes=262144-", 262_144, 600_000),
        ("bytes=-1", 599_999, 600_000),
        ("bytes=-700000", 0, 600_000),
        ("bytes=599999-700000", 599_999, 600_000),
        ("Bytes=10-299999", 10, 300_000),
        ("bytes=5-600001", 5, 600_000),
    ],
)
def test_range_answers_its_octets(cast: Cast, wanted: str, start: int, end: int) -> None:
    data = fresh_bytes(600_000)
    response = download(access(cast.alice), uploaded(access(cast.alice), data), range=wanted)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/600000"
    assert response["Content-Length"] == str(end - start)
    assert body(response) == data[start:end]


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_range_behind_the_end_is_not_satisfiable(cast: Cast, wanted: str) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes(100))
    with pytest.raises(RequestError) as problem:
        download(access(cast.alice), wire_id, range=wanted)
    assert (problem.value.status, problem.value.headers) == (416, {"Content-Range": "bytes */100"})


@pytest.mark.parametrize(
    "wanted", ["bytes=1-2,4-5", "bytes=5-2", "bytes=", "bytes=-", "items=0-1", "x", "bytes=a-b"]
)
def test_any_other_range_is_ignored(wanted: str) -> None:
    assert requested_range(wanted, 100) is None


def test_no_range_of_an_empty_blob_is_satisfiable() -> None:
    with pytest.raises(RequestError):
        requested_range("bytes=0-", 0)


def test_if_range_with_the_same_octets_answers_the_range(cast: Cast) -> None:
    data = fresh_bytes()
    wire_id = uploaded(access(cast.alice), data)
    tag = f'"{blob_hash(data).hex()}"'
    assert download(access(cast.alice), wire_id, range="bytes=0-1", if_range=tag).status_code == 206


@pytest.mark.parametrize("form", ['W/"{}"', '"other"', "Sat, 01 Jan 2028 00:00:00 GMT"])
def test_if_range_that_does_not_hold_answers_the_whole(cast: Cast, form: str) -> None:
    data = fresh_bytes()
    wire_id = uploaded(access(cast.alice), data)
    condition = form.format(blob_hash(data).hex())
    response = download(access(cast.alice), wire_id, range="bytes=0-1", if_range=condition)
    assert (response.status_code, body(response)) == (200, data)


def test_range_of_a_head_request_is_ignored(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes())
    response = download(access(cast.alice), wire_id, method="HEAD", range="bytes=0-1")
    assert (response.status_code, response["Content-Length"]) == (200, "100")


@pytest.mark.rfc("8620", "6.2")
@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("", "attachment"),
        ("report.pdf", 'attachment; filename="report.pdf"'),
        ("my report (1).pdf", 'attachment; filename="my report (1).pdf"'),
        ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        ("a\\b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%5Cb.txt"),
        ("a/b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%2Fb.txt"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("a\r\nX: 1", "attachment; filename=\"a__X: 1\"; filename*=UTF-8''a%0D%0AX%3A%201"),
        ("é€.txt", "attachment; filename=\"__.txt\"; filename*=UTF-8''%C3%A9%E2%82%AC.txt"),
        ("\ud800.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%3F.txt"),
    ],
)
def test_name_is_quoted_safely(name: str, header: str) -> None:
    assert content_disposition(name) == header


def test_blob_whose_octets_go_while_it_is_looked_up_is_not_found(cast: Cast) -> None:
    alice = access(cast.alice)
    wire_id = uploaded(alice, fresh_bytes())
    with database.connection() as connection, bytes_write(alice.account_id, connection):
        connection.execute("DELETE FROM blob_chunk WHERE account_id = %s", (alice.account_id,))
    with pytest.raises(RequestError) as problem:
        download(alice, wire_id)
    assert problem.value.status == 404
