"""Uploads over HTTP (RFC 8620 §6.1)."""

from __future__ import annotations

import pytest

from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.mark.rfc("8620", "6.1")
def test_uploaded_octets_come_back(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(b"some octets", "text/plain")["blobId"]
    response = alice.download(blob_id, "notes.txt", "text/plain")
    assert (response.status_code, b"".join(response)) == (200, b"some octets")


@pytest.mark.rfc("8620", "6.1")
def test_answer_has_the_four_members(cast: Cast) -> None:
    answer = JMAPClient(cast.alice).upload(b"12345", "Text/Plain; charset=utf-8")
    assert answer.pop("blobId").startswith("b")
    assert answer == {"accountId": cast.alice.account_id, "type": "text/plain", "size": 5}


def test_grantee_uploads_to_the_owners_account(cast: Cast) -> None:
    answer = JMAPClient(cast.bob).upload(b"x", account_id=cast.alice.account_id)
    assert answer["accountId"] == cast.alice.account_id


def test_read_only_grantee_is_refused_with_a_problem_document(cast: Cast) -> None:
    response = JMAPClient(cast.dora).http.post(
        f"/jmap/upload/{cast.alice.account_id}/", b"x", content_type="text/plain"
    )
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")


def test_user_of_another_tenant_finds_no_account(cast: Cast) -> None:
    response = JMAPClient(cast.charlie).http.post(
        f"/jmap/upload/{cast.alice.account_id}/", b"x", content_type="text/plain"
    )
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_upload_that_is_too_large_names_the_limit(cast: Cast) -> None:
    response = JMAPClient(cast.alice).http.post(
        f"/jmap/upload/{cast.alice.account_id}/", b"x", content_type="text/plain", CONTENT_LENGTH="100000001"
    )
    assert response.status_code == 413
    assert response.json()["type"] == "urn:ietf:params:jmap:error:limit"
    assert response.json()["limit"] == "maxSizeUpload"
