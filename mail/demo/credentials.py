"""The passwords of the demo users: random, made once, in a file that its owner alone may read."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE_NAME = "demo-credentials.json"


class CredentialsError(Exception):
    """The file cannot be read or written; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A demo user, who can log in with this password."""

    address: str
    password: str
    name: str


@dataclass(slots=True)
class DemoCredentials:
    """What the file says. `written` dates the sample mail, `has_mail` says that all of it was imported."""

    users: list[DemoUser]
    written: datetime
    has_mail: bool = False


def new_credentials(people: dict[str, str]) -> DemoCredentials:
    """Make passwords for people given as address → name."""
    users = [DemoUser(address, secrets.token_urlsafe(12), name) for address, name in people.items()]
    return DemoCredentials(users, datetime.now(UTC).replace(microsecond=0))


def load_credentials(directory: Path) -> DemoCredentials | None:
    """Read the file in `directory` (VAR_DIR), None where there is none. Raises `CredentialsError`."""
    path = directory / FILE_NAME
    try:
        content = json.loads(path.read_text())
        return DemoCredentials(
            [DemoUser(user["address"], user["password"], user["name"]) for user in content["users"]],
            datetime.fromisoformat(content["written"]),
            bool(content["has_mail"]),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CredentialsError(f"{path} is damaged; delete it to have new passwords made.") from error


def save_credentials(directory: Path, credentials: DemoCredentials) -> None:
    """Write the file with mode 0600, whole or not at all. Raises `CredentialsError`."""
    path = directory / FILE_NAME
    content = {
        "users": [asdict(user) for user in credentials.users],
        "written": credentials.written.isoformat(),
        "has_mail": credentials.has_mail,
    }
    part = path.with_name(f"{FILE_NAME}.{secrets.token_hex(4)}.part")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise CredentialsError(f"{path} cannot be written: {error.strerror}.") from error
