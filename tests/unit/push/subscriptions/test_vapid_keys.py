"""The keys of the service: made once, rotated, and served for a while after that (RFC 9749 §5)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from jmapcore.store.database import connection, run
from push.models import VapidKey
from push.subscriptions import vapid_keys
from push.subscriptions.vapid_keys import current_key, forget, key_by_number, rotate


@pytest.fixture(autouse=True)
def _asked_anew(database: None) -> Iterator[None]:
    forget()
    yield
    forget()


def test_the_key_is_made_once() -> None:
    found: list[str] = []

    def ask() -> None:
        with connection() as lent:
            found.append((vapid_keys._load(lent) or vapid_keys._make(lent, retire=False)).public_text)

    with connection() as lent:
        run(lent, ("UPDATE push_vapid_key SET retired_at = now()", ()))
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert current_key().public_text == found[0]
    assert VapidKey.objects.filter(retired_at=None).count() == 1


@pytest.mark.rfc("9749", "5")
def test_a_rotation_retires_the_key_and_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    before = current_key()
    call_command("rotate_vapid_key")
    after = current_key()
    assert after.public_text in capsys.readouterr().out
    assert after.public_text != before.public_text
    with connection() as lent:
        kept = key_by_number(lent, before.number)
    assert kept is not None
    assert kept.public_text == before.public_text


def test_the_private_key_is_sealed() -> None:
    key = current_key()
    stored = VapidKey.objects.get(pk=key.number)
    private = key.private.private_numbers().private_value.to_bytes(32, "big")
    assert private not in bytes(stored.sealed_private_key)
    assert stored.public_key == key.public_text


def test_a_key_that_another_secret_key_sealed_gives_way_to_a_new_one(settings: Any) -> None:
    before = rotate()
    settings.SECRET_KEY = "another"
    vapid_keys._opened.clear()
    forget()
    after = current_key()
    assert after.public_text != before.public_text
    with connection() as lent:
        assert key_by_number(lent, before.number) is None
    # Whatever was made meanwhile is of no use under the first SECRET_KEY.
    with connection() as lent:
        run(lent, ("UPDATE push_vapid_key SET retired_at = now() WHERE retired_at IS NULL", ()))
