"""What other apps do when somebody is born or goes: lists of functions, filled in `AppConfig.ready`.

`accounts.provisioning` calls them inside the caller's database transaction (`django.db.transaction.atomic`),
in the order of registration: an exception undoes the whole provisioning step. They must not do network I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import Account, User

user_created: list[Callable[[User], None]] = []
"""After the user's row, and the account's with its `account_created` hooks, exist."""

account_created: list[Callable[[Account], None]] = []
"""After the account's row exists: the place for mailboxes, the first identity, the state row."""

addresses_changed: list[Callable[[Account], None]] = []
"""After the addresses of an account, whose mail it takes and as which it sends, may have become others: an alias or a catch-all
came or went, or somebody else got an address that a catch-all took. The rows say already what they are now."""

user_renamed: list[Callable[[User, str], None]] = []
"""After a user got another name to be shown; the second argument is the name before."""

limits_changed: list[Callable[[Account], None]] = []
"""After the limits of one account were set. Those that many accounts take over from their domain or tenant change in silence."""

administrator_changed: list[Callable[[User], None]] = []
"""After a user with an account became an administrator of something else than before, or of nothing."""

rights_changed: list[Callable[[], None]] = []
"""After the commit of what may have taken a right from somebody: a password, a grant, a suspension. What lasts looks at who it is
open to. It is a hint, and no more: credentials end in other ways as well."""

account_deleted: list[Callable[[Account], None]] = []
"""Before the account's row is deleted: all of its data elsewhere goes now, for no foreign key leads there."""

user_deleted: list[Callable[[User], None]] = []
"""Before the user's row is deleted, after the `account_deleted` hooks of the personal account."""
