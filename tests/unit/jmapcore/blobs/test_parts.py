"""Parts of blobs: `b17-2` is what the registered hooks see in blob 17."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from jmapcore.blobs import references
from jmapcore.blobs.content import read_visible
from jmapcore.blobs.copy import copy_blobs
from jmapcore.blobs.references import PartSpan, register_parts
from jmapcore.protocol.errors import RequestError
from jmapcore.store import database
from jmapcore.store.database import Connection
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.test_copy import caller
from tests.unit.jmapcore.blobs.toys import access, body, download, fresh_bytes, uploaded


@pytest.fixture(autouse=True)
def _hooks() -> Iterator[None]:
    """Put back what the applications registered."""
    before = references.part_resolver(), references.part_locator()
    yield
    references._resolver, references._locator = before


def line(raw: bytes, number: int) -> PartSpan | None:
    """A toy resolver: the lines of a text, counted from 1."""
    lines = raw.split(b"\n")
    if not 1 <= number <= len(lines):
        return None
    start = sum(len(each) + 1 for each in lines[: number - 1])
    size = len(lines[number - 1])
    return PartSpan(start, start + size, size, "text/x-line")


def test_part_is_what_the_resolver_finds(cast: Cast) -> None:
    register_parts(line)
    wire_id = uploaded(access(cast.alice), b"one\ntwo\nthree")
    response = download(access(cast.alice), f"{wire_id}-2")
    assert (response["Content-Length"], body(response)) == ("3", b"two")
    assert response["ETag"] != download(access(cast.alice), f"{wire_id}-3")["ETag"]


def test_range_of_a_part(cast: Cast) -> None:
    register_parts(line)
    wire_id = uploaded(access(cast.alice), b"one\ntwo\nthree")
    response = download(access(cast.alice), f"{wire_id}-3", range="bytes=1-3")
    assert (response["Content-Range"], body(response)) == ("bytes 1-3/5", b"hre")


def test_part_that_does_not_exist_is_not_found(cast: Cast) -> None:
    register_parts(line)
    wire_id = uploaded(access(cast.alice), b"one")
    with pytest.raises(RequestError) as problem:
        download(access(cast.alice), f"{wire_id}-2")
    assert problem.value.status == 404


def test_part_of_an_invisible_blob_is_not_found(cast: Cast) -> None:
    register_parts(line)
    wire_id = uploaded(access(cast.alice), b"secret\nlines")
    with pytest.raises(RequestError) as problem:
        download(access(cast.alice, cast.bob), f"{wire_id}-1")
    assert problem.value.status == 404


def decode(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A toy decoder of base64 that comes in pieces of any size."""
    rest = b""
    for piece in pieces:
        rest += piece
        whole = len(rest) // 4 * 4
        yield base64.b64decode(rest[:whole])
        rest = rest[whole:]


@pytest.mark.parametrize("wanted", [None, "bytes=299990-300009", "bytes=-1"])
def test_located_part_is_decoded_while_it_is_sent(cast: Cast, wanted: str | None) -> None:
    data = fresh_bytes(900_000)
    encoded = base64.b64encode(data)

    def locate(connection: Connection, account_id: int, blob_id: int, number: int) -> PartSpan | None:
        return PartSpan(7, 7 + len(encoded), len(data), "image/png", decode)

    register_parts(lambda raw, number: None, locate)
    wire_id = uploaded(access(cast.alice), b"before " + encoded + b" after")
    response = download(access(cast.alice), f"{wire_id}-1", **({"range": wanted} if wanted else {}))
    expected = {None: data, "bytes=299990-300009": data[299_990:300_010], "bytes=-1": data[-1:]}[wanted]
    assert body(response) == expected


def test_located_part_without_encoding_is_a_slice(cast: Cast) -> None:
    data = fresh_bytes(700_000)

    def locate(connection: Connection, account_id: int, blob_id: int, number: int) -> PartSpan | None:
        return PartSpan(100_000, 600_000, 500_000, "image/png")

    register_parts(lambda raw, number: None, locate)
    wire_id = uploaded(access(cast.alice), data)
    assert body(download(access(cast.alice), f"{wire_id}-1")) == data[100_000:600_000]


def test_read_visible_gives_blobs_and_parts(cast: Cast) -> None:
    register_parts(line)
    wire_id = uploaded(access(cast.alice), b"one\ntwo")
    wanted = [wire_id, f"{wire_id}-2", f"{wire_id}-9", "b999999", "nonsense"]
    with database.connection() as connection:
        found = read_visible(connection, access(cast.alice), wanted)
        hidden = read_visible(connection, access(cast.alice, cast.bob), wanted)
    assert found == {wire_id: b"one\ntwo", f"{wire_id}-2": b"two"}
    assert hidden == {}


@pytest.mark.rfc("8620", "6.3")
def test_part_is_copied_as_a_blob_of_its_own(cast: Cast) -> None:
    register_parts(line)
    wire_id = uploaded(access(cast.alice), b"one\x00\ntwo") + "-2"
    copied, _ = copy_blobs(caller(cast.alice), access(cast.alice), access(cast.bob, cast.alice), [wire_id])
    assert body(download(access(cast.bob, cast.alice), copied[wire_id])) == b"two"
