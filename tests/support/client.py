"""A JMAP client for tests: speaks to the real views in process, through Django's own handler and middleware."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import orjson
from django.http import HttpResponse
from django.test import Client

from jmapcore.registry import registry
from tests.support.cast import Person

CORE = "urn:ietf:params:jmap:core"
MAIL = "urn:ietf:params:jmap:mail"
TOYS = "urn:example:toys"

after_call: list[Callable[[], None]] = []
"""Run after each HTTP request of a client: the shadow client looks whether it can follow."""


class JMAPClient:
    """Speaks JMAP as one person, by access token unless another Authorization header is given."""

    def __init__(self, person: Person, authorization: str | None = None) -> None:
        self.person = person
        self.account_id = person.account_id
        self.http = Client(headers={"Authorization": authorization or person.bearer})

    def post(self, body: Any, content_type: str = "application/json") -> HttpResponse:
        """The HTTP response to a body: bytes as they are, everything else as JSON."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return self._looked_at(self.http.post("/jmap/api", raw, content_type=content_type))

    @staticmethod
    def _looked_at(response: Any) -> HttpResponse:
        for look in after_call:
            look()
        answer: HttpResponse = response
        return answer

    def request(
        self, *calls: list[Any], using: Iterable[str] | None = None, **members: Any
    ) -> dict[str, Any]:
        """The Response object to some invocations; anything but 200 fails the test."""
        response = self.post(
            {
                "using": list(registry.capabilities if using is None else using),
                "methodCalls": list(calls),
                **members,
            }
        )
        assert response.status_code == 200, response.content
        decoded: dict[str, Any] = orjson.loads(response.content)
        return decoded

    def call(self, name: str, arguments: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        """The arguments of the one response to one method call; `accountId` is the person's unless given.

        The response must have the call's name: an error fails the test (`error` is for those).
        """
        responses = self.responses(name, arguments, **members)
        assert responses[0][0] == name, responses
        first: dict[str, Any] = responses[0][1]
        return first

    def error(self, name: str, arguments: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        """The arguments of the error that one method call answers."""
        responses = self.responses(name, arguments, **members)
        assert [response[0] for response in responses] == ["error"], responses
        first: dict[str, Any] = responses[0][1]
        return first

    def responses(
        self, name: str, arguments: dict[str, Any] | None = None, **members: Any
    ) -> list[list[Any]]:
        """Every response to one method call."""
        given = {"accountId": self.account_id, **(arguments or {})}
        answers: list[list[Any]] = self.request([name, given, "c"], **members)["methodResponses"]
        return answers

    def session(self) -> dict[str, Any]:
        """The Session object."""
        response = self.http.get("/.well-known/jmap")
        assert response.status_code == 200, response.content
        decoded: dict[str, Any] = orjson.loads(response.content)
        return decoded

    def upload(
        self, data: bytes, content_type: str = "message/rfc822", account_id: str | None = None
    ) -> dict[str, Any]:
        """What an upload answers; anything but 200 fails the test."""
        url = f"/jmap/upload/{account_id or self.account_id}/"
        response = self.http.post(url, data, content_type=content_type)
        assert response.status_code == 200, response.content
        decoded: dict[str, Any] = orjson.loads(response.content)
        return decoded

    def download(
        self,
        blob_id: str,
        name: str = "file",
        content_type: str = "application/octet-stream",
        account_id: str | None = None,
        **headers: str,
    ) -> Any:
        """The HTTP response to a download."""
        url = f"/jmap/download/{account_id or self.account_id}/{blob_id}/{quote(name, safe='')}"
        return self.http.get(f"{url}?type={quote(content_type, safe='')}", headers=headers)
