"""The keys of the service that sign what is pushed: kept sealed in the database, made once, rotated by a command.

Which key a subscription goes with is noted as it is made, since push services hold clients to the key that they were given.
"""

from __future__ import annotations

import logging
import threading
import time

import psycopg
import psycopg_pool
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from jmapcore.store.database import Connection, connection, run
from push.sealing import SealError, seal, unseal
from push.subscriptions.vapid import VapidKey, public_text

logger = logging.getLogger("push.vapid")

CAPABILITY = "urn:ietf:params:jmap:webpush-vapid"

REFRESH_SECONDS = 5.0
"""After a rotation by another process the session shows the old key for no longer."""

GRACE_DAYS = 14
"""So long a retired key serves the subscriptions that were made with it; then they are destroyed (RFC 9749 §5)."""

_PURPOSE = "vapid"

CURRENT = """
    SELECT id, public_key, sealed_private_key FROM push_vapid_key WHERE retired_at IS NULL"""
BY_NUMBER = "SELECT id, public_key, sealed_private_key FROM push_vapid_key WHERE id = %s"
LOCK = "LOCK TABLE push_vapid_key IN SHARE ROW EXCLUSIVE MODE"
RETIRE = "UPDATE push_vapid_key SET retired_at = now() WHERE retired_at IS NULL"
ADD = "INSERT INTO push_vapid_key (public_key, sealed_private_key) VALUES (%s, %s) RETURNING id"

_lock = threading.Lock()
_current: VapidKey | None = None
_shown: tuple[VapidKey, str] | None = None
"""The key that the session showed last, and how."""
_asked_at = 0.0
_opened: dict[int, VapidKey] = {}


def current_key() -> VapidKey:
    """The key of new subscriptions; made where there is none yet. Known for some seconds without asking the database.

    While the database is away it is the last one that was known. Raises what the database raises where none was.
    """
    global _current, _asked_at
    known = _current
    if known is not None and time.monotonic() - _asked_at < REFRESH_SECONDS:
        return known
    # Where one is known, one thread alone looks for another, and nobody waits for it.
    if not _lock.acquire(blocking=known is None):
        assert known is not None
        return known
    try:
        if _current is None or time.monotonic() - _asked_at >= REFRESH_SECONDS:
            try:
                with connection() as lent:
                    _current = _load(lent) or _make(lent, retire=False)
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout):
                if _current is None:
                    raise
            _asked_at = time.monotonic()
        return _current
    finally:
        _lock.release()


def rotate() -> VapidKey:
    """Make a new key that takes the place of the current one."""
    with connection() as lent:
        made = _make(lent, retire=True)
    forget()
    return made


def forget() -> None:
    """Ask the database again, the next time."""
    global _current
    with _lock:
        _current = None


def key_by_number(lent: Connection, number: int) -> VapidKey | None:
    """A key, retired or not; None where it is gone or cannot be opened any more."""
    if number not in _opened:
        [result] = run(lent, (BY_NUMBER, (number,)))
        row = result.fetchone()
        opened = None if row is None else _open(*row)
        if opened is None:
            return None
        _opened[number] = opened
    return _opened[number]


def public_key() -> str:
    """What the session shows; every request asks for it."""
    global _shown
    key = current_key()
    if _shown is None or _shown[0] is not key:
        _shown = key, key.public_text
    return _shown[1]


def _load(lent: Connection) -> VapidKey | None:
    [result] = run(lent, (CURRENT, ()))
    row = result.fetchone()
    return None if row is None else _open(*row)


def _open(number: int, public: str, sealed: bytes) -> VapidKey | None:
    try:
        private = load_der_private_key(unseal(bytes(sealed), _PURPOSE), password=None)
    except SealError:
        logger.error("the key %d that signs pushes cannot be opened with this SECRET_KEY", number)
        return None
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert public_text(private.public_key()) == public
    return VapidKey(number, private, public)


def _make(lent: Connection, *, retire: bool) -> VapidKey:
    """Add a key under a lock. Where another process was quicker its key is taken, but for a rotation."""
    with lent.transaction():
        lent.execute(LOCK)
        if not retire and (found := _load(lent)) is not None:
            return found
        # One that cannot be opened is of no use to anybody either.
        lent.execute(RETIRE)
        private = ec.generate_private_key(ec.SECP256R1())
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        public = public_text(private.public_key())
        added = lent.execute(ADD, (public, seal(der, _PURPOSE))).fetchone()
        assert added is not None
    return VapidKey(added[0], private, public)
