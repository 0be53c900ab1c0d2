"""The HTTP edge: methods, media types, who is let in, CORS, headers, problem documents, the log line."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import psycopg
import pytest
from django.test import Client

from accounts.models import Tenant, User
from jmapcore import edge, views
from jmapcore.edge import Edge, EdgeApplication
from jmapcore.registry import registry
from tests.protocol.http.wsgi import answered, environ
from tests.support.cast import Cast, basic
from tests.support.client import CORE, TOYS, JMAPClient

ECHO = orjson.dumps({"using": [CORE], "methodCalls": [["Core/echo", {}, "c"]]})
PATHS = ["/.well-known/jmap", "/jmap/session", "/jmap/api", "/jmap/upload/a1/", "/jmap/download/a1/b1/n"]
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


@pytest.mark.rfc("8620", "3.1")
@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json;charset=utf-8",
        "Application/JSON ; charset=UTF-8",
        "application/json;",
    ],
)
def test_json_is_taken_whatever_its_parameters(cast: Cast, media_type: str) -> None:
    response = JMAPClient(cast.alice).post(ECHO, media_type)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Cache-Control"] == "no-cache, no-store, must-revalidate"


@pytest.mark.rfc("8620", "3.6.1")
@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ],
)
def test_other_media_types_are_refused(cast: Cast, media_type: str) -> None:
    status, headers, problem = answered(
        environ("POST", "/jmap/api", cast.alice.bearer, ECHO, CONTENT_TYPE=media_type or None)
    )
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert problem["type"] == "urn:ietf:params:jmap:error:notJSON"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html", "nonsense", ""])
def test_any_accept_header_is_taken(cast: Cast, accept: str) -> None:
    made = environ("POST", "/jmap/api", cast.alice.bearer, ECHO, HTTP_ACCEPT=accept)
    assert answered(made)[0] == 200


@pytest.mark.rfc("8620", "3.6.1")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "notJSON"),
        (b"{", "notJSON"),
        (b"[" * 9_999_999, "notJSON"),
        (b'{"using":[],"using":[],"methodCalls":[]}', "notJSON"),
        (b"\xff", "notJSON"),
        (b"null", "notRequest"),
        (b"[]", "notRequest"),
        (b"{}", "notRequest"),
        (b'{"using":["urn:nobody"],"methodCalls":[]}', "unknownCapability"),
        (b'{"using":["urn:ietf:params:jmap:Core"],"methodCalls":[]}', "unknownCapability"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else value,
)
def test_a_request_that_is_refused_as_a_whole(cast: Cast, body: bytes, kind: str) -> None:
    response = JMAPClient(cast.alice).post(body)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    problem = orjson.loads(response.content)
    assert problem.keys() == {"type", "status", "detail"}
    assert (problem["type"], problem["status"]) == (f"urn:ietf:params:jmap:error:{kind}", 400)


def test_every_advertised_capability_may_be_used(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    assert client.request(using=list(client.session()["capabilities"]))["methodResponses"] == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/jmap/api", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/jmap/api", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/.well-known/jmap", "GET, HEAD, OPTIONS"),
        ("POST", "/jmap/session", "GET, HEAD, OPTIONS"),
        ("GET", "/jmap/upload/a1/", "OPTIONS, POST"),
        ("PUT", "/jmap/upload/a1/", "OPTIONS, POST"),
        ("POST", "/jmap/download/a1/b1/n", "GET, HEAD, OPTIONS"),
        ("TRACE", "/jmap/api", "GET, HEAD, OPTIONS, POST"),
        ("FROB", "/jmap/api", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_a_method_that_a_url_does_not_take(cast: Cast, method: str, path: str, allowed: str) -> None:
    status, headers, problem = answered(environ(method, path, cast.alice.bearer))
    assert (status, headers["Allow"], problem["status"]) == (405, allowed, 405)


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_needs_no_credentials(cast: Cast, path: str) -> None:
    response = Client().options(
        path, headers={"Origin": "https://mail.example", "Access-Control-Request-Method": "POST"}
    )
    assert (response.status_code, response.content) == (204, b"")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert {"GET", "POST"} <= set(response["Access-Control-Allow-Methods"].split(", "))
    assert {"Authorization", "Content-Type"} <= set(response["Access-Control-Allow-Headers"].split(", "))
    assert int(response["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_carries_the_headers_for_browsers(cast: Cast, method: str, path: str) -> None:
    for authorization in (None, cast.alice.bearer):
        response = Client().generic(
            method, path, headers={"Authorization": authorization} if authorization else {}
        )
        assert {name: response[name] for name in SECURITY} == SECURITY
        assert "WWW-Authenticate" in response["Access-Control-Expose-Headers"]
        assert response.cookies == {}


@pytest.mark.rfc("8620", "1.7")
def test_https_is_asked_to_stay(settings: Any) -> None:
    assert "Strict-Transport-Security" not in dict(Edge().common)
    settings.PUBLIC_URL = "https://mail.example"
    assert dict(Edge().common)["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.rfc("8620", "1.7")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("authorization", [None, "", "Bearer nonsense", "Basic !", "Digest x", "Bearer"])
def test_who_is_unknown_is_asked_for_credentials(
    database: None, path: str, authorization: str | None
) -> None:
    method = "POST" if "upload" in path else "GET"
    status, headers, problem = answered(environ(method, path, authorization))
    assert (status, problem["status"], headers["Content-Type"]) == (401, 401, "application/problem+json")
    assert "Bearer " in headers["WWW-Authenticate"]
    assert "Basic " in headers["WWW-Authenticate"]
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.rfc("8620", "8.2")
def test_basic_and_bearer_open_the_same(cast: Cast) -> None:
    sessions = [JMAPClient(cast.alice, each).session() for each in (cast.alice.bearer, cast.alice.basic)]
    assert sessions[0] == sessions[1]
    wrong = basic(cast.alice.address, "wrong")
    assert JMAPClient(cast.alice, wrong).http.get("/jmap/session").status_code == 401


@pytest.mark.rfc("8620", "1.7")
def test_no_byte_of_a_body_is_read_before_the_caller_is_known(cast: Cast) -> None:
    class Untouchable:
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    for path in ("/jmap/api", "/jmap/upload/a1/"):
        assert answered(environ("POST", path, "Bearer nonsense", Untouchable()))[0] == 401
    assert (
        answered(environ("POST", "/jmap/api", cast.alice.bearer, Untouchable(), CONTENT_TYPE="text/plain"))[0]
        == 400
    )


@pytest.mark.parametrize("who", ["user", "tenant"])
def test_who_is_suspended_is_forbidden_from_the_next_request_on(cast: Cast, who: str) -> None:
    client = JMAPClient(cast.charlie)
    assert client.call("ToyCake/get")["list"] == []
    if who == "user":
        User.objects.filter(pk=cast.charlie.user.pk).update(is_suspended=True)
    else:
        Tenant.objects.filter(pk=cast.south.pk).update(is_suspended=True)
    for response in (client.http.get("/.well-known/jmap"), client.post(ECHO)):
        assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
        assert orjson.loads(response.content)["status"] == 403
    User.objects.filter(pk=cast.charlie.user.pk).update(is_suspended=False)
    Tenant.objects.filter(pk=cast.south.pk).update(is_suspended=False)


@pytest.mark.parametrize("account", ["a0", "a999999999", "x", "a1%00", "%F0%9F%98%80", "a%2F1"])
def test_an_account_in_a_url_that_is_not_there(cast: Cast, account: str) -> None:
    client = JMAPClient(cast.alice)
    assert client.http.post(f"/jmap/upload/{account}/", b"x", content_type="text/plain").status_code == 404
    assert client.http.get(f"/jmap/download/{account}/b1/n").status_code == 404


@pytest.mark.rfc("8621", "9.5")
def test_an_account_of_another_tenant_is_no_url(cast: Cast) -> None:
    made = JMAPClient(cast.alice).upload(b"secret", "text/plain")
    charlie = JMAPClient(cast.charlie)
    path = f"/jmap/download/{cast.alice.account_id}/{made['blobId']}/n"
    assert charlie.http.get(path).status_code == 404
    upload = charlie.http.post(f"/jmap/upload/{cast.alice.account_id}/", b"x", content_type="text/plain")
    assert upload.status_code == 404
    assert JMAPClient(cast.alice).http.get(path).status_code == 200


def test_the_log_line_tells_who_and_what_and_no_secret(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    client = JMAPClient(cast.alice)
    with caplog.at_level(logging.INFO):
        client.request(
            ["ToyCake/get", {"accountId": client.account_id}, cast.alice.address],
            [f"To {cast.bob.address}\nforged line", {}, "c"],
            ["ToyCake/query", {"accountId": client.account_id, "filter": {"name": "Subject: secret"}}, "c"],
            ["ToyCake/query", {"accountId": client.account_id, "filter": {"name secret": 1}}, "c"],
        )
        client.http.get(f"/.well-known/jmap?access_token={cast.alice.token}")
        client.http.get("/jmap/session", headers={"Authorization": cast.alice.basic})
    lines = [record.getMessage() for record in caplog.records if record.name == "jmapcore.request"]
    assert len(lines) == 3
    request_id, method, accounts, methods, status, milliseconds = lines[0].split(" ")
    assert len(request_id) == 12
    assert (method, accounts, status) == ("POST", client.account_id, "200")
    assert methods == "ToyCake/get,?,ToyCake/query,ToyCake/query"
    assert milliseconds.endswith("ms")
    assert float(milliseconds[:-2]) >= 0
    for secret in (
        cast.alice.address,
        cast.bob.address,
        cast.alice.token,
        cast.alice.app_password,
        "Subject: secret",
        "\n",
    ):
        assert not any(secret in record.getMessage() for record in caplog.records)


def test_what_goes_wrong_at_the_edge_is_an_incident(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def broken(*arguments: Any) -> Any:
        raise ZeroDivisionError("the secret of alice")

    monkeypatch.setattr(views, "session_of", broken)
    status, headers, problem = answered(environ("GET", "/jmap/session", cast.alice.bearer))
    assert (status, headers["Content-Type"]) == (500, "application/problem+json")
    assert "secret" not in orjson.dumps(problem).decode()
    incident = problem["detail"].split()[-1].rstrip(".")
    assert f"incident {incident}" in caplog.text
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_a_database_that_is_away_is_told(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: Any) -> Any:
        raise psycopg.OperationalError("connection to server at 10.0.0.1 failed")

    monkeypatch.setattr(edge, "authenticate", away)
    status, headers, problem = answered(environ("GET", "/jmap/session", cast.alice.bearer))
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "10.0.0.1" not in orjson.dumps(problem).decode()


def test_the_client_address_is_taken_from_trusted_proxies_alone(settings: Any) -> None:
    made = environ("GET", "/jmap/session", None, HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert Edge()._client(made) == "192.0.2.1"
    settings.TRUSTED_PROXIES = ("192.0.2.0/24",)
    assert Edge()._client(made) == "198.51.100.7"


def test_the_wsgi_application_answers_and_hands_on(cast: Cast) -> None:
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        started.append((status, dict(headers)))

    application = EdgeApplication(lambda given, start: [b"Django"])
    body = b"".join(application(environ("GET", "/jmap/session", cast.alice.bearer), start_response))
    assert started[-1][0] == "200 OK"
    assert started[-1][1]["Content-Length"] == str(len(body))
    assert list(application(environ("HEAD", "/jmap/session", cast.alice.bearer), start_response)) == []
    assert started[-1][1]["Content-Length"] == str(len(body))
    assert b"".join(application(environ("OPTIONS", "/jmap/api", None), start_response)) == b""
    assert started[-1][0] == "204 No Content"
    assert b"".join(application(environ("GET", "/jmap/session", None), start_response))
    assert started[-1][0] == "401 Unauthorized"
    assert list(application(environ("GET", "/admin/", None), start_response)) == [b"Django"]


def test_a_path_is_utf_8(cast: Cast) -> None:
    made = environ("GET", "/jmap/download/\xc3\xa9/b1/n", cast.alice.bearer)
    assert answered(made)[0] == 404
    assert Edge().answer(environ("GET", "/jmap/\xff", cast.alice.bearer)) is None


@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.rfc("8621", "1.4")
def test_methods_of_a_capability_that_the_account_does_not_have(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys = registry.capabilities[TOYS]
    monkeypatch.setitem(
        registry.capabilities,
        TOYS,
        type(toys)(TOYS, toys.session_value, toys.account_value, scope="nobody has it"),
    )
    client = JMAPClient(cast.alice)
    assert client.error("ToyCake/get") == {"type": "accountNotSupportedByMethod"}
    assert client.error("ToyCake/set") == {"type": "accountNotSupportedByMethod"}
    copy = {"fromAccountId": cast.bob.account_id, "create": {}}
    assert JMAPClient(cast.bob).error(
        "ToyCake/copy", {"fromAccountId": cast.alice.account_id, "create": {}}
    ) == {"type": "fromAccountNotSupportedByMethod"}
    assert client.error("ToyCake/copy", copy) == {"type": "fromAccountNotFound"}
    [answer] = client.request(["ToyCrumb/get", {}, "c"])["methodResponses"]
    assert answer == ["error", {"type": "forbidden"}, "c"]
    monkeypatch.undo()


@pytest.mark.rfc("8620", "6.2")
@pytest.mark.parametrize(
    ("query", "media_type"),
    [
        ("type=image/png", "image/png"),
        ("type=image%2Fpng", "image/png"),
        ("type=image/svg%2Bxml", "image/svg+xml"),
        ("accept=1&type=image%2Fpng", "image/png"),
        ("type=text/plain&type=image/png", "image/png"),
        ("accept=type=image/png", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_the_type_of_a_download_is_the_one_in_its_url(cast: Cast, query: str, media_type: str) -> None:
    client = JMAPClient(cast.alice)
    blob_id = client.upload(b"x", "text/plain")["blobId"]
    response = client.http.get(f"/jmap/download/{client.account_id}/{blob_id}/n?{query}")
    assert (response.status_code, response.headers["Content-Type"]) == (200, media_type)
