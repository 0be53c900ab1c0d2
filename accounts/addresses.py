"""E-mail addresses: one normal spelling for each, and whose account they mean."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import idna

if TYPE_CHECKING:
    from accounts.models import Account

MAXIMUM_LOCAL_PART_OCTETS = 64
MAXIMUM_DOMAIN_LENGTH = 253
# Characters beyond which no local part becomes short enough in NFC: finding that out would take quadratic time.
_LONGEST_SPELLING = 4 * MAXIMUM_LOCAL_PART_OCTETS

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# RFC 5322 §3.2.3 dot-atom, with the non-ASCII letters of RFC 6531 §3.3.
_DOT_ATOM = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+)*"
)


@lru_cache(maxsize=1_000)
def _normal_domain(name: str) -> str | None:
    if not name.isascii() or "xn--" in name.lower():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    name = name.lower()
    if len(name) > MAXIMUM_DOMAIN_LENGTH or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return name


def normalise_domain(name: str) -> str | None:
    """A domain as lower-case A-labels without the root's dot, or None for what is no domain name.

    >>> normalise_domain("Bücher.Example")
    'xn--bcher-kva.example'
    """
    name = name.strip().removesuffix(".")
    if not name or len(name) > MAXIMUM_DOMAIN_LENGTH:
        return None
    return _normal_domain(name)


def normalise_local_part(local_part: str) -> str | None:
    """A local part in lower case and NFC, without needless quotes; None for what needs quotes or is too long.

    RFC 5321 §2.4 lets the receiving host decide about case, and here it never matters.
    """
    if len(local_part) > _LONGEST_SPELLING:
        return None
    if len(local_part) > 2 and local_part.startswith('"') and local_part.endswith('"'):
        local_part = local_part[1:-1]
    local_part = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local_part).lower())
    if not _DOT_ATOM.fullmatch(local_part) or not all(
        character.isascii() or unicodedata.category(character)[0] in "LMN" for character in local_part
    ):
        return None
    return local_part if len(local_part.encode()) <= MAXIMUM_LOCAL_PART_OCTETS else None


def normalise_address(address: str) -> str | None:
    """The one spelling under which an address is stored and looked up, or None for what is no address."""
    local_part, at, domain = address.strip().rpartition("@")
    normal_local_part = normalise_local_part(local_part) if at else None
    normal_domain = normalise_domain(domain) if normal_local_part else None
    if normal_local_part is None or normal_domain is None:
        return None
    return f"{normal_local_part}@{normal_domain}"


def split_address(address: str) -> tuple[str, str]:
    """Local part and domain of a normalised address."""
    local_part, _, domain = address.rpartition("@")
    return local_part, domain


def resolve(address: str) -> Account | None:
    """The account that mail to an address belongs in, or None where nobody takes it.

    Asked in this order: a user's address or an alias, either without `+detail`, the domain's catch-all.
    Those of suspended users are theirs yet; those of users that are no longer active are nobody's.
    """
    from accounts.models import Account

    normal = normalise_address(address)
    if normal is None:
        return None
    local_part, domain = split_address(normal)
    accounts = Account.objects.filter(owner__is_active=True)
    account = (
        accounts.filter(name=normal).first() or accounts.filter(alias_targets__alias__address=normal).first()
    )
    if account is None and "+" in local_part:
        plain = f"{local_part.partition('+')[0]}@{domain}"
        account = (
            accounts.filter(name=plain).first()
            or accounts.filter(alias_targets__alias__address=plain).first()
        )
    if account is None:
        account = accounts.filter(catch_all_domains__name=domain).first()
    return account
