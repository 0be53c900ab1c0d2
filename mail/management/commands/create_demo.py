"""`create_demo`: a demo tenant with two users and sample mail. Running it again changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Tenant, User
from accounts.provisioning import (
    ProvisioningError,
    create_tenant,
    create_user,
    grant_access,
    set_password,
)
from mail.demo.credentials import (
    FILE_NAME,
    CredentialsError,
    DemoCredentials,
    DemoUser,
    load_credentials,
    new_credentials,
    save_credentials,
)
from mail.demo.sample import ALICE_NAME, BOB_NAME, sample_messages
from mail.importing.importer import Importer

TENANT = "Harbour & Pine (demo)"
DOMAIN = "demo.example"


class Command(BaseCommand):
    """Create the demo tenant, its users and their mail, as far as they are missing."""

    help = (
        "Create a demo tenant with the users Alice and Bob and sample mail. Their passwords are random and kept in"
        f" {FILE_NAME} below VAR_DIR. What exists already stays as it is."
    )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        """Create what is missing."""
        directory = Path(settings.VAR_DIR)
        try:
            credentials = _create(directory)
        except (ProvisioningError, CredentialsError) as error:
            raise CommandError(str(error)) from error
        if verbosity:
            addresses = " and ".join(user.address for user in credentials.users)
            self.stdout.write(f"Demo users: {addresses}. Their passwords are in {directory / FILE_NAME}.")


def _create(directory: Path) -> DemoCredentials:
    """Create the tenant, the users and their mail, as far as they are missing."""
    credentials = load_credentials(directory)
    # Where the file was lost the passwords are too: the users get those of the new file.
    is_new_file = credentials is None
    if credentials is None:
        credentials = new_credentials({f"alice@{DOMAIN}": ALICE_NAME, f"bob@{DOMAIN}": BOB_NAME})
        # With users and mail in place before the file was lost, there is nothing to add.
        credentials.has_mail = User.objects.filter(tenant__is_demo=True, domain__name=DOMAIN).exists()
        save_credentials(directory, credentials)
    if not Tenant.objects.filter(is_demo=True, domains__name=DOMAIN).exists():
        create_tenant(TENANT, domain=DOMAIN, is_demo=True)
        credentials.written, credentials.has_mail = datetime.now(UTC).replace(microsecond=0), False
    users = [_user(demo_user, is_new_file) for demo_user in credentials.users]
    if not credentials.has_mail:
        save_credentials(directory, credentials)
        _add_mail(users, credentials)
    return credentials


def _user(demo_user: DemoUser, replace_password: bool) -> User:
    user = User.objects.filter(address=demo_user.address).first()
    if user is None:
        return create_user(demo_user.address, name=demo_user.name, password=demo_user.password)
    if replace_password:
        set_password(user, demo_user.password)
    return user


def _add_mail(users: list[User], credentials: DemoCredentials) -> None:
    """Import the sample mail, and let Bob read and write Alice's account.

    The date in the file makes the same bytes at each attempt, so that one that was broken off is completed.
    """
    alice, bob = users
    grant_access(alice.account, bob)
    mail = sample_messages(alice.address, bob.address, credentials.written)
    for user in users:
        Importer(user.account.pk, user.pk).run(mail[user.address], lambda: None)
    credentials.has_mail = True
    save_credentials(Path(settings.VAR_DIR), credentials)
