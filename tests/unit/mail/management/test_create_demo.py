"""The command create_demo: two users with mail, made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from accounts.models import Grant, User
from jmapcore.store.database import connection, read
from mail.demo.credentials import FILE_NAME, load_credentials

ALICE, BOB = "alice@demo.example", "bob@demo.example"


@pytest.fixture
def var_dir(database: None, tmp_path: Path) -> Iterator[Path]:
    """A VAR_DIR in which create_demo has run."""
    with override_settings(VAR_DIR=tmp_path):
        call_command("create_demo", verbosity=0)
        yield tmp_path


def emails(address: str) -> list[int]:
    account_id = User.objects.get(address=address).account.pk
    with connection() as borrowed:
        [rows] = read(
            borrowed, account_id, ("SELECT id FROM email WHERE account_id = %s ORDER BY id", (account_id,))
        )
    return [row[0] for row in rows]


def test_both_have_mail(var_dir: Path) -> None:
    assert (len(emails(ALICE)), len(emails(BOB))) == (24, 22)


def test_running_it_again_changes_nothing(var_dir: Path) -> None:
    before = ((var_dir / FILE_NAME).read_bytes(), emails(ALICE), emails(BOB))
    call_command("create_demo", verbosity=0)
    assert ((var_dir / FILE_NAME).read_bytes(), emails(ALICE), emails(BOB)) == before


def test_the_passwords_of_the_file_work(var_dir: Path) -> None:
    credentials = load_credentials(var_dir)
    assert credentials is not None
    assert [(user.address, user.name) for user in credentials.users] == [
        (ALICE, "Alice Brenner"),
        (BOB, "Bob Okafor"),
    ]
    assert all(
        User.objects.get(address=user.address).check_password(user.password) for user in credentials.users
    )


def test_a_lost_file_is_made_anew_with_passwords_that_work(var_dir: Path) -> None:
    before = (emails(ALICE), emails(BOB))
    (var_dir / FILE_NAME).unlink()
    call_command("create_demo", verbosity=0)
    test_the_passwords_of_the_file_work(var_dir)
    assert (emails(ALICE), emails(BOB)) == before


def test_bob_may_write_alices_account(var_dir: Path) -> None:
    grant = Grant.objects.get(account__name=ALICE)
    assert (grant.user.address, grant.is_read_only, grant.may_send_as) == (BOB, False, False)


def test_a_damaged_file_is_said_so(var_dir: Path) -> None:
    (var_dir / FILE_NAME).write_text("{")
    with pytest.raises(CommandError, match=r"is damaged; delete it to have new passwords made\.$"):
        call_command("create_demo", verbosity=0)
