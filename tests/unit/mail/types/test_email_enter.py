"""What can still go wrong under the lock."""

from __future__ import annotations

import pytest

from accounts.access import AccountAccess
from jmapcore.blobs import storage
from jmapcore.protocol.errors import ServerUnavailable
from jmapcore.store.database import connection
from jmapcore.store.plan import PlannedCreate, SetPlan
from jmapcore.store.write import account_write
from mail.ingest import prepare
from mail.types.email import EMAIL
from mail.types.email_enter import enter
from mail.types.email_ready import ReadyEmail
from tests.support.cast import Cast


def test_content_that_was_swept_meanwhile(cast: Cast) -> None:
    account_id = cast.alice.account.pk
    access = AccountAccess(account_id, cast.alice.user.pk, cast.alice.address, True, False, True)
    email = prepare(b"Subject: Hello\r\n\r\nText\r\n")
    with connection() as lent, account_write(account_id, lent) as write:
        [[inbox]] = write.execute(
            "SELECT id FROM mailbox WHERE account_id = %s AND role = 'inbox'", (account_id,)
        )
        record = {"mailboxIds": {f"m{inbox}": True}, "keywords": {}, "receivedAt": None}
        plan = SetPlan(EMAIL, access, write, {})
        gone = ReadyEmail(email, storage.Content(email.hash, email.size, None))
        plan.creates["a"] = PlannedCreate("a", 1, record, frozenset(record), gone)
        with pytest.raises(ServerUnavailable):
            enter(plan, None)
        assert write.execute("SELECT 1 FROM email WHERE account_id = %s", (account_id,)).fetchall() == []
