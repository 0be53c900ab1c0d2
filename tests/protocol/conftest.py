"""Behind every protocol test: the shadow client follows each call, and the mail store is verified at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jmapcore.store.database import connection
from mail.verify import verify
from tests.support import client
from tests.support.cast import Cast
from tests.support.shadow import Shadows


@pytest.fixture(autouse=True)
def shadows(cast: Cast) -> Iterator[None]:
    """Follow the accounts of the cast by /changes and /queryChanges; verify them as the test ends."""
    accounts = [person.account for person in (cast.alice, cast.bob, cast.dora, cast.charlie)]
    following = Shadows(accounts)
    client.after_call.append(following.follow)
    try:
        yield
        following.follow()
        for account in accounts:
            with connection() as lent:
                assert verify(account.pk, lent) == []
    finally:
        client.after_call.remove(following.follow)
        following.close()
