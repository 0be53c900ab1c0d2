"""`reingest`: rebuild what parsing derives, where a row is of an older format (`mail.fragments.FORMAT`).

That is how a corrected parser reaches old mail. No state changes and no id: Threads stay as they are, and only what a
message says of itself is written anew, together with the words it is found by, and the references by which later messages
find its Thread.
"""

from __future__ import annotations

from collections.abc import Callable

from jmapcore.store.database import Connection
from jmapcore.store.write import account_write
from mail import email_search
from mail.fragments import FORMAT
from mail.messages import stored_messages
from mail.verify import add_references, save_static

THREADS_NOW = "SELECT id, thread_id FROM email WHERE account_id = %s AND id = ANY(%s::int[])"


def reingest(
    account_id: int,
    connection: Connection,
    progress: Callable[[int], None] = lambda _: None,
    *,
    everything: bool = False,
) -> int:
    """Rebuild the rows of one account in batches; how many there were. Stopped halfway, it goes on the next time.

    With `everything` rows of the current format are rebuilt too (a setting has changed), and it always begins anew.

    Parsing happens outside of the account's lock. A message whose bytes are gone is left as it is (`verify_account`
    lists it). `progress` is told the size of each batch.
    """
    total = 0
    for batch in stored_messages(connection, account_id, *() if everything else (FORMAT,)):
        messages = {message.id: message for message in batch if message.prepared is not None}
        with account_write(account_id, connection) as write:
            kept = {row[0] for row in save_static(write, list(messages.values()))}
            searched = {
                email_id: prepared.search
                for email_id in sorted(kept)
                if (prepared := messages[email_id].prepared) is not None
            }
            rows, _ = write.run(
                (THREADS_NOW, (account_id, sorted(kept))),
                email_search.save(account_id, list(searched), list(searched.values())),
            )
            add_references(
                write,
                [
                    (name, thread_id)
                    for email_id, thread_id in rows
                    if (prepared := messages[email_id].prepared) is not None
                    for name in prepared.reference_hashes
                ],
            )
        total += len(kept)
        progress(len(batch))
    return total
