"""What owners of accounts chose for mail that comes in."""

from __future__ import annotations

from jmapcore.store.database import Connection, read
from jmapcore.store.write import AccountWrite

FILES_DETAILS = "SELECT files_details FROM delivery_preference WHERE account_id = %s"
SAVE = """
    INSERT INTO delivery_preference (account_id, files_details) VALUES (%s, %s)
    ON CONFLICT (account_id) DO UPDATE SET files_details = excluded.files_details"""


def files_details(connection: Connection, account_id: int) -> bool:
    """Whether mail to `user+detail@…` goes to the mailbox named `detail`, where there is one without a role."""
    [rows] = read(connection, account_id, (FILES_DETAILS, (account_id,)))
    return bool(rows and rows[0][0])


def set_files_details(write: AccountWrite, *, on: bool) -> None:
    """Choose it. No client sees it, so no change is recorded."""
    write.run((SAVE, (write.account_id, on)))
