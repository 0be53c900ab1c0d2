"""Blob/upload (RFC 9404 §4.1): blobs put together from texts, base64 and ranges of other blobs."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.protocol.post import add, message
from tests.support.cast import Cast
from tests.support.client import JMAPClient

FOX = "The quick brown fox jumped over the lazy dog."


def _upload(client: JMAPClient, *data: dict[str, Any], **members: Any) -> dict[str, Any]:
    return client.call("Blob/upload", {"create": {"b": {"data": list(data), **members}}})


def _made(client: JMAPClient, *data: dict[str, Any]) -> bytes:
    answer = _upload(client, *data)
    assert answer["notCreated"] is None, answer
    return _octets(client, answer["created"]["b"]["id"])


def _octets(client: JMAPClient, blob_id: str) -> bytes:
    response = client.download(blob_id)
    assert response.status_code == 200
    return b"".join(response)


def _refused(client: JMAPClient, *data: dict[str, Any], **members: Any) -> dict[str, Any]:
    answer = _upload(client, *data, **members)
    assert answer["created"] is None
    error: dict[str, Any] = answer["notCreated"]["b"]
    return error


@pytest.mark.rfc("9404", "4.1")
def test_what_an_upload_answers(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    answer = _upload(alice, {"data:asText": FOX}, type="text/plain; charset=utf-8")
    blob_id = answer["created"]["b"]["id"]
    assert answer == {
        "accountId": alice.account_id,
        "created": {"b": {"id": blob_id, "type": "text/plain; charset=utf-8", "size": 45}},
        "notCreated": None,
    }


@pytest.mark.rfc("9404", "4.1")
def test_the_octets_can_be_downloaded(cast: Cast) -> None:
    assert _made(JMAPClient(cast.alice), {"data:asText": "Zoë\0"}) == b"Zo\xc3\xab\0"


@pytest.mark.rfc("9404", "4.1")
@pytest.mark.parametrize("text", ["AAEC/w==", "AAEC/w"])
def test_base64_with_its_padding_or_without(cast: Cast, text: str) -> None:
    assert _made(JMAPClient(cast.alice), {"data:asBase64": text}) == b"\0\1\2\xff"


@pytest.mark.rfc("9404", "4.1")
def test_a_type_that_is_not_given_is_unknown(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    assert _upload(alice, {"data:asText": "x"})["created"]["b"]["type"] == "application/octet-stream"


@pytest.mark.rfc("9404", "4.1")
def test_no_data_is_an_empty_blob(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    answer = _upload(alice)
    assert answer["created"]["b"]["size"] == 0
    assert _octets(alice, answer["created"]["b"]["id"]) == b""


@pytest.mark.rfc("9404", "4.1")
def test_sources_are_joined_in_order(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    fox = alice.upload(FOX.encode())["blobId"]
    made = _made(
        alice,
        {"data:asText": "How"},
        {"blobId": fox, "length": 7, "offset": 3},
        {"data:asText": "was t"},
        {"blobId": fox, "length": 1, "offset": 1},
        {"data:asBase64": "YXQ/"},
    )
    assert made == b"How quick was that?"


@pytest.mark.rfc("9404", "4.1")
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, FOX),
        ({"offset": None, "length": None}, FOX),
        ({"offset": 40}, " dog."[:5]),
        ({"length": 3}, "The"),
        ({"offset": 45}, ""),
        ({"offset": 45, "length": 0}, ""),
        ({"offset": 4, "length": 0}, ""),
        ({"data:asText": None}, FOX),
    ],
)
def test_ranges_of_a_blob(cast: Cast, members: dict[str, Any], expected: str) -> None:
    alice = JMAPClient(cast.alice)
    fox = alice.upload(FOX.encode())["blobId"]
    assert _made(alice, {"blobId": fox, **members}) == expected.encode()


@pytest.mark.rfc("9404", "4.1")
def test_a_large_blob_is_put_together_from_ranges_of_another(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    octets = bytes(range(251)) * 8_000
    large = alice.upload(octets)["blobId"]
    made = _made(alice, {"blobId": large, "offset": 300_001}, {"blobId": large, "length": 300_001})
    assert made == octets[300_001:] + octets[:300_001]


@pytest.mark.rfc("9404", "4.1")
def test_a_part_of_a_message_is_a_source(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    encoded = base64.b64encode(b"a picture").decode()
    raw = (
        "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText\r\n--b\r\n"
        f"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--b--\r\n"
    )
    blob_id = alice.upload(raw.encode())["blobId"]
    assert _made(alice, {"blobId": f"{blob_id}-2", "offset": 2}) == b"picture"


@pytest.mark.rfc("9404", "4.1")
def test_a_blob_of_an_earlier_call_is_a_source(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    first = {"accountId": alice.account_id, "create": {"b4": {"data": [{"data:asText": FOX}]}}}
    second = {
        "accountId": alice.account_id,
        "create": {"cat": {"data": [{"blobId": "#b4", "offset": 4, "length": 5}]}},
    }
    answers = alice.request(["Blob/upload", first, "0"], ["Blob/upload", second, "1"], createdIds={})
    blob_id = answers["methodResponses"][1][1]["created"]["cat"]["id"]
    assert _octets(alice, blob_id) == b"quick"
    assert answers["createdIds"] == {
        "b4": answers["methodResponses"][0][1]["created"]["b4"]["id"],
        "cat": blob_id,
    }


@pytest.mark.rfc("9404", "4.1")
def test_blobs_of_one_call_may_be_made_of_one_another_in_any_order(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    create = {
        "c": {"data": [{"blobId": "#b"}, {"blobId": "#a"}]},
        "b": {"data": [{"blobId": "#a"}, {"data:asText": "b"}]},
        "a": {"data": [{"data:asText": "a"}]},
    }
    answer = alice.call("Blob/upload", {"create": create})
    assert list(answer["created"]) == ["c", "b", "a"]
    assert _octets(alice, answer["created"]["c"]["id"]) == b"aba"


@pytest.mark.rfc("9404", "4.1")
def test_blobs_that_are_made_of_themselves_are_refused_alone(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    create = {
        "a": {"data": [{"blobId": "#b"}]},
        "b": {"data": [{"blobId": "#a"}]},
        "c": {"data": [{"blobId": "#c"}]},
        "d": {"data": [{"data:asText": "d"}]},
        "e": {"data": [{"blobId": "#d"}]},
        "f": {"data": [{"blobId": "#a"}, {"blobId": "#d"}]},
    }
    answer = alice.call("Blob/upload", {"create": create})
    assert list(answer["created"]) == ["d", "e"]
    assert answer["notCreated"]["a"] == {"type": "blobNotFound", "notFound": ["#b"]}
    assert sorted(answer["notCreated"]) == ["a", "b", "c", "f"]


def test_a_long_chain_of_blobs(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    create = {f"k{n}": {"data": [{"blobId": f"#k{n + 1}"}, {"data:asText": "."}]} for n in range(60)}
    answer = alice.call("Blob/upload", {"create": {**create, "k60": {"data": []}}})
    assert (answer["created"]["k0"]["size"], answer["notCreated"]) == (60, None)


@pytest.mark.rfc("9404", "4.1")
def test_a_blob_made_of_one_that_failed_fails(cast: Cast) -> None:
    create = {"a": {"data": [{"data:asBase64": "!"}]}, "b": {"data": [{"blobId": "#a"}]}}
    answer = JMAPClient(cast.alice).call("Blob/upload", {"create": create})
    assert answer["notCreated"] == {
        "a": {"type": "invalidProperties", "properties": ["data"]},
        "b": {"type": "blobNotFound", "notFound": ["#a"]},
    }


@pytest.mark.rfc("9404", "4.1")
@pytest.mark.parametrize(
    "source",
    [
        {},
        {"data:asText": None},
        {"data:asText": "a", "data:asBase64": "YQ=="},
        {"data:asText": "a", "offset": 0},
        {"data:asBase64": "YQ==", "length": 1},
        {"data:asText": 1},
        {"data:asBase64": "YQ==="},
        {"data:asBase64": "YQ="},
        {"data:asBase64": "Y"},
        {"data:asBase64": "="},
        {"data:asBase64": "YWJj===="},
        {"data:asBase64": "Y!Q="},
        {"data:asBase64": "YQ==YQ=="},
        {"data:asBase64": "YW\nJj"},
        {"data:asBase64": "-_-_"},
        {"data:asBase64": "é==="},
        {"data:asUtf7": "x"},
        {"blobId": ""},
        {"blobId": 1},
        {"blobId": "b1", "offset": -1},
        {"blobId": "b1", "offset": 0.5},
        {"blobId": "b1", "length": -1},
        {"blobId": "b1", "length": 2**53},
        "text",
        None,
    ],
)
def test_sources_that_can_be_none(cast: Cast, source: Any) -> None:
    assert _refused(JMAPClient(cast.alice), source) == {"type": "invalidProperties", "properties": ["data"]}


@pytest.mark.rfc("9404", "4.1")
@pytest.mark.parametrize(
    "members",
    [{"offset": 46}, {"length": 46}, {"offset": 40, "length": 6}, {"offset": 2**53 - 1, "length": 0}],
)
def test_a_range_that_the_blob_does_not_have(cast: Cast, members: dict[str, Any]) -> None:
    alice = JMAPClient(cast.alice)
    fox = alice.upload(FOX.encode())["blobId"]
    assert _refused(alice, {"blobId": fox, **members}) == {
        "type": "invalidProperties",
        "properties": ["data"],
    }


@pytest.mark.rfc("9404", "4.1")
@pytest.mark.parametrize(
    ("given", "properties"),
    [
        ({}, ["data"]),
        ({"data": None}, ["data"]),
        ({"data": {}}, ["data"]),
        ({"data": [], "type": ""}, ["type"]),
        ({"data": [], "type": 1}, ["type"]),
        ({"data": [], "type": "text/plain\r\nX: y"}, ["type"]),
        ({"data": [], "name": "x", "id": "b1"}, ["id", "name"]),
    ],
)
def test_invalid_properties_are_named(cast: Cast, given: dict[str, Any], properties: list[str]) -> None:
    answer = JMAPClient(cast.alice).call("Blob/upload", {"create": {"b": given}})
    assert answer["notCreated"] == {"b": {"type": "invalidProperties", "properties": properties}}


@pytest.mark.rfc("9404", "4.1")
def test_blobs_that_are_not_there_are_named(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    fox = alice.upload(FOX.encode())["blobId"]
    sources = [{"blobId": each} for each in ("b999", "#never", fox, f"{fox}-7", "x", "b999")]
    assert _refused(alice, *sources) == {
        "type": "blobNotFound",
        "notFound": ["b999", "#never", f"{fox}-7", "x"],
    }


@pytest.mark.rfc("9404", "3.1")
def test_as_many_sources_as_are_announced(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    capability = alice.session()["accounts"][alice.account_id]["accountCapabilities"]
    most = capability["urn:ietf:params:jmap:blob"]["maxDataSources"]
    assert most >= 64
    assert len(_made(alice, *[{"data:asText": "x"}] * most)) == most
    assert _refused(alice, *[{"data:asText": "x"}] * (most + 1)) == {
        "type": "invalidProperties",
        "properties": ["data"],
    }


@pytest.mark.rfc("9404", "3.1")
def test_a_blob_that_would_be_too_large(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    capability = alice.session()["accounts"][alice.account_id]["accountCapabilities"]
    limit = capability["urn:ietf:params:jmap:blob"]["maxSizeBlobSet"]
    piece = alice.upload(bytes(1_000_000))["blobId"]
    sources = [{"blobId": piece}] * (limit // 1_000_000)
    assert _refused(alice, *sources, {"data:asText": "x"}) == {"type": "tooLarge"}


def test_more_than_the_user_may_leave_unreferenced(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    piece = alice.upload(bytes(10_000_000))["blobId"]
    create = {f"k{n}": {"data": [{"blobId": piece}] * 5} for n in range(5)}
    answer = alice.call("Blob/upload", {"create": create})
    assert answer["notCreated"] == {"k4": {"type": "overQuota"}}


@pytest.mark.rfc("9404", "4.1")
def test_more_blobs_than_one_call_may_make(cast: Cast) -> None:
    create: dict[str, Any] = {f"k{n}": {"data": []} for n in range(501)}
    assert JMAPClient(cast.alice).error("Blob/upload", {"create": create}) == {"type": "requestTooLarge"}


def test_who_may_only_read_makes_no_blob(cast: Cast) -> None:
    given = {"accountId": cast.alice.account_id, "create": {"b": {"data": []}}}
    assert JMAPClient(cast.dora).error("Blob/upload", given) == {"type": "accountReadOnly"}


def test_a_blob_is_its_maker_s_until_something_refers_to_it(cast: Cast) -> None:
    bob, alice = JMAPClient(cast.bob), JMAPClient(cast.alice)
    given = {"accountId": alice.account_id, "create": {"b": {"data": [{"data:asText": "Bob's"}]}}}
    blob_id = bob.call("Blob/upload", given)["created"]["b"]["id"]
    assert bob.download(blob_id, account_id=alice.account_id).status_code == 200
    assert alice.download(blob_id).status_code == 404
    assert _refused(alice, {"blobId": blob_id}) == {"type": "blobNotFound", "notFound": [blob_id]}


def test_a_blob_of_another_tenant_is_no_source(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    add(alice, message())
    blob_id = alice.upload(b"private")["blobId"]
    for source in (blob_id, "b1", "b2", "b3", f"{blob_id}-0"):
        assert _refused(charlie, {"blobId": source})["type"] == "blobNotFound"


@pytest.mark.rfc("9404", "3.1")
def test_without_the_capability_there_is_no_method(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    given: dict[str, Any] = {"create": {"b": {"data": []}}}
    using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"]
    assert alice.error("Blob/upload", given, using=using) == {"type": "unknownMethod"}


@pytest.mark.rfc("9404", "3.1")
def test_what_the_session_says(cast: Cast) -> None:
    session = JMAPClient(cast.alice).session()
    assert session["capabilities"]["urn:ietf:params:jmap:blob"] == {}
    value = session["accounts"][cast.alice.account_id]["accountCapabilities"]["urn:ietf:params:jmap:blob"]
    assert value["maxSizeBlobSet"] == 50_000_000
    assert value["supportedDigestAlgorithms"] == ["sha-256", "sha-512", "sha"]
    assert {"Email", "Mailbox", "Thread"} <= set(value["supportedTypeNames"])
