"""Whatever is said to the server, it answers with replies and lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.cast import make_cast
from tests.support.lmtp import RawClient, RunningServer, running_server

WORDS = [
    b"LHLO a", b"EHLO a", b"MAIL FROM:<a@example>", b"MAIL FROM:<> SIZE=1", b"RCPT TO:<alice@DOMAIN>", b"RCPT TO:<x@DOMAIN>",
    b"DATA", b"RSET", b"NOOP", b"VRFY a", b"HELP", b".", b"..", b"", b"Subject: a", b"BDAT 3 LAST", b"abc", b"\0", b"\xff" * 9,
    b"MAIL FROM:" + b"<" * 900, b'RCPT TO:<"' + b"\\a" * 200 + b'"@a>',
]  # fmt: skip
ENDS = [b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b" \r\n", b""]


@pytest.fixture(scope="module")
def server(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("lmtp"), idle_seconds=1, content_seconds=2) as running:
        yield running


@pytest.fixture(scope="module")
def domain(database: None) -> bytes:
    return make_cast().north_domain.name.encode()


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(WORDS) | st.binary(max_size=40), st.sampled_from(ENDS)), max_size=25)
)
def test_nonsense(server: RunningServer, domain: bytes, said: list[tuple[bytes, bytes]]) -> None:
    with RawClient(server.port) as client:
        client.reply()
        octets = b"".join(word.replace(b"DOMAIN", domain) + end for word, end in said)
        # Out of a message, if it is within one, and out of a line.
        client.send(octets + b"\r\n.\r\nQUIT\r\n")
        while (reply := client.reply()) and reply[:3] not in {"221", "421"}:
            assert reply[:1] in "2345"
