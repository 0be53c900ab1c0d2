"""Notifications queued, and their Emails marked, in one write (RFC 9007 §2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jmapcore.blobs import storage
from jmapcore.protocol.errors import NotFound, OverQuota, RateLimit, SetError
from jmapcore.store.write import AccountWrite, account_write
from mail.membership import EmailChange, LoadedThreads, change_emails, loaded_threads, threads_statements
from mail.outbound.rates import allow
from mail.sending import own_addresses
from mail.submissions import submit_hidden
from mail.types.capability import MAX_KEYWORDS_PER_EMAIL
from mail.types.errors import ForbiddenFrom, MdnAlreadySent, TooManyKeywords
from mail.types.mdn_prepare import KEYWORD, Ready

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext


def send_all(
    context: RequestContext,
    access: AccountAccess,
    ready: Mapping[str, Ready],
    refused: dict[str, SetError],
) -> tuple[str, str]:
    """Queue what may be sent as the account is now, and refuse the rest; the states of Email before and after."""
    if not ready:
        return "", ""
    account_id = access.account_id
    prelude = threads_statements(account_id, sorted({each.email_id for each in ready.values()}))
    with account_write(account_id, context.connection, prelude) as write:
        loaded = loaded_threads(write.prelude)
        own = own_addresses(write, [address for each in ready.values() for address in each.own])
        _judge(write, ready, loaded, own, refused)
        _limit(write, access, ready, refused)
        _send(write, access, {key: each for key, each in ready.items() if key not in refused}, loaded)
    return write.mark("Email").state, write.new_mark("Email").state


def _judge(
    write: AccountWrite,
    ready: Mapping[str, Ready],
    loaded: LoadedThreads,
    own: frozenset[str],
    refused: dict[str, SetError],
) -> None:
    marked: set[int] = set()
    for key, each in ready.items():
        email = loaded.emails.get(each.email_id)
        if email is None:
            refused[key] = NotFound()
        elif KEYWORD in email.keywords or each.email_id in marked:
            refused[key] = MdnAlreadySent()
        elif not own.issuperset(each.own):
            refused[key] = ForbiddenFrom()
        elif len(email.keywords) >= MAX_KEYWORDS_PER_EMAIL:
            # It "does not result in setting the keyword".
            refused[key] = TooManyKeywords()
        else:
            marked.add(each.email_id)


def _limit(
    write: AccountWrite, access: AccountAccess, ready: Mapping[str, Ready], refused: dict[str, SetError]
) -> None:
    """What would be too much, for the account or for an hour, after everything else."""
    sizes = {key: each.content.size for key, each in ready.items() if key not in refused}
    refused |= {key: OverQuota() for key in write.usage.beyond(sizes)}
    keys = [key for key in sizes if key not in refused]
    allowed = allow(write, access.user_id, [len(ready[key].recipients) for key in keys])
    refused |= {key: RateLimit() for key, fits in zip(keys, allowed, strict=True) if not fits}


def _send(
    write: AccountWrite, access: AccountAccess, ready: Mapping[str, Ready], loaded: LoadedThreads
) -> None:
    if not ready:
        return
    change_emails(
        write,
        [
            EmailChange(each.email_id, keywords=loaded.emails[each.email_id].keywords | {KEYWORD})
            for each in ready.values()
        ],
        loaded,
    )
    now = datetime.now(UTC)
    blob_ids = storage.put_small(write, [each.content for each in ready.values()])
    for each, blob_id in zip(ready.values(), blob_ids, strict=True):
        submit_hidden(write, user_id=access.user_id, blob_id=blob_id, envelope=_envelope(each), send_at=now)


def _envelope(ready: Ready) -> dict[str, Any]:
    """ "The envelope sender address … of the MDN MUST be null (<>)" (RFC 8098 §3)."""
    return {
        "mailFrom": {"email": "", "parameters": None},
        "rcptTo": [{"email": each, "parameters": None} for each in ready.recipients],
    }
