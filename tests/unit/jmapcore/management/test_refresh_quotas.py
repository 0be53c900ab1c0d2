"""The command refresh_quotas."""

from __future__ import annotations

import re
from io import StringIO

from django.core.management import call_command

from accounts.quotas import OCTETS, Limits, set_limits, usage_of
from tests.support.cast import Cast


def test_it_passes_limits_on_and_says_what_it_did(cast: Cast) -> None:
    set_limits(cast.north, OCTETS, Limits(5), each_account=True)
    out = StringIO()
    call_command("refresh_quotas", stdout=out)
    assert re.fullmatch(
        r"Accounts with other limits than before: [1-9]\d*\. Administrators who see something new: \d+\.\n",
        out.getvalue(),
    )
    assert usage_of([cast.alice.account.pk])[cast.alice.account.pk].octets_limits.hard == 5
