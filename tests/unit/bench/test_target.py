"""Where requests of a server go."""

from __future__ import annotations

from bench.target import OURS, Addresses


def test_a_download_template_is_filled_in() -> None:
    assert (
        OURS.download_of("a1", "b2", "message.eml", "message/rfc822")
        == "/jmap/download/a1/b2/message.eml?type=message%2Frfc822"
    )


def test_an_upload_template_is_filled_in() -> None:
    assert Addresses(upload="/up?to={accountId}").upload_to("a/1") == "/up?to=a%2F1"
