"""The rows of email_search: written, moved and dropped with their Emails, and agreeing with what a reader of the text finds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jmapcore.store.database import connection, execute
from mail.membership import destroy_emails
from mail.reingest import reingest
from mail.search.lexemes import Field, Lexemes, of_account
from mail.search.places import LocatedText, found_in
from mail.search.terms import TooManyWordsError, parse
from mail.search.tsquery import Writer
from mail.search.words import cleaned, words_of
from mail.verify import verify
from tests.support.mail_store import MailStore, make_store, message

ENGLISH = words_of(("english",))
ROWS = """
    SELECT e.id, e.thread_id = q.thread_id AND e.received_at = q.received_at
    FROM email AS e LEFT JOIN email_search AS q ON q.account_id = e.account_id AND q.id = e.id
    WHERE e.account_id = %s ORDER BY e.id"""
FIND = "SELECT id FROM email_search WHERE account_id = %s AND tsv @@ %s::tsquery ORDER BY id"


def found(store: MailStore, words: str, field: Field = Field.BODY) -> list[int]:
    """The Emails in whose field the words are."""
    query = Writer(store.account_id).exact(parse(words, ENGLISH), [field])
    return [row[0] for row in store.rows(FIND, query)]


def test_an_email_is_found_by_its_words(store: MailStore) -> None:
    first = store.add(message("a", body="apple"))
    second = store.add(message("b", subject="Apple", body="pear"))
    assert found(store, "apple") == [first.id]
    assert found(store, "apple", Field.SUBJECT) == [second.id]
    assert store.rows(ROWS) == [(first.id, True), (second.id, True)]


def test_a_destroyed_email_has_no_row(store: MailStore) -> None:
    gone, left = store.add(message("a")), store.add(message("b"))
    with store.write() as write:
        destroy_emails(write, [gone.id])
    assert store.rows("SELECT id FROM email_search WHERE account_id = %s") == [(left.id,)]


def test_rows_move_with_emails_of_a_merged_thread(store: MailStore) -> None:
    store.add(message("a", body="apple"))
    store.add(message("b", body="apple"))
    store.add(message("c", refers_to=["a", "b"], body="pear"))
    rows = store.rows(ROWS)
    assert [right for _, right in rows] == [True] * 3
    assert len(store.threads()) == 1
    assert found(store, "apple") == [email_id for email_id, _ in rows if email_id in found(store, "apple")]
    assert len(found(store, "apple")) == 2


DAMAGE = {
    "missing": "DELETE FROM email_search WHERE account_id = %s",
    "other words": "UPDATE email_search SET tsv = '''1:p:x''' WHERE account_id = %s",
    "another position": "UPDATE email_search SET tsv = replace(tsv::text, ':1', ':2')::tsvector WHERE account_id = %s",
    "another thread": "UPDATE email_search SET thread_id = 9999 WHERE account_id = %s",
    "another moment": "UPDATE email_search SET received_at = now() WHERE account_id = %s",
    "one too many": "INSERT INTO email_search (account_id, id, thread_id, received_at, tsv) VALUES (%s, 9999, 1, now(), '')",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_repaired_in_silence(store: MailStore, name: str) -> None:
    store.add(message("a", body="apple"))
    with store.write() as write:
        write.execute(DAMAGE[name], (store.account_id,))
    modseq = store.modseq()
    [listed] = store.verify()
    assert "email_search" in listed
    with connection() as lent:
        assert verify(store.account_id, lent, repair=True) == [listed]
    assert store.verify() == []
    assert store.log(modseq) == []


def test_mail_of_before_the_index_is_found_after_reingest(store: MailStore) -> None:
    added = store.add(message("a", body="apple"))
    with store.write() as write:
        write.execute("DELETE FROM email_search WHERE account_id = %s", (store.account_id,))
        write.execute("UPDATE email_static SET format = 1 WHERE account_id = %s", (store.account_id,))
    assert store.verify() == []
    modseq = store.modseq()
    with connection() as lent:
        assert reingest(store.account_id, lent) == 1
    assert found(store, "apple") == [added.id]
    assert store.verify() == []
    assert store.log(modseq) == []


def test_each_account_has_its_own_lexemes(store: MailStore) -> None:
    other = make_store()
    mine, theirs = store.add(message("a", body="apple")), other.add(message("a", body="apple"))
    assert found(store, "apple") == [mine.id]
    assert found(other, "apple") == [theirs.id]
    with connection() as lent:
        words = Writer(other.account_id).exact(parse("apple", ENGLISH), [Field.BODY])
        rows = execute(
            lent, "SELECT account_id FROM email_search WHERE tsv @@ %s::tsquery", (words,)
        ).fetchall()
        assert rows == [(other.account_id,)]


_SAMPLES = (
    "run running Bus buses café foo-bar x 東京 東京都 京 한국어 한국어는 국어 joe@shop.example shop example ไทย ½ 🎉 ab* abc"
    " ' \" \\ * : & ! ( ) | <->"
)
_WORDS = st.sampled_from(_SAMPLES.split(" "))
_TEXTS = st.lists(_WORDS, max_size=12).map(" ".join) | st.text(max_size=40)


@pytest.mark.fuzz
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_TEXTS, words=_TEXTS, quoted=st.booleans())
def test_the_index_finds_what_a_reader_finds(database: None, text: str, words: str, quoted: bool) -> None:
    try:
        parsed = parse(f'"{words}"' if quoted else words, ENGLISH)
    except TooManyWordsError:
        return
    lexemes = Lexemes(ENGLISH)
    lexemes.add(Field.BODY, text)
    tsvector = of_account(lexemes.rendered(), 5)
    query = Writer(5).exact(parsed, [Field.SUBJECT, Field.BODY])
    with connection() as lent:
        row = lent.execute("SELECT %s::tsvector @@ %s::tsquery", (tsvector, query)).fetchone()
    read = bool(parsed.terms) and found_in(parsed, [[LocatedText(cleaned(text), ENGLISH)]])
    assert row == (read,), (tsvector, query)
