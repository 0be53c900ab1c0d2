"""Email/query and SearchSnippet/get in an account with languages of its own (RFC 8621 §4.4.1: "SHOULD apply stemming")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as django_connection

from accounts.provisioning import set_search_languages
from jmapcore.store.database import connection
from jmapcore.store.write import account_write
from mail.reindex import index_due
from mail.verify import verify
from tests.protocol.post import add, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient

GERMAN = "Subject: Lieferung\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nViele alte Häuser\r\n".encode()
ENGLISH = b"Subject: Delivery\r\n\r\nMany old buildings\r\n"


def found(client: JMAPClient, text: str, account_id: str | None = None) -> list[str]:
    """The Emails with a text."""
    given: dict[str, Any] = {"accountId": account_id or client.account_id, "filter": {"text": text}}
    ids: list[str] = client.call("Email/query", given)["ids"]
    return ids


def settled() -> int:
    """Let the index follow the languages."""
    with connection() as lent:
        return index_due(lent, timedelta(0))


@pytest.mark.rfc("8621", "4.4.1")
def test_mail_is_found_by_the_stems_of_the_account_s_languages(cast: Cast) -> None:
    set_search_languages(cast.alice.account, ["german"])
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    imported = add(alice, GERMAN)
    inbox = {roles(alice)["inbox"]: True}
    body = {"textBody": [{"partId": "1"}], "bodyValues": {"1": {"value": "Unsere Häuser"}}}
    created = alice.call("Email/set", {"create": {"new": {"mailboxIds": inbox, **body}}})["created"]["new"]
    assert set(found(alice, "haus")) == {imported, created["id"]}
    assert set(found(bob, "haus", alice.account_id)) == {imported, created["id"]}
    add(bob, GERMAN)
    assert found(bob, "haus") == []
    with connection() as lent:
        assert verify(cast.alice.account.pk, lent) == []


@pytest.mark.rfc("8621", "4.4.1")
def test_what_is_there_follows_other_languages(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    german, english = add(alice, GERMAN), add(alice, ENGLISH)
    assert (found(alice, "haus"), found(alice, "building")) == ([], [english])
    state = alice.call("Email/get", {"ids": []})["state"]
    set_search_languages(cast.alice.account, ["german", "english"])
    assert settled() >= 1
    assert (found(alice, "haus"), found(alice, "building")) == ([german], [english])
    assert alice.call("Email/get", {"ids": []})["state"] == state
    set_search_languages(cast.alice.account, [])
    settled()
    assert (found(alice, "haus"), found(alice, "building")) == ([], [english])
    cast.alice.account.refresh_from_db()
    assert cast.alice.account.index_due_since is None


def test_languages_that_have_just_changed_are_waited_for(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    add(alice, GERMAN)
    set_search_languages(cast.alice.account, ["german"])
    with connection() as lent:
        index_due(lent)
    assert found(alice, "haus") == []
    settled()
    assert found(alice, "haus") != []


def test_an_account_that_another_process_is_at_is_left_to_it(cast: Cast) -> None:
    set_search_languages(cast.alice.account, ["german"])
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(8621, %s)", (cast.alice.account.pk,))
        settled()
        cursor.execute("SELECT pg_advisory_unlock(8621, %s)", (cast.alice.account.pk,))
    cast.alice.account.refresh_from_db()
    assert cast.alice.account.index_due_since is not None


@pytest.mark.rfc("8621", "5")
def test_snippets_mark_the_forms_of_the_account_s_languages(cast: Cast) -> None:
    set_search_languages(cast.alice.account, ["german"])
    alice = JMAPClient(cast.alice)
    email_id = add(alice, GERMAN)
    asked = {"emailIds": [email_id], "filter": {"body": "haus"}}
    [snippet] = alice.call("SearchSnippet/get", asked)["list"]
    assert snippet["preview"] == "Viele alte <mark>Häuser</mark>"


def test_a_phrase_in_a_long_message_is_looked_for_in_the_same_way(cast: Cast) -> None:
    set_search_languages(cast.alice.account, ["german"])
    alice = JMAPClient(cast.alice)
    long = GERMAN + b"wort " * 20_000 + "Viele alte Häuser und Gärten".encode()
    email_id = add(alice, long)
    assert found(alice, '"häuser und gärten" haus') == [email_id]


def test_an_account_that_is_busy_holds_up_no_other(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    add(alice, GERMAN)
    add(bob, GERMAN)
    for person in (cast.alice, cast.bob):
        set_search_languages(person.account, ["german"])
    with connection() as holding, account_write(cast.alice.account.pk, holding), connection() as lent:
        lent.execute("SET lock_timeout = '100ms'")
        try:
            index_due(lent, timedelta(0))
        finally:
            lent.execute("RESET lock_timeout")
    assert (found(alice, "haus"), len(found(bob, "haus"))) == ([], 1)
    settled()
    assert len(found(alice, "haus")) == 1
