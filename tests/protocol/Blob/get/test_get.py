"""Blob/get (RFC 9404 §4.2): octets of blobs as text or base64, ranges of them, digests and sizes."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.protocol.post import add, message
from tests.support.cast import Cast
from tests.support.client import JMAPClient

BROKEN = b"The quick brown fox jumped over the \x81\x81 dog."
HELLO = b"hello world"
LARGE = bytes(range(256)) * 5_000


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _get(client: JMAPClient, octets: bytes, *properties: str, **arguments: Any) -> dict[str, Any]:
    """What Blob/get says of an upload, without its id."""
    blob_id = client.upload(octets, "text/plain")["blobId"]
    asked = {"ids": [blob_id], "properties": list(properties) or None, **arguments}
    answer = client.call("Blob/get", asked)
    (record,) = answer["list"]
    assert record.pop("id") == blob_id
    assert answer["notFound"] == []
    found: dict[str, Any] = record
    return found


@pytest.mark.rfc("9404", "4.2")
def test_data_and_size_are_the_default(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(HELLO)["blobId"]
    assert alice.call("Blob/get", {"ids": [blob_id]}) == {
        "accountId": alice.account_id,
        "list": [{"id": blob_id, "data:asText": "hello world", "size": 11}],
        "notFound": [],
    }


@pytest.mark.rfc("9404", "4.2")
@pytest.mark.parametrize(
    ("octets", "properties", "expected"),
    [
        (HELLO, ["size"], {"size": 11}),
        (HELLO, ["id"], {}),
        (HELLO, ["data"], {"data:asText": "hello world"}),
        (HELLO, ["data:asText", "size"], {"data:asText": "hello world", "size": 11}),
        (HELLO, ["data:asBase64"], {"data:asBase64": _base64(HELLO)}),
        (
            HELLO,
            ["data", "data:asBase64"],
            {"data:asText": "hello world", "data:asBase64": _base64(HELLO)},
        ),
        (b"", ["data", "size"], {"data:asText": "", "size": 0}),
        (b"", ["data:asBase64"], {"data:asBase64": ""}),
        (BROKEN, ["data"], {"isEncodingProblem": True, "data:asBase64": _base64(BROKEN)}),
        (BROKEN, ["data:asText"], {"isEncodingProblem": True, "data:asText": None}),
        (BROKEN, ["data:asBase64"], {"data:asBase64": _base64(BROKEN)}),
        (
            BROKEN,
            ["data", "data:asText"],
            {"isEncodingProblem": True, "data:asText": None, "data:asBase64": _base64(BROKEN)},
        ),
        (b"\xed\xa0\x80", ["data:asText"], {"isEncodingProblem": True, "data:asText": None}),
        (b"\xc0\x80", ["data:asText"], {"isEncodingProblem": True, "data:asText": None}),
        ("a\0é\u2028😀".encode(), ["data"], {"data:asText": "a\0é\u2028😀"}),
    ],
)
def test_the_forms_of_the_data(
    cast: Cast, octets: bytes, properties: list[str], expected: dict[str, Any]
) -> None:
    assert _get(JMAPClient(cast.alice), octets, *properties) == expected


@pytest.mark.rfc("9404", "4.2")
@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 5, {"data:asText": "hello"}),
        (None, 5, {"data:asText": "hello"}),
        (6, None, {"data:asText": "world"}),
        (6, 5, {"data:asText": "world"}),
        (6, 6, {"data:asText": "world", "isTruncated": True}),
        (0, 2**53 - 1, {"data:asText": "hello world", "isTruncated": True}),
        (11, None, {"data:asText": ""}),
        (11, 0, {"data:asText": ""}),
        (11, 1, {"data:asText": "", "isTruncated": True}),
        (12, None, {"data:asText": "", "isTruncated": True}),
        (20, 100, {"data:asText": "", "isTruncated": True}),
        (2**53 - 1, 2**53 - 1, {"data:asText": "", "isTruncated": True}),
        (3, 0, {"data:asText": ""}),
    ],
)
def test_ranges(cast: Cast, offset: int | None, length: int | None, expected: dict[str, Any]) -> None:
    alice = JMAPClient(cast.alice)
    assert _get(alice, HELLO, offset=offset, length=length) == {**expected, "size": 11}


@pytest.mark.rfc("9404", "4.2")
def test_a_range_that_cuts_a_character_in_two_is_no_text(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    cut = _get(alice, "aé".encode(), "data", offset=0, length=2)
    assert cut == {"isEncodingProblem": True, "data:asBase64": _base64(b"a\xc3")}


@pytest.mark.rfc("9404", "4.2")
def test_a_range_that_leaves_the_broken_octets_out_is_text(cast: Cast) -> None:
    assert _get(JMAPClient(cast.alice), BROKEN, "data", offset=4, length=5) == {"data:asText": "quick"}


@pytest.mark.rfc("9404", "4.2")
@pytest.mark.parametrize(
    ("name", "algorithm"), [("sha", "sha1"), ("sha-256", "sha256"), ("sha-512", "sha512")]
)
@pytest.mark.parametrize("octets", [b"", HELLO, LARGE], ids=["empty", "small", "large"])
def test_digests(cast: Cast, name: str, algorithm: str, octets: bytes) -> None:
    found = _get(JMAPClient(cast.alice), octets, f"digest:{name}")
    assert found == {f"digest:{name}": _base64(hashlib.new(algorithm, octets).digest())}


@pytest.mark.rfc("9404", "4.2")
@pytest.mark.parametrize("octets", [HELLO, LARGE], ids=["small", "large"])
def test_digests_are_those_of_the_range(cast: Cast, octets: bytes) -> None:
    found = _get(JMAPClient(cast.alice), octets, "digest:sha-256", "digest:sha", "size", offset=2, length=7)
    assert found == {
        "digest:sha-256": _base64(hashlib.sha256(octets[2:9]).digest()),
        "digest:sha": _base64(hashlib.sha1(octets[2:9], usedforsecurity=False).digest()),
        "size": len(octets),
    }


@pytest.mark.rfc("9404", "4.2")
def test_the_digest_of_a_range_past_the_end_is_that_of_nothing(cast: Cast) -> None:
    found = _get(JMAPClient(cast.alice), HELLO, "digest:sha-256", offset=99)
    assert found == {"digest:sha-256": _base64(hashlib.sha256().digest()), "isTruncated": True}


@pytest.mark.rfc("9404", "4.2")
def test_a_range_of_a_large_blob(cast: Cast) -> None:
    found = _get(JMAPClient(cast.alice), LARGE, "data:asBase64", offset=262_100, length=300_000)
    assert found == {"data:asBase64": _base64(LARGE[262_100:562_100])}


@pytest.mark.rfc("9404", "4.2")
def test_parts_of_messages_and_of_messages_in_them(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    inner = "Subject: in\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
    raw = (
        "Subject: out\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText\r\n--b\r\n"
        f"Content-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
    )
    email_id = add(alice, raw.encode())
    blob_id = alice.call("Email/get", {"ids": [email_id], "properties": ["blobId"]})["list"][0]["blobId"]
    asked = {"ids": [f"{blob_id}-1", f"{blob_id}-2", f"{blob_id}-2-0"], "offset": 0, "length": None}
    assert alice.call("Blob/get", asked)["list"] == [
        {"id": f"{blob_id}-1", "data:asText": "Text", "size": 4},
        {"id": f"{blob_id}-2", "data:asText": inner, "size": len(inner)},
        {"id": f"{blob_id}-2-0", "data:asText": "hello", "size": 5},
    ]


@pytest.mark.rfc("9404", "4.2")
def test_blobs_come_in_order_each_once_and_the_others_are_not_found(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    first, second = alice.upload(b"1")["blobId"], alice.upload(b"2")["blobId"]
    ids = [second, "b999", first, "nothing", second, f"{first}-5", "#never"]
    answer = alice.call("Blob/get", {"ids": ids, "properties": ["size"]})
    assert answer["list"] == [{"id": second, "size": 1}, {"id": first, "size": 1}]
    assert answer["notFound"] == ["b999", "nothing", f"{first}-5", "#never"]


@pytest.mark.rfc("9404", "4.2")
def test_ids_of_the_same_request_by_their_creation_ids(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    create = {"b1": {"data": [{"data:asText": "hello world"}]}}
    answers = alice.request(
        ["Blob/upload", {"accountId": alice.account_id, "create": create}, "0"],
        ["Blob/get", {"accountId": alice.account_id, "ids": ["#b1"], "offset": 0, "length": 5}, "1"],
    )["methodResponses"]
    blob_id = answers[0][1]["created"]["b1"]["id"]
    assert answers[1][1]["list"] == [{"id": blob_id, "data:asText": "hello", "size": 11}]


@pytest.mark.rfc("9404", "4.2")
@pytest.mark.parametrize(
    "arguments",
    [
        {"ids": None},
        {"ids": ["b1"], "properties": ["name"]},
        {"ids": ["b1"], "properties": ["digest:md6"]},
        {"ids": ["b1"], "properties": ["digest:SHA"]},
        {"ids": ["b1"], "properties": ["data:asUtf8"]},
        {"ids": ["b1"], "offset": -1},
        {"ids": ["b1"], "length": -1},
        {"ids": ["b1"], "length": "1"},
        {"ids": ["b 1"]},
    ],
)
def test_arguments_that_are_none(cast: Cast, arguments: dict[str, Any]) -> None:
    assert JMAPClient(cast.alice).error("Blob/get", arguments) == {"type": "invalidArguments"}


@pytest.mark.rfc("8620", "5.1")
def test_more_ids_than_a_get_may_name(cast: Cast) -> None:
    ids = [f"b{number}" for number in range(1, 1_002)]
    assert JMAPClient(cast.alice).error("Blob/get", {"ids": ids}) == {"type": "requestTooLarge"}


def test_more_octets_than_an_answer_may_hold(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_ids = [alice.upload(bytes([number]) * 20_000_000)["blobId"] for number in range(3)]
    assert alice.error("Blob/get", {"ids": blob_ids}) == {"type": "requestTooLarge"}
    sizes = alice.call("Blob/get", {"ids": blob_ids, "properties": ["size", "digest:sha-256"]})["list"]
    assert [each["size"] for each in sizes] == [20_000_000] * 3
    assert len(alice.call("Blob/get", {"ids": blob_ids, "offset": 5, "length": 9})["list"]) == 3


@pytest.mark.parametrize(
    ("octet", "properties"), [(b"\x01", ["data"]), (b"a", ["data:asText", "data:asBase64"])]
)
def test_more_octets_than_an_answer_may_hold_in_the_form_that_is_asked_for(
    cast: Cast, octet: bytes, properties: list[str]
) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(octet * 25_000_000)["blobId"]
    assert alice.error("Blob/get", {"ids": [blob_id], "properties": properties}) == {
        "type": "requestTooLarge"
    }
    asked = {"ids": [blob_id], "properties": properties, "length": 8_000_000}
    assert alice.call("Blob/get", asked)["notFound"] == []


def test_parts_that_would_have_to_be_looked_for_again_and_again(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(message() + bytes(20_000_000))["blobId"]
    asked = {"ids": [f"{blob_id}-{part}" for part in range(100)], "properties": ["size"]}
    assert alice.error("Blob/get", asked) == {"type": "requestTooLarge"}


@pytest.mark.rfc("9404", "5")
def test_an_upload_of_another_user_is_not_found(cast: Cast) -> None:
    bob, alice = JMAPClient(cast.bob), JMAPClient(cast.alice)
    blob_id = bob.upload(b"Bob's", account_id=alice.account_id)["blobId"]
    assert alice.call("Blob/get", {"ids": [blob_id]})["notFound"] == [blob_id]
    given = {"accountId": alice.account_id, "ids": [blob_id], "properties": ["size"]}
    assert bob.call("Blob/get", given)["list"] == [{"id": blob_id, "size": 5}]


@pytest.mark.rfc("9404", "5")
def test_a_blob_of_another_tenant_is_not_found(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    add(alice, message())
    blob_id = alice.upload(b"private")["blobId"]
    ids = [blob_id, "b1", "b2", "b3", f"{blob_id}-0"]
    assert charlie.call("Blob/get", {"ids": ids}) == {
        "accountId": charlie.account_id,
        "list": [],
        "notFound": ids,
    }
