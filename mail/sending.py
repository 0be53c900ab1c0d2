"""Addresses that mail is sent from and to: those whose mail an account takes are those that it may send as."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from accounts.addresses import (
    MAXIMUM_LOCAL_PART_OCTETS,
    normalise_address,
    normalise_domain,
    split_address,
)
from jmapcore.store.database import Statement
from jmapcore.store.write import AccountWrite

# The order of `accounts.addresses.resolve`: a user or an alias, either without `+detail`, the catch-all.
OWN_ADDRESSES = """
    SELECT n.address FROM unnest(%s::text[], %s::text[], %s::text[]) AS n (address, plain, domain)
    WHERE %s = coalesce(
        (SELECT a.id FROM accounts_account AS a WHERE a.name = n.address),
        (SELECT t.account_id FROM accounts_alias AS l JOIN accounts_aliastarget AS t ON t.alias_id = l.id
            WHERE l.address = n.address),
        (SELECT a.id FROM accounts_account AS a WHERE a.name = n.plain),
        (SELECT t.account_id FROM accounts_alias AS l JOIN accounts_aliastarget AS t ON t.alias_id = l.id
            WHERE l.address = n.plain),
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


_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"')
_DOT_STRING = re.compile(r"""[^\x00-\x20\x7f()<>\[\]:;@\\,".]+(?:\.[^\x00-\x20\x7f()<>\[\]:;@\\,".]+)*""")


def is_mailbox(text: str) -> bool:
    """Whether a text is a Mailbox as SMTP has it (RFC 5321 §4.1.2, RFC 6531 §3.3), to be written into a command as it is.

    Address literals are none: mail is for domains, and an IP address could be any host of the network that the relay is in.
    """
    local_part, at, domain = text.rpartition("@")
    if not at or len(local_part) > MAXIMUM_LOCAL_PART_OCTETS or len(text) > 320:
        return False
    if not (_QUOTED.fullmatch(local_part) or _DOT_STRING.fullmatch(local_part)):
        return False
    if not (text.isascii() and text.isprintable()) and any(
        unicodedata.category(character)[0] in "CZ" for character in text if not " " <= character <= "~"
    ):
        return False
    if len(local_part.encode()) > MAXIMUM_LOCAL_PART_OCTETS or domain != domain.strip(" ."):
        return False
    return normalise_domain(domain) is not None
