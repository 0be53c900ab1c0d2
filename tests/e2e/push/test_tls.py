"""Push over TLS, as `make run HTTPS=1` serves it."""

from __future__ import annotations

import json
import ssl

import pytest

from tests.support.cast import basic
from tests.support.client import CORE
from tests.support.directories import new_var_dir
from tests.support.service import running_service
from tests.support.web_socket import WebSocketClient

pytestmark = pytest.mark.e2e


@pytest.mark.rfc("8887", "5.1")
def test_a_web_socket_over_tls_answers_large_requests_and_closes_in_order() -> None:
    with new_var_dir() as var_dir, running_service(var_dir, HTTPS="1") as service:
        user = json.loads((var_dir / "demo-credentials.json").read_text())["users"][0]
        tls = ssl.create_default_context(cafile=str(var_dir / "tls" / "ca.pem"))
        with WebSocketClient(service.push_port, basic(user["address"], user["password"]), tls=tls) as client:
            text = "x" * 3_000_000
            client.send(
                {"@type": "Request", "using": [CORE], "methodCalls": [["Core/echo", {"a": text}, "0"]]}
            )
            assert client.receive()["methodResponses"] == [["Core/echo", {"a": text}, "0"]]
            assert service.stop() == 0
            assert client.close_code() == 1001
