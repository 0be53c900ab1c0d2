"""An account of a chosen size: people, 18 mailboxes, distinct mail through the real ingest, clones for the rest."""

from __future__ import annotations

import random
from datetime import timedelta

from django.core.management import call_command
from django.db import transaction
from tqdm import tqdm

from accounts.access import ALL_SCOPES
from accounts.credentials import create_access_token
from accounts.models import User
from accounts.provisioning import create_tenant, create_user, find_user
from accounts.quota_sizes import MOST
from accounts.quotas import MESSAGES, OCTETS, Limits, set_limits
from bench import databases
from bench.cloning import clone_account
from bench.letters import MAILBOXES, OWNER, Correspondence, Letter
from bench.target import SampleEmail, Target
from jmapcore.store import database
from jmapcore.store.database import read
from jmapcore.store.write import account_write
from jmapsite.owner_databases import close_connections, point_to
from mail.ingest import NewEmail, add_messages, prepare
from mail.mailboxes import MailboxRow, create_mailboxes

DISTINCT = 2000
"""How many messages are composed and parsed; a larger account repeats them."""

BATCH = 100
DOMAIN = "bench.example"
SLOW_USERS = 8
SAMPLE = 2000
SAMPLED = """
    SELECT e.id, s.blob_id, '$seen' = ANY (e.keywords)
    FROM email AS e JOIN email_static AS s ON s.account_id = %s AND s.id = e.id
    WHERE e.account_id = %s AND e.id = ANY(%s::int[]) ORDER BY e.id"""


def seeded_database(messages: int, seed: int) -> tuple[str, bool]:
    """The name of a database with an account of so many messages, and whether it had to be made."""
    name = databases.seed_name(messages, seed)
    if databases.exists(name):
        return name, False
    databases.drop_stale(messages, seed)
    part = f"{name}_part"
    databases.create(part)
    point_to(part)
    call_command("migrate", database="owner", verbosity=0)
    seed_account(messages, seed)
    databases.analyse()
    close_connections()
    databases.rename(part, name)
    return name, True


def seed_account(messages: int, seed: int, domain: str = DOMAIN, distinct: int = DISTINCT) -> User:
    """Make the people and the mail; the account gets as many messages as fill whole clones, `messages` at most."""
    copies = -(-messages // distinct)
    with transaction.atomic():
        create_tenant(f"Bench {domain}", domain=domain)
        owner = create_user(f"{OWNER[1].partition('@')[0]}@{domain}", name=OWNER[0])
        for number in range(SLOW_USERS):
            create_user(f"slow{number}@{domain}", name=f"Slow {number}")
        for resource in (OCTETS, MESSAGES):  # as high as it needs to be, and counted like any other
            set_limits(owner.account, resource, Limits(MOST))
    account_id = owner.account.pk
    mailboxes = _mailboxes(account_id, owner.pk)
    letters = Correspondence(seed).letters(messages // copies)
    with tqdm(total=messages, desc="seeding", unit=" messages", disable=None) as progress:
        for start in range(0, len(letters), BATCH):
            _ingest(account_id, mailboxes, letters[start : start + BATCH])
            progress.update(len(letters[start : start + BATCH]))
        if copies > 1:
            clone_account(account_id, copies - 1, progress.update)
    return owner


def _mailboxes(account_id: int, owner_id: int) -> dict[tuple[str, ...], int]:
    """Every mailbox by its path, those that the account does not have yet created."""
    with database.connection() as connection:
        [rows] = read(
            connection, account_id, ("SELECT name, id FROM mailbox WHERE account_id = %s", (account_id,))
        )
        found: dict[tuple[str, ...], int] = {(name,): mailbox_id for name, mailbox_id in rows}
        with account_write(account_id, connection) as write:
            new: dict[int, MailboxRow] = {}
            for place, path in enumerate(MAILBOXES):
                found[path] = write.new_ids()[0]
                new[found[path]] = MailboxRow(path[-1], found.get(path[:-1]), sort_order=100 + place)
            create_mailboxes(write, new, subscriber=owner_id)
    return found


def _ingest(account_id: int, mailboxes: dict[tuple[str, ...], int], letters: list[Letter]) -> None:
    emails = [
        NewEmail(
            prepare(letter.raw),
            [mailboxes[path] for path in letter.mailboxes],
            letter.keywords,
            letter.received_at,
        )
        for letter in letters
    ]
    with database.connection() as connection, account_write(account_id, connection) as write:
        add_messages(write, emails)


def target_of(host: str, port: int, seed: int, domain: str = DOMAIN) -> Target:
    """What the workloads need to know of the seeded account, with access tokens made for this run."""
    owner = find_user(f"{OWNER[1].partition('@')[0]}@{domain}")
    slow = [find_user(f"slow{number}@{domain}") for number in range(SLOW_USERS)]
    account_id = owner.account.pk
    with database.connection() as connection:
        roles, ids = read(
            connection,
            account_id,
            ("SELECT role, id FROM mailbox WHERE account_id = %s AND role IS NOT NULL", (account_id,)),
            ("SELECT id FROM email WHERE account_id = %s ORDER BY id", (account_id,)),
        )
        chosen = random.Random(seed).sample([row[0] for row in ids], min(SAMPLE, len(ids)))
        [rows] = read(connection, account_id, (SAMPLED, (account_id, account_id, chosen)))
    return Target(
        host,
        port,
        _bearer(owner),
        f"a{account_id}",
        {role: f"m{mailbox_id}" for role, mailbox_id in roles},
        tuple(SampleEmail(f"e{row[0]}", f"b{row[1]}", row[2]) for row in rows),
        Correspondence(seed).frequent_correspondent,
        tuple((f"a{user.account.pk}", _bearer(user)) for user in slow),
    )


def _bearer(user: User) -> str:
    _, token = create_access_token(user, scopes=sorted(ALL_SCOPES), lifetime=timedelta(days=2))
    return f"Bearer {token}"
