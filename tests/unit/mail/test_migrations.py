"""What a migration does to the accounts that are there already."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings

from accounts import provisioning
from jmapsite.owner_databases import connect
from mail.submissions import is_token
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


def test_submissions_that_were_there_get_tokens_and_a_time_to_give_up(cast: Cast) -> None:
    account = cast.alice.account.pk
    migration = import_module("mail.migrations.0005_outbound")
    add = (
        "INSERT INTO email_submission (account_id, id, identity_id, email_id, thread_id, envelope, send_at, undo_status,"
        " delivery_status, dsn_blob_ids, mdn_blob_ids, user_id, is_destroyed, envelope_id)"
        " SELECT %s, n, 0, 0, 0, '{}', '2026-03-01 12:00Z', 'pending', '{}', '[]', '[]', 0, false, ''"
        " FROM generate_series(1, 2) AS n"
    )
    with connect(settings.DATABASES["owner"]["NAME"]) as owner:
        owner.execute("BEGIN")
        owner.execute(add, (account,))
        owner.execute(
            "INSERT INTO submission_queue (account_id, id, due_at) VALUES (%s, 1, now())", (account,)
        )
        owner.execute(migration.TOKENS)
        tokens = owner.execute(
            "SELECT envelope_id FROM email_submission WHERE account_id = %s", (account,)
        ).fetchall()
        given_up = owner.execute(
            "SELECT give_up_at::text FROM submission_queue WHERE account_id = %s", (account,)
        ).fetchall()
        owner.execute("ROLLBACK")
    assert len({token for (token,) in tokens if is_token(token)}) == 2
    assert given_up == [("2026-03-06 12:00:00+00",)]
