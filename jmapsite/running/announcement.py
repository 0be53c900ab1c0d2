"""What `make run` prints when everything runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jmapsite.running.certificates import Certificates

DEMO_CREDENTIALS = "demo-credentials.json"
ECHO = '{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"hello":true},"0"]]}'


def demo_users(var_dir: Path) -> list[dict[str, Any]]:
    """The demo logins: objects with address, password and name; empty where there are none."""
    try:
        users: list[dict[str, Any]] = json.loads((var_dir / DEMO_CREDENTIALS).read_text("utf-8"))["users"]
    except FileNotFoundError:
        return []
    return users


def announcement(
    public_url: str,
    push_url: str,
    lmtp: str,
    users: list[dict[str, Any]],
    certificates: Certificates | None,
) -> Iterator[str]:
    """The lines: URLs, demo logins, and one curl line that works when pasted."""
    yield ""
    yield f"  Session      {public_url}/.well-known/jmap"
    yield f"  API          {public_url}/jmap/api"
    yield f"  Push         {push_url}/"
    yield f"  Mail in      {lmtp}  (LMTP)"
    yield f"  Admin        {public_url}/admin/"
    if certificates is not None:
        yield f"  Authority    {certificates.authority}  (the certificate that clients have to trust)"
    for user in users:
        yield f"  Demo login   {user['address']}  password {user['password']}"
    if not users:
        yield "  No users yet: .venv/bin/python manage.py create_tenant NAME --domain DOMAIN, then"
        yield "                .venv/bin/python manage.py create_user ADDRESS"
    yield ""
    if users:
        yield "Try it:"
        yield ""
        yield curl_line(public_url, users[0], certificates)
        yield ""
    yield "Ctrl-C stops everything."


def curl_line(public_url: str, user: dict[str, Any], certificates: Certificates | None) -> str:
    """A Core/echo request (RFC 8620 §4) as one line for a shell."""
    trust = f"--cacert {shlex.quote(str(certificates.authority))} " if certificates is not None else ""
    login = shlex.quote(f"{user['address']}:{user['password']}")
    headers = "-H 'Content-Type: application/json'"
    return f"curl {trust}-u {login} {headers} -d {shlex.quote(ECHO)} {shlex.quote(public_url + '/jmap/api')}"
