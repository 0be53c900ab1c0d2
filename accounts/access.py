"""What a caller may do: the answer of authentication, as plain values. Pure Python, imported everywhere."""

from __future__ import annotations

from dataclasses import dataclass

MAIL_SCOPE = "urn:ietf:params:oauth:scope:mail"
CONTACTS_SCOPE = "urn:ietf:params:oauth:scope:contacts"
CALENDARS_SCOPE = "urn:ietf:params:oauth:scope:calendars"
OFFLINE_SCOPE = "offline_access"

SCOPES: dict[str, str] = {
    MAIL_SCOPE: "Read, write and send your mail",
    CONTACTS_SCOPE: "Read and change your contacts",
    CALENDARS_SCOPE: "Read and change your calendars",
    OFFLINE_SCOPE: "Stay signed in while you are away",
}
"""Every scope this server grants, with the sentence that the consent page shows for it."""

ALL_SCOPES: frozenset[str] = frozenset(SCOPES)
"""What Basic credentials carry: they are the user's own and stand for everything."""


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """What a caller may do with one account (RFC 8620 §1.6.2, §2).

    `name` is the address of the account's owner, `user_id` the caller (not the owner). `may_send` opens
    submission and the vacation response: the caller's own account, or a grant that says so.
    `search_languages` are those of its mail, with spaces between them; empty for the server's.
    """

    account_id: int
    user_id: int
    name: str
    is_personal: bool
    is_read_only: bool
    may_send: bool
    search_languages: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and the accounts open to them, the personal one first.

    `credential` names the credential for as long as it lives ("token:12", "password:3", "user:7"); it says
    nothing secret and may be stored. `scopes` are full scope names.
    """

    user_id: int
    tenant_id: int
    username: str
    credential: str
    scopes: frozenset[str]
    accounts: tuple[AccountAccess, ...]
