"""What a workload needs to know of the service and of the account that was seeded."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from bench.exchange import API, KeptConnection


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a server takes its requests: paths, two of them templates (RFC 8620 §2: `uploadUrl`, `downloadUrl`)."""

    session: str = "/jmap/session"
    api: str = API
    upload: str = "/jmap/upload/{accountId}/"
    download: str = "/jmap/download/{accountId}/{blobId}/{name}?type={type}"

    def upload_to(self, account_id: str) -> str:
        """The path of an upload."""
        return _expanded(self.upload, accountId=account_id)

    def download_of(self, account_id: str, blob_id: str, name: str, media_type: str) -> str:
        """The path of a download."""
        return _expanded(self.download, accountId=account_id, blobId=blob_id, name=name, type=media_type)


def _expanded(template: str, **values: str) -> str:
    """A URI template of level 1 (RFC 6570 §3.2.2) with its variables filled in."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


OURS = Addresses()


@dataclass(frozen=True, slots=True)
class SampleEmail:
    """One Email of the account: wire ids, and whether it is `$seen` as the run begins."""

    id: str
    blob_id: str
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Target:
    """Where the service listens, who asks, and what there is to ask for.

    `mailboxes` are wire ids by role, `emails` a random sample, the same for the same seed. `slow_users` are further
    people, (account wire id, Authorization header) each: one user may not have many uploads under way.
    """

    host: str
    port: int
    authorization: str
    account_id: str
    mailboxes: dict[str, str]
    emails: tuple[SampleEmail, ...]
    correspondent: str
    slow_users: tuple[tuple[str, str], ...]
    addresses: Addresses = OURS


def connect(target: Target) -> KeptConnection:
    """A connection that speaks for the target's person. Raises `OSError`."""
    return KeptConnection(target.host, target.port, target.authorization, target.addresses.api)
