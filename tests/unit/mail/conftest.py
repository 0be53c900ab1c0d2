"""What the tests of the mail store start from."""

from __future__ import annotations

import pytest

from tests.support.mail_store import MailStore, make_store


@pytest.fixture
def store(database: None) -> MailStore:
    """The mail store of a new account, with the default mailboxes."""
    return make_store()
