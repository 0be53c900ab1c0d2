"""Hostile mail and hostile questions about it: nothing fails, nothing takes long, nothing fills the memory."""

from __future__ import annotations

import sys
import time
from itertools import product
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from django.test import override_settings

from jmapcore.store.database import connection, read
from mail.types import email_fetch
from mail.types.email_fetch import MOST_HEADER_PROPERTIES
from mail.types.email_properties import LONGEST_HEADER_PROPERTY
from tests.protocol.post import add, message, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient

LIMIT_SECONDS = 20 if sys.gettrace() else 2  # measuring coverage takes its time


class Attacker(JMAPClient):
    """A client of whose requests each may cost two seconds of computing; what the shadow client does is not counted."""

    def post(self, body: Any, content_type: str = "application/json") -> HttpResponse:
        """The response to a body."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        started = time.thread_time()
        response = self.http.post("/jmap/api", raw, content_type=content_type)
        assert time.thread_time() - started < LIMIT_SECONDS
        assert b"serverFail" not in response.content
        return self._looked_at(response)


@pytest.fixture
def mallory(cast: Cast) -> Attacker:
    return Attacker(cast.alice)


FIELDS = [
    "bodyStructure",
    "bodyValues",
    "textBody",
    "htmlBody",
    "attachments",
    "headers",
    "subject",
    "from",
    "to",
    "references",
    "messageId",
    "inReplyTo",
    "preview",
    "sentAt",
    "receivedAt",
    "header:To:asGroupedAddresses:all",
    "header:Subject:asText:all",
    "header:References:asMessageIds",
]
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def _nested(depth: int) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(depth)
    )
    return head + b"Content-Type: text/plain\r\n\r\ndeep\r\n"


def _in_each_other(depth: int) -> bytes:
    """Multiparts that have the boundaries of one another by turns."""
    kinds = (b"b", b"c")
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n" % (kinds[n % 2], kinds[n % 2])
        for n in range(depth)
    )
    return head + b"\r\ndeep\r\n--b\r\n\r\none\r\n--c\r\n\r\ntwo\r\n--b--\r\n--c--\r\n"


def _alike(depth: int) -> bytes:
    """Multiparts inside one another, the boundary of each the beginning of the next one's."""
    names = [b"b" * (n + 1) for n in range(depth)]
    head = b"".join(b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n" % (n, n) for n in names)
    return head + b"\r\ndeep\r\n" + b"".join(b"--%b--\r\n" % name for name in reversed(names))


HTML = b"Content-Type: text/html\r\n\r\n"
ENTITIES = b"".join(b'<!ENTITY e%d "%b">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 20))

HOSTILE = {
    "NUL": b"Subject: a\0b\r\nFrom: \0\0 <\0@\0>\r\nMessage-ID: <\0>\r\nTo: \0\r\n\r\n\0\0\0",
    "a field of ten megabytes": b"Subject: x\r\nX: " + b"y" * 10_000_000 + b"\r\n\r\nbody",
    "a header of ten megabytes": b"".join(b"X-%d: y\r\n" % n for n in range(700_000)) + b"\r\nbody",
    "a thousand nested parts": _nested(1_000),
    "a hundred thousand parts": MIXED + b"--b\r\n\r\n\r\n" * 100_000,
    "a hundred thousand addresses": b"To: " + b"Ann <a@example.org>, " * 100_000 + b"\r\n\r\n",
    "a group of groups": b"To: " + b"g:" * 100_000 + b"\r\n\r\n",
    "a huge message id": b"Message-ID: <" + b"x" * 5_000_000 + b"@y>\r\n\r\n",
    "a million references": b"References: "
    + b"".join(b"<%d@y> " % n for n in range(1_000_000))
    + b"\r\n\r\n",
    "a hundred thousand ids": b"In-Reply-To: " + b"".join(b"<%d>" % n for n in range(100_000)) + b"\r\n\r\n",
    "a subject of a megabyte": b"Subject: " + b"Re: [x] " * 130_000 + b"\r\n\r\n",
    "a subject of marks": b"Subject: " + "a\u0301\u0323".encode() * 200_000 + b"\r\n\r\n",
    "a subject of nothing but marks": b"Subject: " + "\u0301\u0323".encode() * 60_000 + b"\r\n\r\n",
    "the year 1": b"Date: Mon, 1 Jan 0001 00:00:00 +1200\r\nReceived: x; Mon, 1 Jan 0001 00:00:00 +1200\r\n\r\n",
    "the year 9999": b"Date: Fri, 31 Dec 9999 23:59:59 -1200\r\nReceived: x; Fri, 31 Dec 9999 23:59:59 -1200\r\n\r\n",
    "the year 0": b"Date: Mon, 1 Jan 0000 00:00:00 +0000\r\nReceived: x; Mon, 1 Jan 0000 00:00:00 +0000\r\n\r\n",
    "open tags": b"Content-Type: text/html\r\n\r\n" + b"<a b='" * 500_000,
    "nested tags": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 500_000,
    "entities of entities": HTML + b"<!DOCTYPE x [" + ENTITIES + b"]>" + b"&e19;" * 1_000,
    "references to characters": HTML + b"&#x41;&amp;lt;" * 300_000,
    "a comment without an end": HTML + b"text <!-- " + b"- -" * 500_000,
    "styles inside styles": HTML + b"<style>" * 300_000 + b"text",
    "a tag of a million attributes": HTML + b"<p" + b" a=1" * 1_000_000 + b">text",
    "ends without beginnings": HTML + b"</p></style></script>" * 100_000 + b"text",
    "a thousand messages in each other": b"Content-Type: message/rfc822\r\n\r\n" * 1_000
    + b"Subject: x\r\n\r\ndeep\r\n",
    "parts in each other's boundaries": _in_each_other(2_000),
    "boundaries that begin alike": _alike(99),
    "a boundary of nothing": b'Content-Type: multipart/mixed; boundary=""\r\n\r\n' + b"--\r\n" * 500_000,
    "a file name in ten thousand sections": b"Content-Type: text/plain"
    + b"".join(b"; name*%d=x" % n for n in range(10_000))
    + b"\r\n\r\n",
    "surrogates": b"Subject: \xed\xa0\x80\r\nFrom: =?utf-16?b?2AA=?= <a@b>\r\n\r\n\xed\xa0\x80",
    "right to left": "Subject: \u202egpj.exe\r\nFrom: \u202e <a@b>\r\n\r\n\u202e".encode(),
    "a charset that is none": b"Content-Type: text/plain; charset=" + b"x" * 60_000 + b"\r\n\r\n\xff",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_is_imported_and_read(mallory: Attacker, raw: bytes) -> None:
    email_id = add(mallory, raw)
    asked = {"ids": [email_id], "properties": FIELDS, "fetchAllBodyValues": True, "maxBodyValueBytes": 10_000}
    body_properties = ["partId", "blobId", "headers", "subParts", "header:Subject:asText"]
    for arguments in (asked, {**asked, "bodyProperties": body_properties}):
        [[answered, answer, _]] = mallory.responses("Email/get", arguments)
        assert answered == "Email/get" or answer == {"type": "requestTooLarge"}
    for name in ("from", "subject", "to"):
        query = {"filter": {name: "ann"}, "sort": [{"property": name}], "collapseThreads": True}
        assert "ids" in mallory.call("Email/query", query)
    mallory.call("Email/query", {"filter": {"header": ["X-1", "y"]}})
    mallory.call("Email/set", {"destroy": [email_id]})


def test_ids_that_a_message_names_become_few_references(mallory: Attacker) -> None:
    raw = b"Message-ID: " + b"".join(b"<m%d>" % n for n in range(20_000)) + b"\r\n"
    raw += b"In-Reply-To: " + b"".join(b"<r%d>" % n for n in range(20_000)) + b"\r\n\r\n"
    add(mallory, raw)
    account = mallory.person.account.pk
    with connection() as lent:
        statement = ("SELECT count(*) FROM thread_ref WHERE account_id = %s", (account,))
        assert read(lent, account, statement)[0][0][0] == 100


def test_a_storm_of_merges(mallory: Attacker) -> None:
    inbox = {roles(mallory)["inbox"]: True}
    lone = {
        f"n{n}": {"blobId": mallory.upload(message(n, subject="x"))["blobId"], "mailboxIds": inbox}
        for n in range(120)
    }
    assert mallory.call("Email/import", {"emails": lone})["notCreated"] is None
    joins = {}
    for first in range(0, 120, 40):
        named = "".join(f"<m{n}@example.org>" for n in range(first, first + 40))
        raw = message(1_000 + first, subject="x", fields=f"References: {named}\r\n")
        joins[f"j{first}"] = {"blobId": mallory.upload(raw)["blobId"], "mailboxIds": inbox}
    assert mallory.call("Email/import", {"emails": joins})["notCreated"] is None
    assert len(mallory.call("Email/query", {"collapseThreads": True})["ids"]) == 3


@pytest.mark.rfc("8621", "4.2")
def test_header_properties_are_few_and_short(mallory: Attacker) -> None:
    email_id = add(mallory, message(1))
    many = [f"header:X-{n}:asText" for n in range(MOST_HEADER_PROPERTIES + 1)]
    for arguments in (
        {"properties": many},
        {"properties": ["bodyStructure"], "bodyProperties": many},
        {"properties": ["header:" + "x" * LONGEST_HEADER_PROPERTY]},
    ):
        assert mallory.error("Email/get", {"ids": [email_id], **arguments}) == {"type": "invalidArguments"}
    assert mallory.call("Email/get", {"ids": [email_id], "properties": many[1:]})["notFound"] == []


SPELLINGS = ["".join(letters) for letters in product("tT", "oO")]


@pytest.mark.parametrize(
    "field", [b"g:" * 130_000, b'"' * 260_000, b"a b " * 65_000], ids=["g:", "quotes", "words"]
)
def test_what_is_parsed_of_one_email_is_bounded(mallory: Attacker, field: bytes) -> None:
    """Many forms of large fields, each asked for under many names, of the message and of its parts."""
    fields = b"".join(b"X%d: %b\r\n" % (n, field) for n in range(20)) + b"To: " + field + b"\r\n"
    part = b"\r\n--b\r\n" + fields + b"\r\ntext"
    email_id = add(mallory, fields + MIXED + part * 3)
    names = [
        f"header:X{n}:{form}" for n in range(20) for form in ("asAddresses", "asGroupedAddresses", "asText")
    ]
    names += [f"header:{to}:{form}" for to in SPELLINGS for form in ("asAddresses", "asGroupedAddresses:all")]
    for arguments in (
        {"properties": names},
        {"properties": ["bodyStructure", "attachments", "textBody"], "bodyProperties": names},
    ):
        mallory.call("Email/get", {"ids": [email_id], **arguments})


def test_long_lists_of_properties_are_not_remembered(mallory: Attacker) -> None:
    email_id = add(mallory, message(1))
    before = email_fetch._kept_plan.cache_info().currsize
    for _ in range(3):
        names = [f"header:X-{n}" for n in range(60)]
        mallory.call("Email/get", {"ids": [email_id], "properties": names})
    assert email_fetch._kept_plan.cache_info().currsize == before


def test_a_request_that_takes_too_long_begins_no_further_call(mallory: Attacker) -> None:
    email_id = add(mallory, message(1))
    account = {"accountId": mallory.account_id}
    with override_settings(JMAP_REQUEST_SECONDS=-1):
        answers = mallory.request(
            ["Core/echo", {}, "0"], ["Email/set", {**account, "destroy": [email_id]}, "1"]
        )["methodResponses"]
    assert answers == [["error", {"type": "serverUnavailable"}, each] for each in "01"]
    assert mallory.call("Email/get", {"ids": [email_id], "properties": ["id"]})["notFound"] == []


@pytest.mark.parametrize(
    "name", ["a\0b", "a\nb", "a\u2028b", "\u0085", "x" * 256, "", "\u0301\u0323" * 1_000_000]
)
def test_names_that_no_mailbox_has(mallory: Attacker, name: str) -> None:
    answer = mallory.call("Mailbox/set", {"create": {"new": {"name": name}}})
    assert answer["notCreated"]["new"]["type"] == "invalidProperties"


@pytest.mark.parametrize("name", ["\u202eevil", "\u200b", "\u0301", "../../etc/passwd", "%s%n{}", "'; --"])
def test_strange_names_come_back_as_they_were(mallory: Attacker, name: str) -> None:
    created = mallory.call("Mailbox/set", {"create": {"new": {"name": name}}})["created"]["new"]["id"]
    [box] = mallory.call("Mailbox/get", {"ids": [created], "properties": ["name"]})["list"]
    assert box["name"] == name


def test_filters_of_many_conditions_over_many_mailboxes(mallory: Attacker) -> None:
    long = "ä" * 120
    mallory.call("Mailbox/set", {"create": {f"n{n}": {"name": f"{n} {long}"} for n in range(300)}})
    wide = {"operator": "OR", "conditions": [{"name": f"{n} ö"} for n in range(990)]}
    assert mallory.call("Mailbox/query", {"filter": wide})["ids"] == []
    with override_settings(JMAP_REQUEST_SECONDS=0.2):
        account = {"accountId": mallory.account_id}
        answers = mallory.request(*[["Mailbox/query", {**account, "filter": wide}, "0"]] * 8)[
            "methodResponses"
        ]
    assert answers[-1] == ["error", {"type": "serverUnavailable"}, "0"]


def test_keywords_as_many_and_as_long_as_can_be(mallory: Attacker) -> None:
    email_id = add(mallory, message(1))
    for first in range(5):
        keywords = {f"{first}{n:03}" + "k" * 251: True for n in range(100)}
        mallory.call("Email/set", {"update": {email_id: {"keywords": keywords}}})
    keywords = {f"{n:03}" + "k" * 252: True for n in range(101)}
    answer = mallory.call("Email/set", {"update": {email_id: {"keywords": keywords}}})
    assert answer["notUpdated"][email_id]["type"] == "tooManyKeywords"


def test_body_values_of_a_bomb_of_html(mallory: Attacker) -> None:
    email_id = add(mallory, b"Content-Type: text/html\r\n\r\n" + b"<p title='" * 300_000)
    asked = {"ids": [email_id], "properties": ["bodyValues"], "fetchAllBodyValues": True}
    for most in (1, 100, 1_000_000):
        [email] = mallory.call("Email/get", {**asked, "maxBodyValueBytes": most})["list"]
        assert len(email["bodyValues"]["1"]["value"]) <= most


@pytest.mark.parametrize(
    "moment", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2020-02-30T00:00:00Z"]
)
def test_moments_at_the_edges(mallory: Attacker, moment: str) -> None:
    blob_id = mallory.upload(message(1))["blobId"]
    given = {"blobId": blob_id, "mailboxIds": {roles(mallory)["inbox"]: True}, "receivedAt": moment}
    mallory.call("Email/import", {"emails": {"new": given}})
    ids = mallory.call("Email/query")["ids"]
    assert len(mallory.call("Email/get", {"ids": ids})["list"]) == len(ids)
    for name in ("before", "after"):
        mallory.responses("Email/query", {"filter": {name: moment}})
