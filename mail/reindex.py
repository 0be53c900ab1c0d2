"""The index of words follows the languages of an account that got other ones (`accounts.provisioning.set_search_languages`).

No state changes and no id, and nothing but the index is written.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import psycopg

from jmapcore.store.database import Connection, execute
from jmapcore.store.write import UnknownAccountError, account_write
from mail import email_search
from mail.messages import stored_messages

FAILURES = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, psycopg.IntegrityError)

logger = logging.getLogger(__name__)

SETTLED_AFTER = timedelta(minutes=1)
"""By then whatever was begun with the languages before has been written."""

DUE = """
    SELECT id, index_due_since FROM accounts_account
    WHERE index_due_since IS NOT NULL AND index_due_since <= now() - %s ORDER BY index_due_since"""
DONE = "UPDATE accounts_account SET index_due_since = NULL WHERE id = %s AND index_due_since = %s"

# Of this module's own: the number of the RFC, and the account.
TAKE = "SELECT pg_try_advisory_lock(8621, %s::int)"
LET_GO = "SELECT pg_advisory_unlock(8621, %s::int)"


def reindex(account_id: int, connection: Connection) -> int:
    """Write the words of every message of an account as its languages want them; how many messages there were."""
    total = 0
    for batch in stored_messages(connection, account_id):
        texts = {message.id: message.prepared.search for message in batch if message.prepared is not None}
        with account_write(account_id, connection) as write:
            write.run(email_search.save(account_id, list(texts), list(texts.values())))
        total += len(texts)
    return total


def index_due(connection: Connection, settled_after: timedelta = SETTLED_AFTER) -> int:
    """Write the index of each account anew that got other languages a while ago; how many accounts.

    Stopped at any time, it begins again with the next call. An account that another process is at is left to it, one that cannot
    be written now is logged and left for the next time.
    """
    total = 0
    for account_id, since in execute(connection, DUE, (settled_after,)).fetchall():
        [taken] = execute(connection, TAKE, (account_id,)).fetchone() or (False,)
        if not taken:
            continue
        try:
            reindex(account_id, connection)
            total += 1
        except UnknownAccountError:  # deleted meanwhile
            continue
        except FAILURES:
            logger.exception("account %s could not be indexed anew", account_id)
            continue
        finally:
            execute(connection, LET_GO, (account_id,))
        execute(connection, DONE, (account_id, since))
    return total
