"""The objects that are pushed, and how they keep to the size of a push."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.subscriptions.types.objects import email_pushes, state_changes, verification

texts = st.text(max_size=60)
emails = st.lists(
    st.dictionaries(texts, st.one_of(texts, st.none(), st.lists(texts, max_size=3)), max_size=5), max_size=8
)
states = st.dictionaries(
    st.integers(1, 99), st.dictionaries(texts, texts, min_size=1, max_size=5), max_size=8
)


@pytest.mark.rfc("8620", "7.2.2")
def test_a_verification() -> None:
    assert orjson.loads(verification(7, "code")) == {
        "@type": "PushVerification",
        "pushSubscriptionId": "p7",
        "verificationCode": "code",
    }


@pytest.mark.rfc("8620", "7.1")
@given(states)
def test_all_states_are_told_of_in_objects_that_fit(changed: dict[int, dict[str, str]]) -> None:
    parts = list(state_changes(changed, 400))
    told: dict[str, dict[str, str]] = {}
    for part, body in parts:
        decoded = orjson.loads(body)
        assert decoded["@type"] == "StateChange"
        assert decoded["changed"] == {f"a{account}": states for account, states in part.items()}
        assert len(body) <= 400 or sum(map(len, part.values())) == 1
        for account, types in decoded["changed"].items():
            told.setdefault(account, {}).update(types)
    assert told == {f"a{account}": types for account, types in changed.items()}


@given(emails)
def test_emails_keep_their_order_and_lose_only_what_does_not_fit(found: list[dict[str, Any]]) -> None:
    numbered = list(enumerate(found, 1))
    parts = list(email_pushes(3, "s-1", numbered, 300))
    told = []
    for last, body in parts:
        assert len(body) <= 300
        decoded = orjson.loads(body)
        assert {name: decoded[name] for name in ("@type", "accountId", "state")} == {
            "@type": "EmailPush",
            "accountId": "a3",
            "state": "s-1",
        }
        told += decoded["emails"]
        assert last == len(told)
    assert len(told) == len(found)
    room = 300 - len(orjson.dumps({"@type": "EmailPush", "accountId": "a3", "emails": [], "state": "s-1"}))
    for email, whole in zip(told, found, strict=True):
        assert list(email) == [name for name in whole if name in email]
        assert all(email[name] == whole[name] for name in email)
        if len(orjson.dumps(whole)) <= room:
            assert email == whole
