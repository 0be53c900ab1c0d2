"""The sweep: deletes blobs that nothing refers to and whose hour is over, and what crashes left behind.

It goes by the notes in `blob_sweep`: one for each blob that was uploaded, lost a reference, or is being
written. A note holds no content and is read across accounts; everything else happens inside the account,
and whether a blob is in use is decided under the account's lock, where nobody can take up a reference to
it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

import psycopg

from jmapcore.blobs.backends import Borrow, bytes_write
from jmapcore.blobs.references import is_referenced
from jmapcore.blobs.unreferenced import GRACE, Doomed, condemn_rows, delete_bytes
from jmapcore.store import database
from jmapcore.store.database import Connection, Row, execute
from jmapcore.store.write import AccountWrite, UnknownAccountError, account_write

BATCH = 500

FAILURES = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, psycopg.IntegrityError)

logger = logging.getLogger(__name__)

DUE = """
    SELECT account_id, blob_id, doomed, location FROM blob_sweep
    WHERE due_at <= clock_timestamp() AND account_id <> ALL(%b::bigint[]) ORDER BY due_at LIMIT %s"""
POSTPONE = """
    UPDATE blob_sweep SET due_at = p.due_at FROM unnest(%b::int[], %b::timestamptz[]) AS p (blob_id, due_at)
    WHERE blob_sweep.account_id = %s AND blob_sweep.blob_id = p.blob_id"""
FORGET = "DELETE FROM blob_sweep WHERE account_id = %s AND blob_id = ANY(%b::int[])"
DOOM_ACCOUNT = """
    INSERT INTO blob_sweep (account_id, blob_id, due_at, location, doomed)
    SELECT b.account_id, b.id, clock_timestamp(), b.location, true FROM blob AS b WHERE b.account_id = %s
    ON CONFLICT (account_id, blob_id)
    DO UPDATE SET due_at = excluded.due_at, location = excluded.location, doomed = true"""
DOOM_NOTES = """
    UPDATE blob_sweep SET doomed = true, due_at = clock_timestamp() WHERE account_id = %s AND NOT doomed"""
DELETE_ALL_UPLOADS = "DELETE FROM blob_upload WHERE account_id = %s"
DELETE_ALL_BLOBS = "DELETE FROM blob WHERE account_id = %s"
FORGET_UPLOADS = "DELETE FROM blob_upload WHERE account_id = %s AND blob_id = ANY(%b::int[])"


def sweep(borrow: Borrow = database.connection) -> Counter[str]:
    """Look at every blob that is due; how many were `deleted`, found `used`, or `postponed`.

    Two sweeps at once do no harm. An account that cannot be swept now is logged and left for the next time;
    how many of those there are is `failed`. Raises what else the database raises; what is done stays done.
    """
    outcome: Counter[str] = Counter()
    failed: list[int] = []
    while True:
        with borrow() as connection:
            due = execute(connection, DUE, (failed, BATCH)).fetchall()
        for account_id, notes in groupby(sorted(due, key=itemgetter(0)), key=itemgetter(0)):
            try:
                outcome += _sweep_account(account_id, notes, borrow)
            except FAILURES:
                logger.exception("the blobs of account %s could not be swept", account_id)
                failed.append(account_id)
        if len(due) < BATCH:
            outcome["failed"] = len(failed)
            return outcome


def forget_account(account_id: int, connection: Connection) -> None:
    """Give up all blobs of an account that is deleted, in the caller's transaction if there is one.

    Their bytes go with the next sweep. Whatever refers to them must go in the same transaction.
    """
    with bytes_write(account_id, connection):
        for statement in (DOOM_ACCOUNT, DOOM_NOTES, DELETE_ALL_UPLOADS, DELETE_ALL_BLOBS):
            execute(connection, statement, (account_id,))


def _sweep_account(account_id: int, notes: Iterable[Row], borrow: Borrow) -> Counter[str]:
    doomed: Doomed = {}
    undecided: list[int] = []
    for _, blob_id, is_doomed, location in notes:
        if is_doomed:
            doomed[blob_id] = location
        else:
            undecided.append(blob_id)
    outcome: Counter[str] = Counter()
    if undecided:
        with borrow() as connection:
            try:
                with account_write(account_id, connection) as write:
                    outcome, found = _decide(write, undecided)
                doomed |= found
            except UnknownAccountError:
                forget_account(account_id, connection)
    delete_bytes(account_id, doomed, borrow)
    outcome["deleted"] += len(doomed)
    return outcome


def _decide(write: AccountWrite, blob_ids: list[int]) -> tuple[Counter[str], Doomed]:
    # What was uploaded again while this write waited for the lock has a new due time: the notes are read
    # again.
    account_id = write.account_id
    select = f"""
        SELECT s.blob_id, coalesce(b.location, s.location),
            b.id IS NOT NULL AND {is_referenced("b.account_id", "b.id")},
            (SELECT max(u.uploaded_at) FROM blob_upload AS u
                WHERE u.account_id = %s AND u.blob_id = s.blob_id) + %s,
            clock_timestamp()
        FROM blob_sweep AS s LEFT JOIN blob AS b ON b.account_id = %s AND b.id = s.blob_id
        WHERE s.account_id = %s AND s.blob_id = ANY(%b::int[]) AND NOT s.doomed
            AND s.due_at <= clock_timestamp()"""  # noqa: S608  # checked names
    [found] = write.run((select, (account_id, GRACE, account_id, account_id, blob_ids)))
    later = [(row[0], row[3]) for row in found if row[3] is not None and row[3] > row[4]]
    postponed = {blob_id for blob_id, _ in later}
    used = [row[0] for row in found if row[2] and row[0] not in postponed]
    doomed = condemn_rows(
        write, [(row[0], row[1]) for row in found if not row[2] and row[0] not in postponed]
    )
    if later:
        write.execute(POSTPONE, ([row[0] for row in later], [row[1] for row in later], account_id))
    if used:
        # Their uploaders see them by the reference from now on.
        write.run((FORGET, (account_id, used)), (FORGET_UPLOADS, (account_id, used)))
    return Counter(used=len(used), postponed=len(later)), doomed
