"""Secrets at rest: sealed with a key that is derived from SECRET_KEY, so that a dump of the database alone opens none of them."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE_OCTETS = 12


class SealError(Exception):
    """What was sealed cannot be opened: SECRET_KEY is another one now, or it was tampered with."""


def seal(content: bytes, purpose: str) -> bytes:
    """Content that only `unseal` with the same purpose opens again."""
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    return nonce + _cipher(settings.SECRET_KEY, purpose).encrypt(nonce, content, purpose.encode())


def unseal(sealed: bytes, purpose: str) -> bytes:
    """The content, also where it was sealed under one of SECRET_KEY_FALLBACKS. Raises `SealError`."""
    nonce, text = sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:]
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _cipher(key, purpose).decrypt(nonce, text, purpose.encode())
        except (InvalidTag, ValueError):
            continue
    raise SealError(purpose)


def _cipher(secret: str | bytes, purpose: str) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=None, info=f"jmapsite sealing {purpose}".encode())
    return AESGCM(derived.derive(secret.encode() if isinstance(secret, str) else secret))
