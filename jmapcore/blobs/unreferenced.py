"""The life of a blob that nothing refers to (RFC 8620 §6): its hour, its place in the uploader's quota, its
end.

Everything here runs inside an `account_write`, so that nobody else takes up a reference to the blob
meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings

from jmapcore.blobs.backends import FILES, ROWS, Borrow, bytes_write
from jmapcore.blobs.references import is_referenced
from jmapcore.store import database
from jmapcore.store.database import Row, Statement, execute
from jmapcore.store.rows import Insertion
from jmapcore.store.write import AccountWrite

GRACE = timedelta(hours=1)
"""How long an unreferenced blob lives at least, from its last upload or the loss of its last reference."""
_GRACE = f"{GRACE.total_seconds():.0f} seconds"

SMALLEST_CHARGE = 4096
"""Octets that the smallest blob counts for, so that the number of rows of a user is bounded too."""

SETTLE_EVERY = 64
"""After that many uploads the quota's index is rid of those that became referenced meanwhile."""

SCHEDULE = Insertion(
    "blob_sweep",
    {"blob_id": "int", "due_at": "interval"},
    forms={"due_at": "clock_timestamp() + {}"},
    conflict="""ON CONFLICT (account_id, blob_id)
        DO UPDATE SET due_at = greatest(blob_sweep.due_at, excluded.due_at)""",
)
COUNT_AGAIN = """
    UPDATE blob_upload SET in_use = false WHERE account_id = %s AND blob_id = ANY(%b::int[]) AND in_use"""
REGISTER = """
    INSERT INTO blob_upload (account_id, blob_id, user_id, type, size, uploaded_at)
    VALUES (%s, %s, %s, %s, %s, clock_timestamp())
    ON CONFLICT (account_id, blob_id, user_id)
    DO UPDATE SET type = excluded.type, uploaded_at = excluded.uploaded_at, in_use = false"""
USAGE = """
    SELECT count(*), coalesce(sum(greatest(size, %s)), 0)::bigint FROM blob_upload
    WHERE account_id = %s AND user_id = %s AND NOT in_use"""
BY_AGE = """
    SELECT blob_id, greatest(size, %s) FROM blob_upload
    WHERE account_id = %s AND user_id = %s AND NOT in_use ORDER BY uploaded_at, blob_id"""
FORGET_UPLOADS = "DELETE FROM blob_upload WHERE account_id = %s AND user_id = %s AND blob_id = ANY(%b::int[])"
CONDEMN = """
    INSERT INTO blob_sweep (account_id, blob_id, due_at, location, doomed)
    SELECT %s, d.id, clock_timestamp(), d.location, true
    FROM unnest(%b::int[], %b::text[]) AS d (id, location)
    ON CONFLICT (account_id, blob_id)
    DO UPDATE SET due_at = excluded.due_at, location = excluded.location, doomed = true"""
DELETE_UPLOADS = "DELETE FROM blob_upload WHERE account_id = %s AND blob_id = ANY(%b::int[])"
DELETE_BLOBS = "DELETE FROM blob WHERE account_id = %s AND id = ANY(%b::int[])"
FORGET_SWEEP = "DELETE FROM blob_sweep WHERE account_id = %s AND blob_id = ANY(%b::int[]) AND doomed"

Doomed = dict[int, str]
"""Blobs whose rows are gone and whose bytes are to go: blob id → location."""


def unreferenced_quota() -> int:
    """Octets of unreferenced blobs that a user may have in an account."""
    quota: int = settings.JMAP_UNREFERENCED_BLOB_QUOTA
    return quota


def schedule_statements(account_id: int, blob_ids: Sequence[int]) -> list[Statement]:
    """The statements of `schedule`, for a pipeline of the caller's."""
    return [_schedule(account_id, blob_ids), (COUNT_AGAIN, (account_id, list(blob_ids)))]


def _schedule(account_id: int, blob_ids: Sequence[int]) -> Statement:
    return SCHEDULE.of(account_id, [(blob_id, _GRACE) for blob_id in blob_ids])


def schedule(write: AccountWrite, blob_ids: Sequence[int]) -> None:
    """Have the sweep look at blobs an hour from now: they may have lost their last reference in this write.

    Which of them are still in use is decided then; naming one that is costs no more than the look.
    """
    if blob_ids:
        write.run(*schedule_statements(write.account_id, blob_ids))


def usage_statement(account_id: int, user_id: int) -> Statement:
    """What reads how many unreferenced blobs a user has, and their octets, before an upload of theirs is registered."""
    return USAGE, (SMALLEST_CHARGE, account_id, user_id)


def register_upload(
    write: AccountWrite,
    user_id: int,
    blob_id: int,
    media_type: str,
    size: int,
    usage: Sequence[Row],
) -> Doomed:
    """Make a blob visible to a user for at least an hour, as an upload does, within the user's quota.

    "When an upload would take the user over quota, the server MUST delete unreferenced blobs in date order,
    oldest first, until there is room for the new blob" (§6). The blobs that this deletes are returned;
    after the commit their bytes go by `delete_bytes`. `usage` are the rows of `usage_statement`, read in this write.
    """
    account_id = write.account_id
    write.defer(
        (REGISTER, (account_id, blob_id, user_id, media_type, size)), _schedule(account_id, [blob_id])
    )
    [(count, octets)] = usage
    quota = unreferenced_quota()
    # As though it were new; where it is not, there is more room than that.
    if octets + max(size, SMALLEST_CHARGE) <= quota and (count + 1) % SETTLE_EVERY:
        return {}
    return _make_room(write, user_id, blob_id, quota)


def _make_room(write: AccountWrite, user_id: int, newest_id: int, quota: int) -> Doomed:
    account_id = write.account_id
    mark_used = f"""
        UPDATE blob_upload SET in_use = true WHERE account_id = %s AND user_id = %s AND NOT in_use
            AND {is_referenced("blob_upload.account_id", "blob_upload.blob_id")}"""  # noqa: S608  # checked names
    _, uploads = write.run(
        (mark_used, (account_id, user_id)), (BY_AGE, (SMALLEST_CHARGE, account_id, user_id))
    )
    octets = sum(size for _, size in uploads)
    evicted: list[int] = []
    for blob_id, size in uploads:
        if octets <= quota:
            break
        if blob_id != newest_id:
            evicted.append(blob_id)
            octets -= size
    if not evicted:
        return {}
    write.execute(FORGET_UPLOADS, (account_id, user_id, evicted))
    return condemn(write, evicted)


def condemn(write: AccountWrite, blob_ids: Sequence[int]) -> Doomed:
    """Delete the rows of those of the blobs that nobody uploaded and nothing refers to, and note that their
    bytes go."""
    account_id = write.account_id
    select = f"""
        SELECT b.id, b.location FROM blob AS b WHERE b.account_id = %s AND b.id = ANY(%b::int[])
            AND NOT {is_referenced("b.account_id", "b.id")}
            AND NOT EXISTS (SELECT 1 FROM blob_upload AS u WHERE u.account_id = %s AND u.blob_id = b.id)"""  # noqa: S608  # checked names
    [found] = write.run((select, (account_id, list(blob_ids), account_id)))
    return condemn_rows(write, found)


def condemn_rows(write: AccountWrite, found: Sequence[Row]) -> Doomed:
    """Delete the rows of blobs that the caller has checked; `found` is (blob id, location) of each."""
    doomed: Doomed = {row[0]: row[1] for row in found}
    if doomed:
        ids, locations = list(doomed), list(doomed.values())
        write.run(
            (CONDEMN, (write.account_id, ids, locations)),
            (DELETE_UPLOADS, (write.account_id, ids)),
            (DELETE_BLOBS, (write.account_id, ids)),
        )
    return doomed


def delete_bytes(account_id: int, doomed: Doomed, borrow: Borrow = database.connection) -> None:
    """Delete the bytes of doomed blobs, and the notes that say so last: a crash in between is made good by
    the sweep."""
    if not doomed:
        return
    ids, locations = list(doomed), [location for location in doomed.values() if location]
    if locations:
        FILES.delete(account_id, ids, locations, borrow)
    ROWS.delete(account_id, ids, [], borrow)
    with borrow() as connection, bytes_write(account_id, connection):
        execute(connection, FORGET_SWEEP, (account_id, ids))
