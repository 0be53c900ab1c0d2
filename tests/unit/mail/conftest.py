"""What the tests of the mail store start from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mail.message import charsets
from tests.support.mail_store import MailStore, make_store


@pytest.fixture
def store(database: None) -> MailStore:
    """The mail store of a new account, with the default mailboxes."""
    return make_store()


@pytest.fixture
def charset_choices() -> Iterator[None]:
    """A test may choose otherwise with `charsets.configure`."""
    yield
    charsets.configure(detect=True, allow_utf7=False)
