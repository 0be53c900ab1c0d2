"""The command renew_epochs: nothing of the time between a backup and its restore is taken for something new."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from jmapcore.lifecycle import SKIPPED_IDS
from tests.support.mail_store import MailStore, make_store, message


@pytest.fixture
def store(database: None) -> MailStore:
    """The store of a new person."""
    return make_store()


def address(store: MailStore) -> str:
    return Account.objects.get(pk=store.account_id).name


def epoch(store: MailStore) -> str:
    [(found,)] = store.rows("SELECT epoch FROM account_state WHERE account_id = %s")
    return str(found)


@pytest.mark.rfc("8620", "1.6.2")
def test_states_of_before_are_unknown(store: MailStore) -> None:
    other = make_store()
    before, others = epoch(store), epoch(other)
    call_command("renew_epochs", address(store))
    assert (epoch(store) != before, epoch(other) == others) == (True, True)


@pytest.mark.rfc("8620", "1.6.2")
@pytest.mark.rfc("8620", "1.6.3")
def test_no_id_is_given_out_twice(store: MailStore) -> None:
    first = store.add(message("a")).id
    call_command("renew_epochs", address(store))
    assert store.add(message("b")).id > first + SKIPPED_IDS


def test_nothing_is_recorded_as_a_change(store: MailStore) -> None:
    before = store.visible(), store.modseq()
    call_command("renew_epochs", address(store))
    assert (store.visible(), store.modseq()) == before


def test_without_addresses_every_account_has_a_new_epoch(
    store: MailStore, capsys: pytest.CaptureFixture[str]
) -> None:
    before = epoch(store)
    call_command("renew_epochs")
    assert epoch(store) != before
    assert capsys.readouterr().out.startswith("Accounts with a new epoch: ")


def test_an_unknown_address_is_a_sentence(database: None) -> None:
    with pytest.raises(CommandError):
        call_command("renew_epochs", "nobody@unheard-of.example")
