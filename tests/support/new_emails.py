"""Emails for Email/set create (RFC 8621 §4.6) and EmailImports (§4.8): half-valid, so that some of them come to be."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.values import (
    DATES,
    HEADER_PROPERTIES,
    JUNK,
    KEYWORDS,
    TEXTS,
    Examples,
    merged,
    mostly,
    object_ids,
)

EMAIL_IMPORTS = mostly(
    st.fixed_dictionaries(
        {
            "blobId": object_ids("Blob"),
            "mailboxIds": st.dictionaries(
                object_ids("Mailbox"), mostly(st.just(True)), min_size=1, max_size=2
            ),
        },
        optional={
            "keywords": st.dictionaries(st.sampled_from(KEYWORDS), st.just(True), max_size=3),
            "receivedAt": st.sampled_from(DATES),
            "size": JUNK,
        },
    )
)
ADDRESS_LISTS = st.lists(
    st.fixed_dictionaries({"email": TEXTS}, optional={"name": st.none() | TEXTS}), max_size=2
)
PARTS_OF_ONE = {
    "partId": st.sampled_from(["1", "2", "t"]),
    "blobId": object_ids("Blob"),
    "type": st.sampled_from(
        [
            "text/plain",
            "text/html",
            "image/png",
            "message/rfc822",
            "multipart/mixed",
            "x",
            "text/plain; a=b",
            "TEXT/plain",
        ]
    ),
    "charset": st.sampled_from(["utf-8", "x", "us-ascii"]),
    "name": TEXTS,
    "cid": TEXTS,
    "disposition": st.sampled_from(["inline", "attachment", "x\r\ny"]),
    "language": st.none() | st.lists(TEXTS, max_size=2),
    "location": TEXTS,
    "size": st.sampled_from([0, 3]),
}
HEADER_MEMBERS = st.dictionaries(
    HEADER_PROPERTIES, mostly(TEXTS | ADDRESS_LISTS | st.lists(TEXTS, max_size=2)), max_size=2
)


def body_parts(children: bool = True) -> Examples:
    """EmailBodyParts to create: of one to three members, mostly a type and what holds the content."""
    few = st.lists(st.sampled_from(sorted(PARTS_OF_ONE)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: mostly(PARTS_OF_ONE[name]) for name in names})
    )
    whole = st.fixed_dictionaries({"type": PARTS_OF_ONE["type"], "blobId": PARTS_OF_ONE["blobId"]})
    text = st.fixed_dictionaries(
        {"type": st.sampled_from(["text/plain", "text/html"]), "partId": st.just("t")}
    )
    leaf = st.builds(merged, text | text | whole | few, st.just({}) | few | HEADER_MEMBERS)
    if not children:
        return leaf
    return st.recursive(
        leaf,
        lambda inner: st.fixed_dictionaries(
            {
                "type": st.sampled_from(
                    ["multipart/mixed", "multipart/alternative", "multipart/related", "text/plain"]
                ),
                "subParts": st.lists(inner, max_size=3),
            }
        ),
        max_leaves=5,
    )


def _parts(media_type: str) -> Examples:
    made = st.just([{"partId": "t", "type": media_type}])
    return made | made | mostly(st.lists(body_parts(False), max_size=2))


BODY_VALUES = st.dictionaries(
    st.sampled_from(["t", "t", "1", "2"]),
    mostly(
        st.fixed_dictionaries(
            {"value": TEXTS | st.text(max_size=2_000)},
            optional={
                "isTruncated": st.booleans(),
                "isEncodingProblem": st.just(False),
                "charset": st.just("utf-8"),
            },
        )
    ),
    max_size=3,
)
EMAILS = st.builds(
    merged,
    st.fixed_dictionaries(
        {
            "mailboxIds": mostly(
                st.sampled_from(
                    [{"@Mailbox:0": True}, {"@Mailbox:1": True, "@Mailbox:0": True}, {"#a": True}]
                )
            )
        },
        optional={
            "keywords": mostly(st.dictionaries(st.sampled_from(KEYWORDS), st.just(True), max_size=2)),
            "subject": mostly(TEXTS),
            "from": mostly(ADDRESS_LISTS),
            "to": mostly(ADDRESS_LISTS),
            "replyTo": mostly(ADDRESS_LISTS),
            "messageId": mostly(st.lists(TEXTS | st.just("a@example.org"), max_size=2)),
            "inReplyTo": mostly(st.lists(TEXTS | st.just("1@example.org"), max_size=2)),
            "sentAt": mostly(st.sampled_from(DATES)),
            "receivedAt": mostly(st.sampled_from(DATES)),
            "size": JUNK,
        },
    ),
    st.builds(
        merged,
        st.fixed_dictionaries({"bodyStructure": mostly(body_parts()), "bodyValues": mostly(BODY_VALUES)})
        | st.fixed_dictionaries(
            {"bodyValues": st.just({"t": {"value": "Text"}}) | BODY_VALUES},
            optional={
                "textBody": _parts("text/plain"),
                "htmlBody": _parts("text/html"),
                "attachments": mostly(st.lists(body_parts(False), max_size=2)),
            },
        )
        | st.just({}),
        st.just({}) | HEADER_MEMBERS,
    ),
)
"""Emails for Email/set create (RFC 8621 §4.6)."""
