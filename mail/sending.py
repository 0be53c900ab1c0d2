"""As whom an account may send: the addresses whose mail it takes, and no others."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.addresses import normalise_address, split_address
from jmapcore.store.database import Statement
from jmapcore.store.write import AccountWrite

# The order of `accounts.addresses.resolve`: a user or an alias, the user without `+detail`, the catch-all.
OWN_ADDRESSES = """
    SELECT n.address FROM unnest(%s::text[], %s::text[], %s::text[]) AS n (address, plain, domain)
    WHERE %s = coalesce(
        (SELECT a.id FROM accounts_account AS a WHERE a.name = n.address),
        (SELECT t.account_id FROM accounts_alias AS l JOIN accounts_aliastarget AS t ON t.alias_id = l.id
            WHERE l.address = n.address),
        (SELECT a.id FROM accounts_account AS a WHERE a.name = n.plain),
        (SELECT d.catch_all_id FROM accounts_domain AS d WHERE d.name = n.domain))"""

ANY = "*"
"""The local part of an identity that stands for every address of its domain that nobody else has (RFC 8621 §6)."""


def own_addresses_statement(account_id: int, addresses: Iterable[str]) -> Statement:
    """What reads which of these addresses, in their normal spelling, the account may send as; `*@domain` is one too."""
    named = list(dict.fromkeys(addresses))
    plain, domains = [], []
    for address in named:
        local_part, domain = split_address(address)
        base, plus, _ = local_part.partition("+")
        plain.append(f"{base}@{domain}" if plus else "")
        domains.append(domain)
    return OWN_ADDRESSES, (named, plain, domains, account_id)


def own_addresses(write: AccountWrite, addresses: Iterable[str]) -> frozenset[str]:
    """Those of these addresses, in their normal spelling, that the account may send as, under its lock."""
    statement = own_addresses_statement(write.account_id, addresses)
    return frozenset(row[0] for row in write.run(statement)[0]) if statement[1][0] else frozenset()


def covers(identity: str, address: str) -> bool:
    """Whether an identity with this e-mail address is for sending as an address (RFC 8621 §6); both in any spelling."""
    wanted = normalise_address(address)
    if wanted is None:
        return False
    local_part, domain = split_address(identity)
    return split_address(wanted)[1] == domain if local_part == ANY else wanted == normalise_address(identity)
