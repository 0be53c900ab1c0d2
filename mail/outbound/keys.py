"""Keys that mail is signed with (DKIM, RFC 6376): made by a command, kept encrypted, used for the domain in From.

The oldest key of a domain that is not retired signs, so that a new one has time to be published before the old one is retired.
"""

from __future__ import annotations

import base64
import logging
import time
from collections import OrderedDict
from datetime import UTC, datetime

import dkim
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from accounts.models import Domain
from jmapcore.store.database import Connection, execute
from mail.models import DkimKey

logger = logging.getLogger("mail.outbound")

BITS = 2048
KEPT_SECONDS = 30
"""How long a process uses a key, or goes without, before it looks again."""
_MOST_KEPT = 1_000

SIGNING_KEY = """
    SELECT k.selector, k.private_key FROM dkim_key AS k
    JOIN accounts_domain AS d ON d.name = k.domain AND d.tenant_id = k.tenant_id
    WHERE k.domain = %s AND k.retired_at IS NULL ORDER BY k.id LIMIT 1"""

SIGNED = (
    "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
    "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-language",
    "disposition-notification-to", "auto-submitted", "list-id", "list-post", "list-help", "list-owner",
    "list-archive", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
"""Header fields that a signature covers where a message has them."""
SEALED = ("from", "to", "cc", "subject", "date", "reply-to", "message-id", "mime-version", "content-type")
"""Those that nobody can add one of without breaking the signature."""


class KeyProblemError(ValueError):
    """A key cannot be made or retired; the sentence says why."""


def _cipher() -> MultiFernet:
    secrets = [str(each) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    derived = (
        HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"jmapsite DKIM keys").derive(
            each.encode()
        )
        for each in secrets
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(each)) for each in derived])


def create_key(domain: Domain, selector: str | None = None) -> DkimKey:
    """A new key for a domain; `selector` is by default the day, with a number if there is one of the day already.

    Raises `KeyProblemError` for a selector that is none, or taken.
    """
    if selector is None:
        day = datetime.now(UTC).strftime("jmap%Y%m%d")
        taken = set(DkimKey.objects.filter(domain=domain.name).values_list("selector", flat=True))
        selector = next(name for name in (day, *(f"{day}-{n}" for n in range(2, 1_000))) if name not in taken)
    label = selector.replace("-", "").replace("_", "")
    if not (selector.isascii() and label.isalnum() and len(selector) <= 63) or selector != selector.lower():
        raise KeyProblemError(f"{selector!r} is no selector: lower-case letters, digits and hyphens.")
    if DkimKey.objects.filter(domain=domain.name, selector=selector).exists():
        raise KeyProblemError(f"{domain.name} has a key with the selector {selector} already.")
    private = rsa.generate_private_key(public_exponent=65_537, key_size=BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return DkimKey.objects.create(
        domain=domain.name, selector=selector, tenant_id=domain.tenant_id, private_key=_cipher().encrypt(pem)
    )


def retire_key(domain: str, selector: str) -> DkimKey:
    """Sign nothing more with a key. Its record in the DNS stays until mail on its way has arrived. Raises `KeyProblemError`."""
    key = DkimKey.objects.filter(domain=domain, selector=selector, retired_at=None).first()
    if key is None:
        raise KeyProblemError(f"{domain} has no key {selector} that signs.")
    key.retired_at = datetime.now(UTC)
    key.save(update_fields=["retired_at"])
    _keys.pop(domain, None)
    return key


def dns_record(key: DkimKey) -> tuple[str, str]:
    """The name and the text of the TXT record that publishes a key (RFC 6376 §3.6.1)."""
    private = serialization.load_pem_private_key(_opened(bytes(key.private_key)), password=None)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    name = f"{key.selector}._domainkey.{key.domain}."
    return name, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode('ascii')}"


def _opened(encrypted: bytes) -> bytes:
    try:
        return _cipher().decrypt(encrypted)
    except InvalidToken:
        raise KeyProblemError("The key was encrypted with another SECRET_KEY.") from None


_Key = tuple[str, bytes] | None
_keys: OrderedDict[str, tuple[float, _Key]] = OrderedDict()
"""The selector and the PEM of the key of each domain, None for one without a key, and when that was read."""


def signing_key(connection: Connection, domain: str) -> _Key:
    """The selector and the PEM of the key that signs for a domain now, if there is one."""
    known = _keys.get(domain)
    if known is not None and time.monotonic() - known[0] < KEPT_SECONDS:
        return known[1]
    row = execute(connection, SIGNING_KEY, (domain,)).fetchone()
    found: _Key = None
    if row is not None:
        try:
            found = row[0], _opened(bytes(row[1]))
        except KeyProblemError:
            logger.exception("the key %s of %s signs nothing", row[0], domain)
    _keys[domain] = time.monotonic(), found
    while len(_keys) > _MOST_KEPT:
        _keys.popitem(last=False)
    return found


def forget() -> None:
    """Look for keys again, at the next message."""
    _keys.clear()


def signed(octets: bytes, domain: str, selector: str, pem: bytes) -> bytes:
    """A message with CRLF line ends under a signature of its domain; as it was where its header cannot be signed."""
    try:
        signer = dkim.DKIM(octets)
        present = [name.decode("ascii", "replace").lower() for name, _ in signer.headers]
        covered = [name for name in present if name in SIGNED] + [*SEALED]
        signature: bytes = signer.sign(
            selector.encode(),
            domain.encode(),
            pem,
            canonicalize=(b"relaxed", b"simple"),
            include_headers=[name.encode() for name in covered],
        )
    except dkim.DKIMException as error:
        logger.warning("a message is not signed: %s", type(error).__name__)
        return octets
    return signature + octets
