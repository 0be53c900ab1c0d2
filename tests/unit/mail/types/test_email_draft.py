"""Emails that clients make up: what is accepted becomes a message that says the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmapcore.protocol.errors import InvalidProperties
from mail.message.bodies import body_lists
from mail.message.compose import compose
from mail.message.compose_content import Octets
from mail.message.headers import header_property
from mail.message.scan import Message, Part, body_text, decoded_body, scan
from mail.types.email_draft import checked_draft
from mail.types.email_draft_fields import field_of

NOW = datetime(2020, 11, 20, 10, 0, tzinfo=UTC)
BLOBS = {"b1": b"\x89PNG\0", "b2": "Grüße\r\n".encode(), "b3": b"Subject: a\r\n\r\nb\r\n", "b4": b""}
TYPES = {"b1": "image/png", "b2": "text/csv", "b3": "message/rfc822", "b4": "application/pdf"}


def message_of(record: dict[str, Any]) -> Message:
    """The message that a draft becomes, read again."""
    draft = checked_draft({"mailboxIds": {"m1": True}, **record}, lambda text: text)
    for leaf in draft.root.leaves():
        leaf.type = leaf.type or TYPES[str(leaf.blob_id)]
    contents = {name: Octets(len(raw), _pieces(raw)) for name, raw in BLOBS.items()}
    return scan(compose(draft, contents, NOW, "example.org"))


def _pieces(raw: bytes) -> Callable[[], list[bytes]]:
    return lambda: [raw]


CLEAN = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60)
PLAIN = st.text("abcdefghij0123456789.-", min_size=1, max_size=30)
IDS = st.lists(PLAIN.map(lambda text: f"{text}@example.org"), min_size=1, max_size=4)
ADDRESSES = st.lists(
    st.fixed_dictionaries(
        {"name": st.one_of(st.none(), CLEAN), "email": PLAIN.map(lambda text: f"x{text}x@b.example")}
    ),
    min_size=1,
    max_size=4,
)
DATES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z"
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "subject": CLEAN,
    "from": ADDRESSES,
    "to": ADDRESSES,
    "replyTo": ADDRESSES,
    "messageId": IDS,
    "references": IDS,
    "sentAt": DATES,
    "header:X-Text:asText:all": st.lists(CLEAN, min_size=1, max_size=3),
    "header:X-Who:asAddresses:all": st.lists(ADDRESSES, min_size=1, max_size=2),
    "header:X-When:asDate": DATES,
    "header:X-Where:asURLs": IDS,
    "header:X-Raw": PLAIN.map(lambda text: f" {text}\r\n {text}"),
}


def composed(value: Any) -> Any:
    """A value as it is read: in NFC, names without white space around them."""
    if isinstance(value, str):
        return normalize("NFC", value)
    if isinstance(value, dict):
        name = value["name"] and (normalize("NFC", value["name"].strip()).strip() or None)
        return {"name": name or None, "email": value["email"]}
    return [composed(each) for each in value]


def dotted(value: Any) -> bool:
    """Whether all addresses are of a form that no reader takes apart."""
    return ".." not in repr(value)


@pytest.mark.rfc("8621", "4.6")
@given(st.fixed_dictionaries({}, optional=FIELDS).filter(dotted))
def test_header_fields_are_read_as_they_were_given(record: dict[str, Any]) -> None:
    headers = message_of(record).root.headers
    for name, value in record.items():
        wanted = field_of(name)
        assert wanted is not None
        assert header_property(headers, wanted) == composed(value)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NAMES = st.one_of(st.none(), CLEAN.filter(lambda text: "=?" not in text))
ATTACHMENTS = st.lists(
    st.fixed_dictionaries(
        {"blobId": st.sampled_from(sorted(BLOBS))},
        optional={
            "name": NAMES,
            "cid": PLAIN,
            "disposition": st.sampled_from(["attachment", "inline", "x-other", None]),
            "language": st.just(["de", "en-GB"]),
            "location": PLAIN,
            "type": st.sampled_from(["application/x-thing", "image/gif"]),
        },
    ),
    max_size=4,
)


@pytest.mark.rfc("8621", "4.6")
@given(st.one_of(st.none(), TEXTS), st.one_of(st.none(), TEXTS), ATTACHMENTS)
def test_bodies_and_attachments_are_read_as_they_were_given(
    text: str | None, html: str | None, attachments: list[dict[str, Any]]
) -> None:
    record: dict[str, Any] = {"attachments": attachments, "bodyValues": {}}
    for name, kind, value in (("textBody", "text/plain", text), ("htmlBody", "text/html", html)):
        if value is not None:
            record[name] = [{"partId": name, "type": kind}]
            record["bodyValues"][name] = {"value": value}
    message = message_of(record)
    leaves = [part for part in message.all_parts() if not part.is_multipart]
    values = [value.replace("\r\n", "\n") for value in (text, html) if value is not None]
    assert [body_text(message.raw, part)[0] for part in leaves[: len(values)]] == values
    shown = [part for part in leaves[len(values) :] if values or attachments]
    if html is None:
        assert [_described(message, part) for part in shown] == [_expected(each) for each in attachments]
    else:
        assert sorted(map(repr, (_described(message, part) for part in shown))) == sorted(
            map(repr, map(_expected, attachments))
        )


def _described(message: Message, part: Part) -> Any:
    content = decoded_body(message.raw, part)
    return (part.type, part.name, part.cid, part.language, part.location, content)


def _expected(given_: dict[str, Any]) -> Any:
    blob_id = given_["blobId"]
    name = given_.get("name")
    return (
        given_.get("type", TYPES[blob_id]),
        None if name is None else normalize("NFC", name).strip() or None,
        given_.get("cid"),
        given_.get("language"),
        given_.get("location"),
        BLOBS[blob_id],
    )


def test_the_body_lists_are_those_that_were_given() -> None:
    record = {
        "bodyValues": {"t": {"value": "Text"}, "h": {"value": "<img src='cid:a'>"}},
        "textBody": [{"partId": "t"}],
        "htmlBody": [{"partId": "h"}],
        "attachments": [{"blobId": "b1", "cid": "a"}, {"blobId": "b2"}, {"blobId": "b3"}],
    }
    text, html, attachments = body_lists(message_of(record).root)
    assert [part.type for part in text] == ["text/plain"]
    assert [part.type for part in html] == ["text/html"]
    assert [part.type for part in attachments] == ["image/png", "text/csv", "message/rfc822"]


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        TEXTS,
        st.sampled_from(["b1", "text/plain", "t", "multipart/x"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "partId",
                    "blobId",
                    "type",
                    "subParts",
                    "name",
                    "value",
                    "header:X:asText",
                    "header:Content-Type",
                    "email",
                    "t",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
ANY_NAME = st.sampled_from(
    ["from", "subject", "sentAt", "messageId", "bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues", "header:X",
     "header:X:asGroupedAddresses:all", "header:Content-Type", "keywords", "receivedAt", "mailboxIds", "id", "\0", "headers"]
)  # fmt: skip


@given(st.dictionaries(ANY_NAME, JSON, max_size=5))
def test_nonsense_is_refused_by_name_or_becomes_a_message(record: dict[str, Any]) -> None:
    draft, named = None, set()
    try:
        draft = checked_draft(record, lambda text: text)
    except InvalidProperties as error:
        named = set(error.properties)
    assert named <= {*record, "mailboxIds"}
    assert (draft is None) == bool(named)
    if draft is not None:
        for leaf in draft.root.leaves():
            leaf.type = leaf.type or "text/plain"
            leaf.blob_id = leaf.blob_id and "b1"
        raw = compose(draft, {"b1": Octets(5, _pieces(BLOBS["b1"]))}, NOW, "example.org")
        assert len(list(draft.root.leaves())) == sum(not part.is_multipart for part in scan(raw).all_parts())
