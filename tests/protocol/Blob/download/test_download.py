"""Downloads over HTTP (RFC 8620 §6.2)."""

from __future__ import annotations

import pytest

from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.mark.rfc("8620", "6.2")
@pytest.mark.parametrize("name", ["a.txt", "", "a/b c.txt", 'quo"te', "line\r\nbreak", "100%"])
def test_any_name_downloads(cast: Cast, name: str) -> None:
    alice = JMAPClient(cast.alice)
    response = alice.download(alice.upload(b"octets")["blobId"], name)
    assert (response.status_code, b"".join(response)) == (200, b"octets")
    assert "\r" not in response["Content-Disposition"]


@pytest.mark.rfc("8620", "6.2")
def test_caching_and_security_headers(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    response = alice.download(alice.upload(b"<script>")["blobId"], "x.html", "text/html")
    assert response["Content-Type"] == "text/html"
    assert response["Cache-Control"] == "private, immutable, max-age=31536000"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_second_download_is_not_modified(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(b"octets")["blobId"]
    tag = alice.download(blob_id)["ETag"]
    response = alice.download(blob_id, **{"If-None-Match": tag})
    assert (response.status_code, b"".join(response)) == (304, b"")


def test_range_of_a_download(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    response = alice.download(alice.upload(b"0123456789")["blobId"], Range="bytes=2-4")
    assert (response.status_code, b"".join(response)) == (206, b"234")


def test_unknown_blob_is_a_problem_document(cast: Cast) -> None:
    response = JMAPClient(cast.alice).download("b999999")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_user_of_another_tenant_finds_nothing(cast: Cast) -> None:
    blob_id = JMAPClient(cast.alice).upload(b"secret")["blobId"]
    response = JMAPClient(cast.charlie).download(blob_id, account_id=cast.alice.account_id)
    assert (response.status_code, b"secret" in b"".join(response)) == (404, False)


def test_grantee_does_not_see_the_owners_unreferenced_upload(cast: Cast) -> None:
    blob_id = JMAPClient(cast.alice).upload(b"draft")["blobId"]
    assert JMAPClient(cast.bob).download(blob_id, account_id=cast.alice.account_id).status_code == 404
