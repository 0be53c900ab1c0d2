"""Who was answered: forgotten with the response that they were sent, and when they may be answered again."""

from __future__ import annotations

from jmapcore.blobs.backends import Borrow
from jmapcore.store import database
from jmapcore.store.database import execute
from jmapcore.store.model_storage import ModelStorage
from jmapcore.store.plan import SetPlan
from mail.models import VacationResponse

BATCH = 5_000
"""Rows that one statement of the sweep deletes."""

FORGET = "DELETE FROM vacation_sender WHERE account_id = %s"
SWEEP = "SELECT forget_vacation_senders(%s::integer)"


class VacationResponseStorage(ModelStorage):
    """The table `vacation_response`; another response is news to those who got the former one."""

    def __init__(self) -> None:
        super().__init__(VacationResponse)

    def apply(self, plan: SetPlan) -> None:
        """Write the response as it is now."""
        super().apply(plan)
        if any(update.changed for update in plan.updates.values()):
            plan.write.defer((FORGET, (plan.write.account_id,)))


def sweep_senders(borrow: Borrow = database.connection) -> int:
    """Forget, in every account, those who may be answered again anyway; how many."""
    forgotten = 0
    while True:
        with borrow() as connection:
            [(count,)] = execute(connection, SWEEP, (BATCH,)).fetchall()
        forgotten += int(count)
        if count < BATCH:
            return forgotten
