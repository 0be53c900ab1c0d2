"""How the words of an account are taken apart: by its own languages, or else by those of the server."""

from functools import lru_cache

from django.conf import settings

from accounts.languages import known_languages
from jmapcore.store.database import Connection, execute
from mail.search.words import Words, words_of

_KEPT = 4_096
"""Words of other languages than the server's that a process takes apart once."""

LANGUAGES_OF = "SELECT search_languages FROM accounts_account WHERE id = %s"


def words_for(languages: str) -> Words:
    """The one `Words` for what an account has as its languages (`Account.search_languages`); empty for the server's."""
    return _own(languages) if languages else words_of(settings.MAIL_SEARCH_LANGUAGES)


@lru_cache(maxsize=16)
def _own(languages: str) -> Words:
    # A stemmer that was there once and is no more must not stop anybody's mail.
    return Words(tuple(each for each in languages.split() if each in known_languages()), _KEPT)


def languages_of(connection: Connection, account_id: int) -> str:
    """The languages of an account, for `words_for`, where no access to it is at hand that says them."""
    found = execute(connection, LANGUAGES_OF, (account_id,)).fetchone()
    return found[0] if found else ""
