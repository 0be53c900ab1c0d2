"""Whose account mail to an address belongs in: domains, aliases, `+detail`, catch-all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from accounts.addresses import normalise_address, normalise_domain, split_address
from jmapcore.blobs.backends import Borrow
from jmapcore.store import database
from jmapcore.store.database import Row, execute
from mail.delivery.outcome import SUSPENDED, UNKNOWN, Reply

# The order of `accounts.addresses.resolve`. An account whose owner is gone for good is as if it were not there.
FIND = """
    SELECT n.place, a.id, a.owner_id, u.is_suspended OR t.is_suspended, f.rank, a.search_languages
    FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[]) AS n (place, address, plain, domain)
    JOIN LATERAL (
        SELECT x.id, 1 AS rank FROM accounts_account AS x WHERE x.name = n.address
        UNION ALL
        SELECT g.account_id, 2 FROM accounts_alias AS l JOIN accounts_aliastarget AS g ON g.alias_id = l.id
            WHERE l.address = n.address
        UNION ALL
        SELECT y.id, 3 FROM accounts_account AS y WHERE y.name = n.plain
        UNION ALL
        SELECT h.account_id, 3 FROM accounts_alias AS m JOIN accounts_aliastarget AS h ON h.alias_id = m.id
            WHERE m.address = n.plain
        UNION ALL
        SELECT d.catch_all_id, 4 FROM accounts_domain AS d WHERE d.name = n.domain
    ) AS f ON true
    JOIN accounts_account AS a ON a.id = f.id
    JOIN accounts_user AS u ON u.id = a.owner_id AND u.is_active
    JOIN accounts_tenant AS t ON t.id = a.tenant_id
    ORDER BY n.place, f.rank"""
_WITHOUT_DETAIL = 3
DOMAIN = "SELECT 1 FROM accounts_domain WHERE name = %s"
POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address that leads to an account."""

    address: str
    """In its normal spelling."""
    account_id: int
    owner_id: int
    detail: str = ""
    """What follows the `+`, where the account was found without it."""
    search_languages: str = ""
    """Of the account's searches; empty for the server's."""


def resolve_recipients(
    addresses: Sequence[str], borrow: Borrow = database.connection
) -> list[Recipient | Reply]:
    """For each address, in order, the account that takes its mail, or why nobody does (`UNKNOWN`, `SUSPENDED`).

    One round trip. Raises `psycopg.Error` and `psycopg_pool.PoolTimeout` where the database is away.
    """
    return _with_postmaster(addresses, _found(addresses, borrow), borrow)


def _found(addresses: Sequence[str], borrow: Borrow) -> list[Recipient | Reply]:
    normal = [normalise_address(address) for address in addresses]
    places, plain, domains = [], [], []
    for place, address in enumerate(normal):
        if address is not None:
            local_part, domain = split_address(address)
            base, plus, _ = local_part.partition("+")
            places.append(place)
            plain.append(f"{base}@{domain}" if plus and base else "")
            domains.append(domain)
    if not places:
        return [UNKNOWN] * len(normal)
    named = [address for address in normal if address is not None]
    with borrow() as connection:
        rows = execute(connection, FIND, (places, named, plain, domains)).fetchall()
    best: dict[int, Row] = {}
    for row in rows:
        best.setdefault(row[0], row)
    return [_recipient(address, best.get(place)) for place, address in enumerate(normal)]


def _with_postmaster(
    addresses: Sequence[str], found: list[Recipient | Reply], borrow: Borrow
) -> list[Recipient | Reply]:
    """Let somebody have `postmaster`, with any domain of ours or without one, where nobody has it (RFC 5321 §4.5.1)."""
    for place, address in enumerate(addresses):
        local_part, _, domain = address.partition("@")
        if found[place] is UNKNOWN and local_part.lower() == POSTMASTER and settings.MAIL_POSTMASTER:
            [taker] = _found([settings.MAIL_POSTMASTER], borrow)
            if isinstance(taker, Recipient) and (not domain or _is_ours(domain, borrow)):
                found[place] = replace(taker, address=normalise_address(address) or taker.address, detail="")
    return found


def _is_ours(domain: str, borrow: Borrow) -> bool:
    with borrow() as connection:
        return bool(execute(connection, DOMAIN, (normalise_domain(domain) or "",)).fetchone())


def _recipient(address: str | None, row: Row | None) -> Recipient | Reply:
    if address is None or row is None:
        return UNKNOWN
    _, account_id, owner_id, is_suspended, rank, languages = row
    if is_suspended:
        return SUSPENDED
    detail = split_address(address)[0].partition("+")[2] if rank == _WITHOUT_DETAIL else ""
    return Recipient(address, account_id, owner_id, detail, languages)
