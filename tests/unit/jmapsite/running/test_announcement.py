"""What `make run` prints."""

from __future__ import annotations

from pathlib import Path

from jmapsite.running.announcement import announcement, curl_line
from jmapsite.running.certificates import Certificates

ALICE = {"address": "alice@demo.example", "password": "a'b", "name": "Alice"}
BODY = """'{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"hello":true},"0"]]}'"""


def test_the_curl_line_is_quoted_for_a_shell() -> None:
    assert curl_line("http://127.0.0.1:8000", ALICE, None) == (
        """curl -u 'alice@demo.example:a'"'"'b' -H 'Content-Type: application/json' -d """
        f"{BODY} http://127.0.0.1:8000/jmap/api"
    )


def test_the_curl_line_trusts_the_authority() -> None:
    files = Certificates(
        *(Path("/var dir/tls") / name for name in ("ca.pem", "server.pem", "chain.pem", "key.pem"))
    )
    assert curl_line("https://localhost", ALICE, files).startswith("curl --cacert '/var dir/tls/ca.pem' -u ")


def test_without_users_it_says_how_to_make_some() -> None:
    lines = list(announcement("http://a", "http://b", "127.0.0.1:24", [], None))
    assert [line for line in lines if "password" in line or line.startswith("curl")] == []
    assert sum("create_user ADDRESS" in line for line in lines) == 1
