"""A JMAP client that outlives the server."""

from __future__ import annotations

import http.client
import json
from typing import Any

USING = [
    "urn:ietf:params:jmap:core",
    "urn:ietf:params:jmap:mail",
    "urn:ietf:params:jmap:submission",
]


class AwayError(Exception):
    """No answer, or one that says that the server is not available: whether the request was done is not known."""


class Client:
    """One user's client; `account` is their own account."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self.account = ""

    def open(self) -> None:
        """Fetch the session. Raises `AwayError`."""
        self.account = next(iter(self._exchange("GET", "/.well-known/jmap")["accounts"]))

    def call(self, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """The responses to method calls, each given without its account and call id.

        Raises `AwayError`, and `AssertionError` for an error that a healthy server would not give.
        """
        named = [
            [name, {"accountId": self.account, **arguments}, str(n)]
            for n, (name, arguments) in enumerate(calls)
        ]
        answer = self._exchange("POST", "/jmap/api", {"using": USING, "methodCalls": named})
        for name, arguments, _ in answer["methodResponses"]:
            if name == "error":
                if arguments["type"] in {"serverUnavailable", "serverPartialFail"}:
                    raise AwayError(arguments["type"])
                raise AssertionError(f"{named} was answered {arguments}")
        return [arguments for _, arguments, _ in answer["methodResponses"]]

    def _exchange(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise AwayError(str(error)) from error
        finally:
            connection.close()
        if response.status in {429, 500, 502, 503, 504}:
            raise AwayError(f"{response.status}: {content[:200]!r}")
        assert response.status == 200, (response.status, content[:300])
        return json.loads(content)
