"""Row-level security: what the database itself refuses, whatever our code does."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection as orm_connection

from jmapcore.store.database import Statement, connection, connection_string, read
from jmapcore.store.tracked import TrackedModel
from jmapcore.store.write import account_write
from tests.support.cast import Cast

WITHOUT_POLICY = {
    "account_held": "written across accounts, and holds no content",
    "accounts_aliastarget": "where an address leads; asked before an account is known",
    "accounts_grant": "who may see what; asked before an account is known",
    "accounts_quotalimit": "what operators allow; asked for domains and tenants too",
    "blob_sweep": "crosses accounts, and holds no content",
    "submission_queue": "crosses accounts, and holds no content",
}
"""Tables with a column account_id that are under no policy, and why."""

READABLE = {"email_search"}
"""Tables that any account may read: the lexemes carry the account, and an index of them works under no policy."""

READ = "SELECT set_config('jmap.account', %s, true)"
WRITE = "SELECT set_config('jmap.account', %s, true), set_config('jmap.writing', %s, true)"


def tables(*, secured: bool) -> list[str]:
    """The tables with a column account_id whose row-level security is on, or off."""
    with connection() as lent:
        rows = lent.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relrowsecurity = %s"
            " ORDER BY c.relname",
            (secured,),
        ).fetchall()
    return [row[0] for row in rows]


def counting(table: str, account: int) -> Statement:
    """The statement that counts an account's rows of a table."""
    return f"SELECT count(*) FROM {table} WHERE account_id = %s", (account,)  # noqa: S608  # a name from the catalogue


def tracked_tables() -> set[str]:
    return {model._meta.db_table for model in apps.get_models() if issubclass(model, TrackedModel)}


def test_every_table_of_an_account_is_secured(database: None) -> None:
    assert set(tables(secured=False)) <= set(WITHOUT_POLICY)
    assert tracked_tables() <= set(tables(secured=True))


def test_every_secured_table_has_its_four_policies(database: None) -> None:
    with connection() as lent:
        rows = lent.execute(
            "SELECT tablename, string_agg(cmd, ' ' ORDER BY cmd) FROM pg_policies WHERE schemaname = 'public' GROUP BY 1"
        ).fetchall()
    assert dict(rows) == dict.fromkeys(tables(secured=True), "DELETE INSERT SELECT UPDATE")


def test_no_partition_is_open_by_its_own_name(database: None) -> None:
    with connection() as lent:
        rows = lent.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND NOT relrowsecurity"
        ).fetchall()
        assert rows == []
        assert lent.execute("SELECT count(*) FROM change_log_other").fetchone() == (0,)


def test_the_restricted_role_may_not_pass_policies(database: None) -> None:
    with connection() as lent:
        row = lent.execute(
            "SELECT rolsuper, rolbypassrls, (SELECT count(*) FROM pg_class WHERE relowner = r.oid)"
            " FROM pg_roles r WHERE rolname = current_user"
        ).fetchone()
    assert row == (False, False, 0)


def test_the_orm_works_as_the_restricted_role(database: None) -> None:
    with orm_connection.cursor() as cursor, connection() as lent:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == lent.execute("SELECT current_user").fetchone()
    assert settings.DATABASES["default"]["USER"] != settings.DATABASES["owner"]["USER"] or settings.DATABASES[
        "default"
    ]["OPTIONS"].get("options")


def test_without_an_account_every_table_refuses(cast: Cast) -> None:
    names = set(tables(secured=True)) - READABLE
    assert len(names) >= 10
    for table in names:
        # A connection of its own: a setting that was once set is empty afterwards, and not unset.
        with psycopg.connect(connection_string(), autocommit=True) as fresh:
            for _ in range(2):
                with pytest.raises(
                    (psycopg.errors.UndefinedObject, psycopg.errors.InvalidTextRepresentation)
                ):
                    fresh.execute(*counting(table, cast.alice.account.pk))
                fresh.execute(READ, ("1",))


def test_rows_of_another_account_are_not_there(cast: Cast) -> None:
    alice, bob = cast.alice.account.pk, cast.bob.account.pk
    with connection() as lent:
        for table in tables(secured=True):
            if table in READABLE:
                continue
            [rows] = read(lent, bob, counting(table, alice))
            assert rows == [(0,)], table
        [rows] = read(lent, alice, ("SELECT count(*) FROM account_state WHERE account_id = %s", (alice,)))
        assert rows == [(1,)]


def written(lent: Any, account: int, writing: str, statement: str) -> None:
    """Run a statement on an account while `writing` is being written."""
    lent.execute(WRITE, (str(account), writing))
    lent.execute(statement, (account,))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO toy_oven (account_id, id, degrees) VALUES (%s, 1, 20)",
        "INSERT INTO change_log (account_id, type, modseq, object, operation) VALUES (%s, 'x', 1, 1, 'c')",
        "INSERT INTO account_state (account_id, epoch, modseq, next_id) VALUES (%s, 'x', 0, 1)",
    ],
)
def test_an_insert_outside_the_write_path_is_refused(cast: Cast, statement: str) -> None:
    alice, bob = cast.alice.account.pk, cast.bob.account.pk
    with connection() as lent:
        for writing in ("", str(bob)):
            with pytest.raises(psycopg.Error) as caught, lent.transaction():
                written(lent, alice, writing, statement)
            assert isinstance(caught.value, psycopg.errors.InsufficientPrivilege | psycopg.errors.DataError)


@pytest.mark.parametrize("statement", ["UPDATE toy_oven SET degrees = 99", "DELETE FROM toy_oven"])
def test_updates_and_deletes_reach_the_account_being_written_alone(cast: Cast, statement: str) -> None:
    alice, bob = cast.alice.account.pk, cast.bob.account.pk
    with connection() as lent:
        with pytest.raises(psycopg.errors.DataError), lent.transaction():
            written(lent, alice, "", f"{statement} WHERE account_id = %s")
        with lent.transaction(force_rollback=True):
            lent.execute(WRITE, (str(bob), str(bob)))
            assert lent.execute(statement).rowcount == 1
            assert lent.execute(f"{statement} WHERE account_id = %s", (alice,)).rowcount == 0
        [rows] = read(lent, alice, ("SELECT degrees FROM toy_oven WHERE account_id = %s", (alice,)))
        assert rows == [(20,)]


def test_no_row_moves_into_another_account(cast: Cast) -> None:
    alice, bob = cast.alice.account.pk, cast.bob.account.pk
    with (
        connection() as lent,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        account_write(bob, lent) as write,
    ):
        write.execute("UPDATE toy_oven SET account_id = %s, id = 5 WHERE account_id = %s", (alice, bob))


def test_the_settings_do_not_outlive_their_transaction(cast: Cast) -> None:
    alice = cast.alice.account.pk
    with psycopg.connect(connection_string(), autocommit=True) as lent:
        with account_write(alice, lent) as write:
            assert write.execute("SELECT current_setting('jmap.writing')").fetchone() == (str(alice),)
        row = lent.execute(
            "SELECT current_setting('jmap.account'), current_setting('jmap.writing')"
        ).fetchone()
        assert row == ("", "")


@pytest.mark.parametrize(
    "name",
    [
        "TRUNCATE toy_oven",
        "DROP TABLE toy_oven",
        "ALTER TABLE toy_oven DISABLE ROW LEVEL SECURITY",
        "DROP POLICY account_read ON toy_oven",
        "SET ROLE postgres",
        "SET session_replication_role = replica",
    ],
)
def test_the_restricted_role_changes_no_rule(database: None, name: str) -> None:
    with connection() as lent, pytest.raises(psycopg.Error) as caught:
        lent.execute(name)
    assert isinstance(
        caught.value, psycopg.errors.InsufficientPrivilege | psycopg.errors.InvalidParameterValue
    )
