"""`verify_account` finds every way in which derived rows can be wrong, and sets it right."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from jmapcore.store.database import connection
from mail.verify import verify
from tests.support.mail_store import MailStore, message


@pytest.fixture
def mail(store: MailStore) -> MailStore:
    """A store with a Thread of three in two mailboxes and one Email that is seen."""
    store.add(message("a"), keywords=["work"])
    store.add(message("b", refers_to=["a"]), "inbox", "archive")
    store.add(message("c", refers_to=["a"]), "trash")
    store.add(message("d", subject="Dinner"), keywords=["$seen"])
    assert store.verify() == []
    return store


def damage(store: MailStore, sql: str, *parameters: object) -> None:
    with store.write() as write:
        write.execute(sql, (store.account_id, *parameters))


def repair(store: MailStore) -> list[str]:
    with connection() as lent:
        return verify(store.account_id, lent, repair=True)


DAMAGE = {
    "a count": "UPDATE mailbox SET unread_threads = 7, total_emails = 0 WHERE account_id = %s AND role = 'inbox'",
    "keywords_json": "UPDATE email SET keywords_json = '{}' WHERE account_id = %s",
    "mailboxes_json": "UPDATE email SET mailboxes_json = '{}' WHERE account_id = %s",
    "keywords that are not normal": "UPDATE email SET keywords = '{Zoo,ant,$recent,ant}' WHERE account_id = %s",
    "mailboxes that are not sorted": "UPDATE email SET mailbox_ids = '{4,1,4}' WHERE account_id = %s",
    "an unknown mailbox": "UPDATE email SET mailbox_ids = mailbox_ids || 999 WHERE account_id = %s",
    "no mailbox": "UPDATE email SET mailbox_ids = '{}' WHERE account_id = %s",
    "email_mailbox missing": "DELETE FROM email_mailbox WHERE account_id = %s",
    "email_mailbox of another thread": "UPDATE email_mailbox SET thread_id = (SELECT max(id) FROM thread) WHERE account_id = %s",
    "email_keyword missing": "DELETE FROM email_keyword WHERE account_id = %s AND keyword = 'work'",
    "email_keyword wrong": "UPDATE email_keyword SET keyword = keyword || 'x' WHERE account_id = %s",
    "thread_mailbox missing": "DELETE FROM thread_mailbox WHERE account_id = %s",
    "thread_mailbox wrong": "UPDATE thread_mailbox SET total = 9, latest_email_id = 1 WHERE account_id = %s",
    "thread JSON": "UPDATE thread SET email_ids_json = '[]' WHERE account_id = %s",
    "a thread too many": "INSERT INTO thread (account_id, id, email_ids_json) VALUES (%s, 9999, '[]')",
    "static_json": "UPDATE email_static SET static_json = '' WHERE account_id = %s",
    "body_json": "UPDATE email_static SET body_json = 'null' WHERE account_id = %s",
    "size": "UPDATE email SET size = 1 WHERE account_id = %s",
    "references missing": "DELETE FROM thread_ref WHERE account_id = %s",
    "references of a dead thread": "INSERT INTO thread_ref (account_id, hash, thread_id) VALUES (%s, 5, 9999)",
    "static missing": "DELETE FROM email_static WHERE account_id = %s AND id = (SELECT max(id) FROM email)",
    "an identity missing": "DELETE FROM identity WHERE account_id = %s",
    "an identity of no address": "UPDATE identity SET email = 'x@example.org' WHERE account_id = %s",
    "an identity twice": "INSERT INTO identity (account_id, id, name, email, text_signature, html_signature, may_delete)"
    " SELECT account_id, 9999, name, email, '', '', false FROM identity WHERE account_id = %s",
    "no vacation response": "DELETE FROM vacation_response WHERE account_id = %s",
    "the usage": "UPDATE account_state SET used_octets = 7, used_objects = -1 WHERE account_id = %s",
    "a forgotten blob": "INSERT INTO blob (account_id, id, hash, size, location) VALUES (%s, 9999, 'x', 1, '')",
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_repaired(mail: MailStore, kind: str) -> None:
    damage(mail, DAMAGE[kind])
    found = mail.verify()
    assert found != []
    assert repair(mail) == found
    assert mail.verify() == []


def test_a_difference_is_said_in_one_line(mail: MailStore) -> None:
    inbox = mail.mailboxes["inbox"]
    damage(mail, "UPDATE mailbox SET total_emails = 99 WHERE account_id = %s AND id = %s", inbox)
    columns = "unread_emails=2, total_threads=2, unread_threads=1"
    assert mail.verify() == [
        f"mailbox: missing: id={inbox}, total_emails=3, {columns}",
        f"mailbox: wrong: id={inbox}, total_emails=99, {columns}",
    ]


def test_clients_are_told_of_what_a_repair_changed(mail: MailStore) -> None:
    inbox = mail.mailboxes["inbox"]
    damage(mail, "UPDATE mailbox SET total_emails = 99 WHERE account_id = %s AND id = %s", inbox)
    modseq = mail.modseq()
    repair(mail)
    assert mail.log(modseq) == [("Mailbox", inbox, "v")]


def test_a_repair_of_nothing_is_no_change(mail: MailStore) -> None:
    modseq = mail.modseq()
    assert repair(mail) == []
    assert mail.modseq() == modseq


def test_lost_and_altered_bytes_are_found_and_cannot_be_repaired(store: MailStore) -> None:
    lost, altered = store.add(message("a")), store.add(message("b", body="12345"))
    damage(store, "DELETE FROM blob_chunk WHERE account_id = %s AND blob_id = %s", lost.blob_id)
    damage(
        store,
        "UPDATE blob_chunk SET data = set_byte(data, length(data) - 3, 54) WHERE account_id = %s AND blob_id = %s",
        altered.blob_id,
    )
    expected = [
        f"email e{lost.id}: the bytes of blob b{lost.blob_id} are lost or altered",
        f"email e{altered.id}: the bytes of blob b{altered.blob_id} are lost or altered",
    ]
    assert [line for line in store.verify() if "bytes" in line] == expected
    repair(store)
    assert [line for line in store.verify() if "bytes" in line] == expected


def test_a_loop_of_mailboxes_is_found(store: MailStore) -> None:
    first = store.add_mailbox("One")
    second = store.add_mailbox("Two", parent_id=first)
    sql = "UPDATE mailbox SET parent_id = (SELECT max(id) FROM mailbox) WHERE account_id = %s AND id = %s"
    damage(store, sql, first)
    assert store.verify() == [
        f"mailbox m{first}: its parents form a loop",
        f"mailbox m{second}: its parents form a loop",
    ]


def address(store: MailStore) -> str:
    return Account.objects.get(pk=store.account_id).name


def test_the_command_says_that_all_is_right(mail: MailStore) -> None:
    output = StringIO()
    call_command("verify_account", address(mail), stdout=output)
    assert output.getvalue() == f"{address(mail)}: everything is right.\n"


def test_the_command_lists_differences_and_fails(mail: MailStore) -> None:
    damage(mail, DAMAGE["thread JSON"])
    output = StringIO()
    with pytest.raises(CommandError, match="4 differences"):
        call_command("verify_account", address(mail), stdout=output)
    assert len(output.getvalue().splitlines()) == 4


def test_the_command_repairs(mail: MailStore) -> None:
    damage(mail, DAMAGE["thread JSON"])
    output = StringIO()
    call_command("verify_account", address(mail), "--repair", stdout=output)
    assert output.getvalue().splitlines()[-2:] == [
        "4 of 4 differences repaired.",
        f"{address(mail)}: everything is right.",
    ]


def test_the_command_knows_no_account_of_nobody(database: None) -> None:
    with pytest.raises(CommandError):
        call_command("verify_account", "nobody@nowhere.example")
