"""Encrypting a push message for its receiver (RFC 8291, with the content coding aes128gcm of RFC 8188). Pure Python."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_SIZE = 4_096
"""What every push service takes (RFC 8030 §7.2)."""

MOST_PLAINTEXT_OCTETS = 3_993
"""The one record: 4,096 octets without 86 of header, 16 of authentication tag, and the delimiter (RFC 8291 §4)."""

_AUTH_OCTETS = 16
_POINT_OCTETS = 65
_SALT_OCTETS = 16
_LAST_RECORD = b"\x02"


@dataclass(frozen=True, slots=True)
class ReceiverKeys:
    """The public key of a receiver, as an uncompressed point of P-256, and its authentication secret."""

    p256dh: bytes
    auth: bytes


def parse_keys(p256dh: str, auth: str) -> ReceiverKeys:
    """The keys in their base64url texts, with or without padding. Raises `ValueError` for what cannot be such keys."""
    keys = ReceiverKeys(from_base64url(p256dh), from_base64url(auth))
    if len(keys.p256dh) != _POINT_OCTETS or len(keys.auth) != _AUTH_OCTETS:
        raise ValueError("a point of 65 octets and a secret of 16 are due")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), keys.p256dh)
    return keys


def encrypt(
    plaintext: bytes,
    keys: ReceiverKeys,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a push message: a header and one record. Raises `ValueError` above 3,993 octets of plaintext.

    `sender` and `salt` are for tests alone: both must be new for each message.
    """
    if len(plaintext) > MOST_PLAINTEXT_OCTETS:
        raise ValueError(f"{len(plaintext)} octets do not fit one record")
    sender = sender or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(_SALT_OCTETS)
    own = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    receiver = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), keys.p256dh)
    shared = sender.exchange(ec.ECDH(), receiver)
    key, nonce = derive(shared, keys, own, salt)
    header = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(own)]) + own
    return header + AESGCM(key).encrypt(nonce, plaintext + _LAST_RECORD, None)


def derive(shared: bytes, keys: ReceiverKeys, sender_point: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """The content encryption key and the nonce of the one record (RFC 8291 §3.4, RFC 8188 §2.2, §2.3)."""
    info = b"WebPush: info\0" + keys.p256dh + sender_point
    input_key = HKDF(SHA256(), 32, salt=keys.auth, info=info).derive(shared)
    pseudo_random = hmac.digest(salt, input_key, "sha256")
    key = HKDFExpand(SHA256(), 16, b"Content-Encoding: aes128gcm\0").derive(pseudo_random)
    nonce = HKDFExpand(SHA256(), 12, b"Content-Encoding: nonce\0").derive(pseudo_random)
    return key, nonce


def to_base64url(octets: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The octets of base64url, with or without padding. Raises `ValueError` for anything else."""
    bare = text.rstrip("=")
    if (
        len(text) - len(bare) > 2
        or not bare.isascii()
        or not bare.replace("-", "a").replace("_", "a").isalnum()
    ):
        raise ValueError("base64url is due")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("base64url is due") from error
