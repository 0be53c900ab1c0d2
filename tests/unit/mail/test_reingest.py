"""`reingest` brings rows of an older format up to date, changing no state."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Account
from jmapcore.store.database import connection
from mail.fragments import FORMAT
from mail.message import charsets
from mail.reingest import reingest
from tests.support.mail_store import MailStore, message


def age(store: MailStore) -> None:
    with store.write() as write:
        write.execute(
            "UPDATE email_static SET format = 0, static_json = 'old', body_json = 'old' WHERE account_id = %s",
            (store.account_id,),
        )


def run(store: MailStore) -> int:
    with connection() as lent:
        return reingest(store.account_id, lent)


def test_rows_of_an_older_format_are_rebuilt_and_no_state_changes(store: MailStore) -> None:
    store.add(message("a"))
    store.add(message("b", refers_to=["a"]))
    before, modseq = store.visible(), store.modseq()
    age(store)
    assert run(store) == 2
    assert store.visible() == before
    assert (store.modseq(), store.verify()) == (modseq, [])
    assert store.rows("SELECT DISTINCT format FROM email_static WHERE account_id = %s") == [(FORMAT,)]


def test_references_of_a_new_format_are_added(store: MailStore) -> None:
    added = store.add(message("a"))
    age(store)
    with store.write() as write:
        write.execute("DELETE FROM thread_ref WHERE account_id = %s", (store.account_id,))
    run(store)
    assert store.add(message("b", refers_to=["a"])).thread_id == added.thread_id


def test_rows_of_this_format_are_left_alone(store: MailStore) -> None:
    store.add(message("a"))
    assert run(store) == 0


@pytest.mark.rfc("8621", "9.1")
def test_all_rows_are_rebuilt_after_a_change_of_a_setting(store: MailStore, charset_choices: None) -> None:
    store.add(message("a", body="caf\u00e9").decode().encode("latin_1"))
    charsets.configure(detect=False, allow_utf7=False)
    assert len(store.verify()) == 2
    with connection() as lent:
        assert reingest(store.account_id, lent, everything=True) == 1
    assert store.verify() == []


def test_a_message_whose_bytes_are_gone_is_left_and_the_others_are_rebuilt(store: MailStore) -> None:
    lost = store.add(message("a"), keywords=["$seen"])
    store.add(message("b"))
    age(store)
    with store.write() as write:
        write.execute(
            "DELETE FROM blob_chunk WHERE account_id = %s AND blob_id = %s", (store.account_id, lost.blob_id)
        )
    assert run(store) == 1
    assert store.rows("SELECT id FROM email_static WHERE account_id = %s AND format = 0") == [(lost.id,)]


def test_the_command_rebuilds_one_account(store: MailStore) -> None:
    store.add(message("a"))
    age(store)
    output = StringIO()
    call_command("reingest", Account.objects.get(pk=store.account_id).name, stdout=output)
    assert output.getvalue() == "1 messages rebuilt in 1 accounts.\n"


def test_the_command_rebuilds_everything_on_request(store: MailStore) -> None:
    store.add(message("a"))
    output = StringIO()
    call_command("reingest", Account.objects.get(pk=store.account_id).name, all=True, stdout=output)
    assert output.getvalue() == "1 messages rebuilt in 1 accounts.\n"
