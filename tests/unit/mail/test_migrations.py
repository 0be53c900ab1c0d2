"""What a migration does to the accounts that are there already."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings

from accounts import provisioning
from jmapsite.owner_databases import connect
from tests.support.cast import Cast
from tests.support.mail_store import MailStore, message

IDENTITIES = "SELECT id, name, email, may_delete FROM identity WHERE account_id = %s ORDER BY id"
NEXT_ID = "SELECT next_id FROM account_state WHERE account_id = %s"
VACATION = "SELECT account_id, id, is_enabled FROM vacation_response WHERE account_id = %s"


def test_accounts_that_were_there_get_their_identities_and_their_vacation_response(cast: Cast) -> None:
    alice, domain = cast.alice, cast.north_domain
    for name in ("sales", "info"):
        provisioning.add_alias(f"{name}@{domain.name}", alice.account)
    provisioning.set_catch_all(domain, alice.account)
    migration = import_module("mail.migrations.0003_identity_submission_vacation")
    account = (alice.account.pk,)
    with connect(settings.DATABASES["owner"]["NAME"]) as owner:
        owner.execute("BEGIN")
        owner.execute("DELETE FROM identity")
        owner.execute("DELETE FROM vacation_response")
        [first] = owner.execute(NEXT_ID, account).fetchall()[0]
        owner.execute(migration.EXISTING)
        given = owner.execute(IDENTITIES, account).fetchall()
        after = owner.execute(NEXT_ID, account).fetchall()
        vacation = owner.execute(VACATION, account).fetchall()
        owner.execute("ROLLBACK")
    emails = [alice.address, f"info@{domain.name}", f"sales@{domain.name}", f"*@{domain.name}"]
    assert given == [(first + place, "Alice", email, False) for place, email in enumerate(emails)]
    assert (after, vacation) == ([(first + 4,)], [(alice.account.pk, 0, False)])


def test_what_accounts_hold_already_is_counted(store: MailStore) -> None:
    sizes = [store.add(message(name)).size for name in ("a", "b")]
    migration = import_module("mail.migrations.0007_usage")
    account = (store.account_id,)
    with connect(settings.DATABASES["owner"]["NAME"]) as owner:
        owner.execute("BEGIN")
        owner.execute("UPDATE account_state SET used_octets = 0, used_objects = 0")
        owner.execute(migration.COUNT)
        counted = owner.execute(
            "SELECT used_octets, used_objects FROM account_state WHERE account_id = %s", account
        ).fetchall()
        owner.execute("ROLLBACK")
    assert counted == [(sum(sizes), 2)]
