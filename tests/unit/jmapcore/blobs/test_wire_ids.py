"""Blob ids on the wire have one spelling each."""

from __future__ import annotations

import pytest

from jmapcore.blobs.wire_ids import BlobName, parse_blob_id


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("b1", BlobName(1)),
        ("b2147483647", BlobName(2147483647)),
        ("b17-2", BlobName(17, 2)),
        ("b17-0", BlobName(17, 0)),
        ("b17-2-3", BlobName(17, 2, (3,))),
        ("b17-1-1-1-1-1-1-1-1-1-1", BlobName(17, 1, (1,) * 9)),
    ],
)
def test_id_is_read_and_written(wire: str, name: BlobName) -> None:
    assert parse_blob_id(wire) == name
    assert str(name) == wire


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "b",
        "17",
        "b0",
        "b017",
        "b-1",
        "b1-",
        "b1-02",
        "b1-2-",
        "b1--2",
        "b1-2-03",
        "b1" + "-1" * 11,
        "b2147483648",
        "B1",
        "b1\n",
        "b١",
        "e1",
        "b1 ",
    ],
)
def test_any_other_string_names_nothing(wire: str) -> None:
    assert parse_blob_id(wire) is None
