"""The Envelope of an EmailSubmission: whatever comes in, what is taken can be written into SMTP commands as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmapcore.protocol.errors import InvalidProperties, SetError
from jmapcore.protocol.wire import WireError
from mail.message.originators import Originators
from mail.sending import is_mailbox
from mail.types.envelope import Envelope, EnvelopeType, checked_envelope, envelope_of, release
from mail.types.errors import ForbiddenMailFrom

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWN = frozenset({"ann@example.org"})

addresses = st.one_of(
    st.text(max_size=40),
    st.builds("{}@{}".format, st.text(max_size=10), st.text(max_size=10)),
    st.from_regex(r"[a-z\"\\\r\n .]{1,8}@[a-z.\-]{1,12}", fullmatch=True),
    st.just("ann@example.org"),
)
parameters = st.none() | st.dictionaries(
    st.sampled_from(["HOLDFOR", "holduntil", "RET", "ENVID", "NOTIFY", "ORCPT", "SIZE", "BODY", "SMTPUTF8"])
    | st.text(max_size=8),
    st.none()
    | st.sampled_from(["1", "NEVER", "FULL", "8bitmime", "rfc822;x", "2030-01-01T00:00:00Z"])
    | st.text(max_size=8),
    max_size=3,
)
envelope_addresses = st.builds(
    lambda email, given: {"email": email, "parameters": given}, addresses, parameters
)
envelopes = st.builds(
    lambda sender, recipients: {"mailFrom": sender, "rcptTo": recipients},
    envelope_addresses,
    st.lists(envelope_addresses, max_size=3),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["mailFrom", "rcptTo", "email"]), inner)
    ),
    max_leaves=8,
)


def safe(text: str) -> bool:
    """Whether a text leaves the line of a command as one line, in printable characters."""
    return all(character.isprintable() or character == " " for character in text)


@given(anything)
def test_any_value_is_an_envelope_or_none(value: Any) -> None:
    try:
        checked = EnvelopeType().check(value)
    except WireError:
        return
    assert EnvelopeType().check(checked) == checked


@given(envelopes)
def test_what_is_taken_is_safe(value: Envelope) -> None:
    try:
        envelope = checked_envelope(EnvelopeType().check(value), OWN)
        moment = release(envelope, NOW)
    except (WireError, SetError):
        return
    assert NOW <= moment <= NOW + timedelta(days=30)
    for address in (envelope["mailFrom"], *envelope["rcptTo"]):
        assert safe(address["email"])
        assert all(safe(f"{name}{text}") for name, text in (address["parameters"] or {}).items())
    assert envelope["mailFrom"]["email"].lower() in {"", *OWN}


@given(addresses)
def test_a_mailbox_is_one_word_of_a_command(text: str) -> None:
    if is_mailbox(text):
        outside, at, domain = text.rpartition("@")
        assert safe(text)
        assert at
        assert not set(" <>") & set(domain)
        assert outside.startswith('"') or not set(' <>"') & set(outside)


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize(
    ("given_parameters", "seconds"),
    [
        (None, 0),
        ({"HOLDFOR": "0"}, 0),
        ({"holdfor": "90"}, 90),
        ({"HOLDFOR": "2592000"}, 2_592_000),
        ({"HOLDUNTIL": "2026-03-01T12:01:00Z"}, 60),
        ({"HOLDUNTIL": "2026-03-01T13:01:00+01:00"}, 60),
        ({"HOLDUNTIL": "2026-03-01T11:00:00Z"}, 0),
        ({"RET": "FULL"}, 0),
    ],
)
def test_the_moment_of_release(given_parameters: dict[str, str] | None, seconds: int) -> None:
    envelope = {"mailFrom": {"email": "", "parameters": given_parameters}, "rcptTo": []}
    assert release(envelope, NOW) == NOW + timedelta(seconds=seconds)


def test_a_moment_beyond_the_longest_delay() -> None:
    envelope = {"mailFrom": {"email": "", "parameters": {"HOLDUNTIL": "2026-03-31T12:00:01Z"}}, "rcptTo": []}
    with pytest.raises(InvalidProperties) as caught:
        release(envelope, NOW)
    assert caught.value.properties == ["envelope"]


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize(
    ("identity", "sender", "expected"),
    [
        ("ann@example.org", [], "Ann@example.org"),
        ("ann@example.org", [["ann@example.org"]], "ann@example.org"),
        ("sales@example.org", [], "sales@example.org"),
        ("*@example.org", [["free@example.org"]], "free@example.org"),
    ],
)
def test_the_return_address_of_the_message_or_of_the_identity(
    identity: str, sender: list[list[str]], expected: str
) -> None:
    made = envelope_of(Originators([["Ann@example.org"]], sender, ["bob@example.org"]), identity)
    assert made["mailFrom"] == {"email": expected, "parameters": None}


def test_an_identity_of_another_domain_gives_none() -> None:
    with pytest.raises(ForbiddenMailFrom):
        envelope_of(Originators([["ann@example.org"]]), "*@example.com")
