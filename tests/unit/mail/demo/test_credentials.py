"""The file with the passwords of the demo users."""

import stat
from pathlib import Path

import pytest

from mail.demo.credentials import (
    FILE_NAME,
    CredentialsError,
    load_credentials,
    new_credentials,
    save_credentials,
)

PEOPLE = {"alice@demo.example": "Alice", "bob@demo.example": "Bob"}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    credentials = new_credentials(PEOPLE)
    save_credentials(tmp_path / "var", credentials)
    assert load_credentials(tmp_path / "var") == credentials


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    save_credentials(tmp_path, new_credentials(PEOPLE))
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_every_password_is_another(tmp_path: Path) -> None:
    passwords = {user.password for _ in range(5) for user in new_credentials(PEOPLE).users}
    assert len(passwords) == 10


def test_no_file_is_nothing(tmp_path: Path) -> None:
    assert load_credentials(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"users": [{}]}', '{"users": 1}'])
def test_a_damaged_file_is_said_so(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(CredentialsError) as raised:
        load_credentials(tmp_path)
    assert str(raised.value) == (f"{tmp_path / FILE_NAME} is damaged; delete it to have new passwords made.")
