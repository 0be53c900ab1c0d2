"""The part of `verify_account` that looks at identities, submissions and the vacation response (RFC 8621 §6 to §8)."""

from __future__ import annotations

from jmapcore.store.database import SET_ACCOUNT, Connection, Row, Statement, run
from jmapcore.store.write import AccountWrite
from mail.identities import STORED, entitled_statement, settle_identities, superfluous
from mail.provisioning import ADD_VACATION_RESPONSE
from mail.submissions import DELIVERY_TIME, new_token

NO_VACATION_RESPONSE = (
    "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM vacation_response WHERE account_id = %s AND id = 0)"
)
# A message is held as long as it is queued, and nobody waits for what is canceled.
NOT_QUEUED = """
    SELECT s.id FROM email_submission AS s WHERE s.account_id = %s AND s.blob_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM submission_queue AS q WHERE q.account_id = %s AND q.id = s.id) ORDER BY s.id"""
QUEUED_WITHOUT_MESSAGE = """
    SELECT q.id FROM submission_queue AS q WHERE q.account_id = %s AND NOT EXISTS (
        SELECT 1 FROM email_submission AS s WHERE s.account_id = %s AND s.id = q.id AND s.blob_id IS NOT NULL)
    ORDER BY q.id"""
PENDING_WITHOUT_MESSAGE = """
    SELECT id FROM email_submission
    WHERE account_id = %s AND undo_status = 'pending' AND blob_id IS NULL AND NOT is_destroyed ORDER BY id"""
CANCELED_WITH_MESSAGE = """
    SELECT id FROM email_submission
    WHERE account_id = %s AND undo_status = 'canceled' AND blob_id IS NOT NULL ORDER BY id"""
UNMARKED = """
    SELECT id FROM email_submission WHERE account_id = %s AND envelope_id !~ '^[a-z2-7]{20}$' ORDER BY id"""
# Of what is over, nobody is waited for, and nothing is still to be told.
OPEN_WITHOUT_MESSAGE = """
    SELECT s.id FROM email_submission AS s
    WHERE s.account_id = %s AND s.undo_status = 'final' AND s.blob_id IS NULL AND NOT s.is_destroyed
        AND NOT EXISTS (SELECT 1 FROM submission_queue AS q WHERE q.account_id = %s AND q.id = s.id)
        AND (s.reports <> '[]' OR EXISTS (
            SELECT 1 FROM jsonb_each(s.delivery_status) AS r WHERE r.value ->> 'delivered' = 'queued'))
    ORDER BY s.id"""
DESTROYED = """
    SELECT id FROM email_submission WHERE account_id = %s AND is_destroyed AND blob_id IS NULL ORDER BY id"""

ENQUEUE_AGAIN = """
    INSERT INTO submission_queue (account_id, id, due_at, give_up_at)
    SELECT %s, s.id, s.send_at, greatest(s.send_at, now()) + %s
    FROM email_submission AS s WHERE s.account_id = %s AND s.id = ANY(%s::int[])"""
LEAVE_QUEUE = "DELETE FROM submission_queue WHERE account_id = %s AND id = ANY(%s::int[])"
FINISH = "UPDATE email_submission SET undo_status = 'final' WHERE account_id = %s AND id = ANY(%s::int[])"
GIVE_TOKENS = """
    UPDATE email_submission AS s SET envelope_id = n.token
    FROM unnest(%s::int[], %s::text[]) AS n (id, token) WHERE s.account_id = %s AND s.id = n.id"""
CLOSE = """
    UPDATE email_submission AS s SET reports = '[]', delivery_status = (
        SELECT coalesce(jsonb_object_agg(r.key, CASE r.value ->> 'delivered' WHEN 'queued'
            THEN r.value || '{"delivered": "unknown"}' ELSE r.value END), '{}') FROM jsonb_each(s.delivery_status) AS r)
    WHERE s.account_id = %s AND s.id = ANY(%s::int[])"""
LET_GO = "UPDATE email_submission SET blob_id = NULL WHERE account_id = %s AND id = ANY(%s::int[])"
DROP = "DELETE FROM email_submission WHERE account_id = %s AND id = ANY(%s::int[])"


def sending_differences(account_id: int, connection: Connection) -> list[str]:
    """What is wrong, a sentence for each; the caller reads in one snapshot."""
    one, two = (account_id,), (account_id, account_id)
    entitled, stored, vacation, lost, idle, pending, canceled, open_, without_token, destroyed = _rows(
        connection,
        account_id,
        entitled_statement(account_id),
        (STORED, one),
        (NO_VACATION_RESPONSE, one),
        (NOT_QUEUED, two),
        (QUEUED_WITHOUT_MESSAGE, two),
        (PENDING_WITHOUT_MESSAGE, one),
        (CANCELED_WITH_MESSAGE, one),
        (OPEN_WITHOUT_MESSAGE, two),
        (UNMARKED, one),
        (DESTROYED, one),
    )
    wanted: dict[str, str] = dict(entitled)
    given = {email for _, email, may_delete in stored if not may_delete}
    return [
        *(f"identity {email}: missing" for email in wanted if email not in given),
        *(f"identity i{number}: is of no address of the account" for number in superfluous(wanted, stored)),
        *("vacation response: missing" for _ in vacation),
        *(f"submission s{row[0]}: holds its message and is not queued" for row in lost),
        *(f"submission s{row[0]}: is queued and holds no message" for row in idle),
        *(f"submission s{row[0]}: is pending and holds no message" for row in pending),
        *(f"submission s{row[0]}: is canceled and holds its message" for row in canceled),
        *(f"submission s{row[0]}: is over, and waits for somebody" for row in open_),
        *(f"submission s{row[0]}: has no token" for row in without_token),
        *(f"submission s{row[0]}: is destroyed, delivered and still there" for row in destroyed),
    ]


def _rows(connection: Connection, account_id: int, *statements: Statement) -> list[list[Row]]:
    return [
        result.fetchall() for result in run(connection, (SET_ACCOUNT, (str(account_id),)), *statements)[1:]
    ]


def repair_sending(write: AccountWrite) -> None:
    """Set it right: identities are given and taken, what is held is queued again, what is not held is over."""
    account_id = write.account_id
    settle_identities(write)
    write.defer((ADD_VACATION_RESPONSE, (account_id,)))

    def ids(sql: str) -> list[int]:
        return [row[0] for row in write.run((sql, (account_id,) * sql.count("%s")))[0]]

    canceled = ids(CANCELED_WITH_MESSAGE)
    write.run((LET_GO, (account_id, canceled)))
    write.run((LEAVE_QUEUE, (account_id, ids(QUEUED_WITHOUT_MESSAGE))))
    write.run((ENQUEUE_AGAIN, (account_id, DELIVERY_TIME, account_id, ids(NOT_QUEUED))))
    without = ids(UNMARKED)
    write.run((GIVE_TOKENS, (without, [new_token() for _ in without], account_id)))
    over = ids(PENDING_WITHOUT_MESSAGE)
    write.run((FINISH, (account_id, over)))
    open_ = ids(OPEN_WITHOUT_MESSAGE)
    write.run((CLOSE, (account_id, open_)), (DROP, (account_id, ids(DESTROYED))))
    for number in sorted({*over, *open_}):
        write.updated("EmailSubmission", number)
