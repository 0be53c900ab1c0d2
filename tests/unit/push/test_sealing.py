"""Secrets at rest."""

from __future__ import annotations

from typing import Any

import pytest

from push.sealing import SealError, seal, unseal


def test_what_is_sealed_is_opened_for_the_same_purpose_alone() -> None:
    sealed = seal(b"secret", "one")
    assert unseal(sealed, "one") == b"secret"
    assert b"secret" not in sealed
    assert seal(b"secret", "one") != sealed
    for wrong in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", b"short"):
        with pytest.raises(SealError):
            unseal(wrong, "one")
    with pytest.raises(SealError):
        unseal(sealed, "two")


def test_an_older_secret_key_still_opens(settings: Any) -> None:
    sealed = seal(b"secret", "one")
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(SealError):
        unseal(sealed, "one")
    settings.SECRET_KEY_FALLBACKS = [before]
    assert unseal(sealed, "one") == b"secret"
