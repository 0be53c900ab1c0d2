"""What a Mailbox/set must leave behind: a forest of bounded depth and size, with its Inbox (RFC 8621 §2, §2.5)."""

from __future__ import annotations

from collections.abc import Iterator

from jmapcore.protocol.errors import ForbiddenSet, InvalidProperties, OverQuota
from jmapcore.protocol.wire import object_number
from jmapcore.store.plan import PlannedCreate, PlannedUpdate, SetPlan
from mail.types.capability import MAX_MAILBOX_DEPTH, MAX_MAILBOXES
from mail.types.errors import MailboxHasChild, MailboxHasEmail

PARENTS = "SELECT id, parent_id FROM mailbox WHERE account_id = %s"

INBOX = "inbox"


def check_mailboxes(plan: SetPlan) -> None:
    """Refuse what would leave an invalid set of mailboxes."""
    _check_inbox(plan)
    moves = {number: item for item, number in _moves(plan)}
    if moves or plan.destroys:
        (rows,) = plan.write.run((PARENTS, (plan.write.account_id,)))
        parents: dict[int, int | None] = {row[0]: row[1] for row in rows}
        _check_children(plan, parents)
        _check_number(plan, parents)
        _check_depth(plan, parents, moves)
    _check_emails(plan)


def _check_inbox(plan: SetPlan) -> None:
    """The Inbox is where mail arrives: it stays, and keeps its role."""
    for update in list(plan.updates.values()):
        if update.old.get("role") == INBOX and update.new.get("role", INBOX) != INBOX:
            plan.fail_update(update.id, InvalidProperties(["role"], "the Inbox keeps its role"))
    for destroy in list(plan.destroys.values()):
        if destroy.old.get("role") == INBOX:
            plan.fail_destroy(destroy.id, ForbiddenSet("the Inbox stays"))


def _check_emails(plan: SetPlan) -> None:
    if plan.arguments.get("onDestroyRemoveEmails"):
        return
    for destroy in list(plan.destroys.values()):
        if destroy.old.get("totalEmails"):
            plan.fail_destroy(destroy.id, MailboxHasEmail())


def _parent(text: str | None) -> int | None:
    return None if text is None else object_number("m", text)


def _moves(plan: SetPlan) -> Iterator[tuple[PlannedCreate | PlannedUpdate, int]]:
    """The mailboxes that get a parent in this call."""
    for create in plan.creates.values():
        yield create, create.id
    for update in plan.updates.values():
        if "parentId" in update.changed:
            yield update, update.id


def _final(plan: SetPlan, parents: dict[int, int | None]) -> dict[int, int | None]:
    """The parent of each mailbox in the final state."""
    final = {number: parent for number, parent in parents.items() if number not in plan.destroys}
    for item, number in _moves(plan):
        final[number] = _parent(
            item.record["parentId"] if isinstance(item, PlannedCreate) else item.new["parentId"]
        )
    return final


def _check_children(plan: SetPlan, parents: dict[int, int | None]) -> None:
    for parent in set(_final(plan, parents).values()):
        if parent is not None:
            # Does nothing for a mailbox that stays.
            plan.fail_destroy(parent, MailboxHasChild())


def _check_number(plan: SetPlan, parents: dict[int, int | None]) -> None:
    room = MAX_MAILBOXES - len(parents) + len(parents.keys() & plan.destroys.keys())
    for creation_id in list(plan.creates)[max(0, room) :]:
        plan.fail_create(creation_id, OverQuota(f"more than {MAX_MAILBOXES} mailboxes"))


def _check_depth(
    plan: SetPlan, parents: dict[int, int | None], moves: dict[int, PlannedCreate | PlannedUpdate]
) -> None:
    """No loop, and at most `MAX_MAILBOX_DEPTH` levels; of a chain too long the lowest link that is new gives way."""
    final = _final(plan, parents)
    for number in final:
        depth = 1
        lowest = moves.get(number)
        above = final[number]
        while above is not None and depth <= MAX_MAILBOX_DEPTH:
            depth += 1
            lowest = lowest or moves.get(above)
            above = final.get(above)
        if depth > MAX_MAILBOX_DEPTH and lowest is not None:
            plan.fail(lowest, InvalidProperties(["parentId"], "too deep, or a loop"))
