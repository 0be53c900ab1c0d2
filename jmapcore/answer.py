"""What the edge answers to a request."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponseBase


@dataclass(slots=True)
class Answer:
    """An HTTP answer: octets that are all there, or a Django response that is streamed and closed at its end."""

    status: int
    headers: list[tuple[str, str]]
    body: list[bytes] | HttpResponseBase

    @classmethod
    def of_response(cls, response: HttpResponseBase) -> Answer:
        """The answer that a Django response is."""
        return cls(response.status_code, list(response.items()), response)
