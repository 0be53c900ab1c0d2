"""The Authorization of a push message: who sends it (VAPID, RFC 8292). Pure Python but for the settings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from push.subscriptions.message_encryption import to_base64url

LIFETIME_SECONDS = 12 * 3_600
"""No more than 24 hours (RFC 8292 §2)."""


@dataclass(frozen=True, slots=True)
class VapidKey:
    """A signing key, by its number in the database."""

    number: int
    private: ec.EllipticCurvePrivateKey
    public_text: str
    """The public key as the session shows it: an uncompressed point in base64url (RFC 9749 §3)."""


def public_text(key: ec.EllipticCurvePublicKey) -> str:
    """A public key as an uncompressed point in base64url."""
    return to_base64url(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def authorization(key: VapidKey, url: str, contact: str, now: float | None = None) -> str:
    """The Authorization field for a push message to this URL (RFC 8292 §3); `contact` is a URL, empty for none."""
    parts = urlsplit(url)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(now if now is not None else time.time()) + LIFETIME_SECONDS,
    }
    if contact:
        claims["sub"] = contact
    head = to_base64url(orjson.dumps({"typ": "JWT", "alg": "ES256"}))
    signed = f"{head}.{to_base64url(orjson.dumps(claims))}"
    r, s = decode_dss_signature(key.private.sign(signed.encode(), ec.ECDSA(SHA256())))
    token = f"{signed}.{to_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    return f"vapid t={token}, k={key.public_text}"
