"""`+detail`: into an existing mailbox of that name, if the user switched it on."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from mail.delivery.deliver import deliver
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.mail_store import message
from tests.support.received_mail import only


def switch(cast: Cast, choice: str) -> str:
    """Run the command for Alice; what it says."""
    said = StringIO()
    call_command("set_detail_filing", cast.alice.address, choice, stderr=said)
    return said.getvalue().strip()


def make_mailbox(cast: Cast, name: str, **values: object) -> str:
    """The id of a new mailbox of Alice's."""
    created = JMAPClient(cast.alice).call("Mailbox/set", {"create": {"m": {"name": name, **values}}})
    return str(created["created"]["m"]["id"])


def deliver_to(cast: Cast, local_part: str, headers: str = "") -> list[str]:
    """Where the only message to an address of Alice's domain is."""
    [outcome] = deliver(
        message("one", headers=headers),
        [f"{local_part}@{cast.north_domain.name}"],
        return_path="zoe@example.org",
    )
    assert outcome.is_delivered
    return only(cast.alice).mailboxes


@pytest.mark.parametrize("local_part", ["alice+lists", "Alice+LISTS"])
def test_a_mailbox_of_that_name_gets_the_mail(cast: Cast, local_part: str) -> None:
    assert switch(cast, "on") == f"Filing by detail is on for {cast.alice.address} now."
    make_mailbox(cast, "Lists")
    assert deliver_to(cast, local_part) == ["Lists"]


def test_one_below_another_gets_it_too(cast: Cast) -> None:
    switch(cast, "on")
    make_mailbox(cast, "grüße", parentId=make_mailbox(cast, "Parent"))
    assert deliver_to(cast, "alice+grüße") == ["grüße"]


def test_one_at_the_top_goes_before_one_below(cast: Cast) -> None:
    switch(cast, "on")
    parent = make_mailbox(cast, "Parent")
    make_mailbox(cast, "lists", parentId=parent)
    make_mailbox(cast, "Lists")
    assert deliver_to(cast, "alice+lists") == ["Lists"]


def test_without_the_choice_mail_is_in_the_inbox(cast: Cast) -> None:
    make_mailbox(cast, "lists")
    assert deliver_to(cast, "alice+lists") == ["Inbox"]


def test_what_was_switched_off_again_is_off(cast: Cast) -> None:
    switch(cast, "on")
    switch(cast, "off")
    make_mailbox(cast, "lists")
    assert deliver_to(cast, "alice+lists") == ["Inbox"]


@pytest.mark.parametrize("detail", ["other", "trash", "drafts", "inbox", "", "lists+more"])
def test_no_mailbox_of_that_name_or_one_with_a_role(cast: Cast, detail: str) -> None:
    switch(cast, "on")
    make_mailbox(cast, "lists")
    assert deliver_to(cast, f"alice+{detail}") == ["Inbox"]


def test_junk_is_junk_whatever_the_detail(cast: Cast) -> None:
    switch(cast, "on")
    make_mailbox(cast, "lists")
    assert deliver_to(cast, "alice+lists", "X-Spam: Yes\r\n") == ["Junk"]


def test_the_command_refuses_who_is_not_there(cast: Cast) -> None:
    with pytest.raises(CommandError, match="There is no user"):
        call_command("set_detail_filing", f"nobody@{cast.north_domain.name}", "on")


def test_the_choice_is_on_the_page_of_the_account(cast: Cast) -> None:
    operator = User.objects.create_superuser(f"operator@{cast.north_domain.name}", "operator's password")
    browser = Client()
    browser.force_login(operator)
    page = f"/admin/accounts/account/{cast.alice.account.pk}/change/"
    before = browser.get(page).content.decode()
    assert 'name="files_details"' in before
    form = {
        "files_details": "on", "search_languages": "",
        **{f"{prefix}-{name}": "0" for prefix in ("grants", "limits", "quotalimit_set", "quota_limits")
           for name in ("TOTAL_FORMS", "INITIAL_FORMS")},
    }  # fmt: skip
    saved = browser.post(page, form)
    assert saved.status_code == 302, saved.content.decode()
    assert "checked" in browser.get(page).content.decode().partition('name="files_details"')[2][:80]
    make_mailbox(cast, "lists")
    assert deliver_to(cast, "alice+lists") == ["lists"]
