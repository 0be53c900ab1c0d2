"""Identities (RFC 8621 §6) that come and go with the addresses of an account."""

from __future__ import annotations

from jmapcore.store.database import Row, Statement
from jmapcore.store.write import AccountWrite
from mail.sending import own_addresses

# The owner's address, the aliases, the catch-alls: what an account is given an identity for, and the name it begins with.
ENTITLED = """
    SELECT e.email, e.name FROM (
        SELECT 1 AS place, a.name AS email, u.name
        FROM accounts_account AS a JOIN accounts_user AS u ON u.id = a.owner_id WHERE a.id = %s
        UNION ALL
        SELECT 2, l.address, u.name
        FROM accounts_aliastarget AS t JOIN accounts_alias AS l ON l.id = t.alias_id
        JOIN accounts_account AS a ON a.id = t.account_id JOIN accounts_user AS u ON u.id = a.owner_id
        WHERE t.account_id = %s
        UNION ALL
        SELECT 3, '*@' || d.name, u.name
        FROM accounts_domain AS d JOIN accounts_account AS a ON a.id = d.catch_all_id
        JOIN accounts_user AS u ON u.id = a.owner_id WHERE d.catch_all_id = %s
    ) AS e ORDER BY e.place, e.email"""
STORED = "SELECT id, email, may_delete FROM identity WHERE account_id = %s ORDER BY id"
GIVE = """
    INSERT INTO identity (account_id, id, name, email, text_signature, html_signature, may_delete)
    SELECT %s, n.id, n.name, n.email, '', '', false FROM unnest(%s::int[], %s::text[], %s::text[]) AS n (id, name, email)"""
DROP = "DELETE FROM identity WHERE account_id = %s AND id = ANY(%s::int[])"
RENAME = """
    UPDATE identity SET name = %s WHERE account_id = %s AND NOT may_delete AND name = %s RETURNING id"""


def entitled_statement(account_id: int) -> Statement:
    """What reads the addresses that an account is given identities for, in order, each with the owner's name."""
    return ENTITLED, (account_id, account_id, account_id)


def settle_identities(write: AccountWrite) -> None:
    """Give the account an identity for each of its addresses, and take those of addresses that it has no more.

    What users have added for an address goes with the address.
    """
    entitled, stored = write.run(entitled_statement(write.account_id), (STORED, (write.account_id,)))
    added = {email for _, email, may_delete in stored if may_delete}
    own = own_addresses(write, added) if added else frozenset[str]()
    wanted: dict[str, str] = dict(entitled)
    gone = superfluous(wanted, stored) + [
        number for number, email, mine in stored if mine and email not in own
    ]
    given = {email for _, email, may_delete in stored if not may_delete}
    missing = {email: name for email, name in wanted.items() if email not in given}
    if gone:
        write.defer((DROP, (write.account_id, gone)))
        for number in gone:
            write.destroyed("Identity", number)
    if missing:
        ids = list(write.new_ids(len(missing)))
        write.defer((GIVE, (write.account_id, ids, list(missing.values()), list(missing))))
        for number in ids:
            write.created("Identity", number)


def superfluous(wanted: dict[str, str], stored: list[Row]) -> list[int]:
    """Given identities of addresses that the account has no more, and second ones of those that it has."""
    seen: set[str] = set()
    found = []
    for number, email, may_delete in stored:
        if may_delete:
            continue
        if email not in wanted or email in seen:
            found.append(number)
        seen.add(email)
    return found


def rename_identities(write: AccountWrite, name: str, former: str) -> None:
    """Give the owner's new name to the given identities that still have the former one."""
    for (number,) in write.run((RENAME, (name, write.account_id, former)))[0]:
        write.updated("Identity", number)
