"""Storing what was read: mailboxes, recognition by bytes, and what a second import leaves alone."""

from datetime import UTC, datetime, timedelta

import pytest

from jmapcore.blobs.storage import read_blob
from jmapcore.store.database import connection, read
from jmapcore.store.write import account_write
from mail.importing.importer import Importer, Report, received_at
from mail.importing.source_message import LeftOut, Skipped, SourceMessage
from mail.mailboxes import MailboxRow, create_mailboxes, destroy_mailboxes
from mail.membership import EmailChange, change_emails, destroy_emails
from mail.message.summary import summarise
from tests.support.cast import Cast, Person

INBOX: tuple[str, ...] = ()


def source(
    number: int,
    folder: tuple[str, ...] = INBOX,
    keywords: frozenset[str] = frozenset(),
    problem: str | None = None,
) -> SourceMessage:
    raw = f"Message-ID: <{number}@north.example>\r\nSubject: Message {number}\r\n\r\n{number}\r\n".encode()
    return SourceMessage(folder, raw, f"origin {number}", keywords, problem=problem)


def run(person: Person, *found: SourceMessage | Skipped) -> Report:
    return Importer(person.account.pk, person.user.pk).run(found, lambda: None)


def emails(person: Person) -> dict[int, tuple[set[str], set[str]]]:
    """Return the mailboxes (as paths) and keywords of each Email, by id."""
    with connection() as borrowed:
        boxes, rows = read(
            borrowed,
            person.account.pk,
            ("SELECT id, name, parent_id FROM mailbox WHERE account_id = %s", (person.account.pk,)),
            ("SELECT id, mailbox_ids, keywords FROM email WHERE account_id = %s", (person.account.pk,)),
        )
    named = {box[0]: (box[1], box[2]) for box in boxes}

    def path(box: int) -> str:
        name, parent = named[box]
        return name if parent is None else f"{path(parent)}/{name}"

    return {row[0]: ({path(box) for box in row[1]}, set(row[2])) for row in rows}


def roles(person: Person) -> dict[str, str | None]:
    with connection() as borrowed:
        [rows] = read(
            borrowed,
            person.account.pk,
            ("SELECT name, role FROM mailbox WHERE account_id = %s", (person.account.pk,)),
        )
    return dict(rows)


def mailboxes_and_keywords(person: Person) -> list[tuple[set[str], set[str]]]:
    return [contents for _, contents in sorted(emails(person).items())]


def test_messages_go_to_mailboxes_by_role_and_by_name(cast: Cast) -> None:
    report = run(
        cast.alice,
        source(1),
        source(2, ("Sent Items",), frozenset({"$seen"})),
        source(3, ("Work", "2020")),
        source(4, ("Archive", "Old")),
    )
    assert report == Report(imported=4)
    assert mailboxes_and_keywords(cast.alice) == [
        ({"Inbox"}, set()),
        ({"Sent"}, {"$seen"}),
        ({"Work/2020"}, set()),
        ({"Archive/Old"}, set()),
    ]


def test_a_message_with_labels_is_in_all_its_mailboxes(cast: Cast) -> None:
    run(cast.alice, source(1).labelled(((), ("Sent",), ("Work", "2020"))))
    assert mailboxes_and_keywords(cast.alice) == [({"Inbox", "Sent", "Work/2020"}, set())]


def test_a_message_gets_as_many_keywords_as_it_may_have(cast: Cast) -> None:
    run(cast.alice, *(source(1, keywords=frozenset(f"{each}{n:03}" for n in range(80))) for each in "ab"))
    [(_, keywords)] = mailboxes_and_keywords(cast.alice)
    assert len(keywords) == 100


def test_a_missing_role_is_given_to_the_mailbox_that_is_created(cast: Cast) -> None:
    account_id = cast.alice.account.pk
    with connection() as borrowed:
        [rows] = read(
            borrowed, account_id, ("SELECT id, role FROM mailbox WHERE account_id = %s", (account_id,))
        )
    junk = [row[0] for row in rows if row[1] == "junk"]
    with connection() as borrowed, account_write(account_id, borrowed) as write:
        destroy_mailboxes(write, junk)
    run(cast.alice, source(1, ("Spamverdacht",)))
    assert roles(cast.alice)["Spamverdacht"] == "junk"


def test_new_mailboxes_stand_behind_those_an_account_is_born_with(cast: Cast) -> None:
    run(cast.alice, source(1, ("Work", "2020")))
    with connection() as borrowed:
        [rows] = read(
            borrowed,
            cast.alice.account.pk,
            ("SELECT name, sort_order FROM mailbox WHERE account_id = %s", (cast.alice.account.pk,)),
        )
    orders: dict[str, int] = dict(rows)
    assert (orders.pop("Work"), orders.pop("2020")) == (100, 100)
    assert max(orders.values()) < 100


def test_a_mailbox_of_the_same_name_in_other_case_is_used(cast: Cast) -> None:
    with connection() as borrowed, account_write(cast.alice.account.pk, borrowed) as write:
        create_mailboxes(write, {write.new_ids()[0]: MailboxRow("Work")})
    run(cast.alice, source(1, ("work",)))
    assert mailboxes_and_keywords(cast.alice) == [({"Work"}, set())]


@pytest.mark.parametrize("between", [0, 150])
def test_bytes_met_again_in_another_folder_are_one_email_in_both(cast: Cast, between: int) -> None:
    report = run(
        cast.alice,
        source(0, ("Work",), frozenset({"$seen"})),
        *(source(number) for number in range(1, between + 1)),
        source(0, ("Home",), frozenset({"$flagged"})),
    )
    assert report == Report(imported=1 + between, met_again=1)
    assert mailboxes_and_keywords(cast.alice)[0] == ({"Work", "Home"}, {"$seen", "$flagged"})


def test_a_second_import_changes_nothing(cast: Cast) -> None:
    found = [source(number, ("Work",)) for number in range(3)]
    run(cast.alice, *found)
    before = state(cast.alice)
    assert run(cast.alice, *found) == Report(already_there=3)
    assert state(cast.alice) == before


def state(person: Person) -> int:
    """Return the account's newest modification sequence number."""
    with connection() as borrowed:
        [[row]] = read(
            borrowed,
            person.account.pk,
            ("SELECT modseq FROM account_state WHERE account_id = %s", (person.account.pk,)),
        )
    return int(row[0])


def test_what_the_user_did_to_an_email_stays(cast: Cast) -> None:
    run(cast.alice, source(1, ("Work",)))
    [email_id] = emails(cast.alice)
    with connection() as borrowed, account_write(cast.alice.account.pk, borrowed) as write:
        change_emails(write, [EmailChange(email_id, keywords=frozenset({"$flagged"}))])
    run(cast.alice, source(1, ("Home",), frozenset({"$seen"})))
    assert emails(cast.alice) == {email_id: ({"Work"}, {"$flagged"})}


def test_what_the_user_destroyed_is_imported_again(cast: Cast) -> None:
    run(cast.alice, source(1))
    with connection() as borrowed, account_write(cast.alice.account.pk, borrowed) as write:
        destroy_emails(write, list(emails(cast.alice)))
    assert run(cast.alice, source(1)) == Report(imported=1)


def test_the_same_bytes_in_another_account_are_that_accounts(cast: Cast) -> None:
    run(cast.alice, source(1))
    assert run(cast.charlie, source(1)) == Report(imported=1)
    assert len(emails(cast.alice)) == len(emails(cast.charlie)) == 1


def test_damaged_and_left_out_are_listed(cast: Cast) -> None:
    deleted = Skipped("a", LeftOut.DELETED, "The message is flagged as deleted.")
    empty = Skipped("b", LeftOut.EMPTY, "The file is empty.")
    assert run(cast.alice, source(1, problem="The message has no header."), deleted, empty) == Report(
        imported=1, deleted=1, damaged=[("origin 1", "The message has no header.")], left_out=[empty]
    )


def test_a_large_message_keeps_its_bytes(cast: Cast) -> None:
    large = SourceMessage(INBOX, b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" * 1_000_000, "large")
    assert run(cast.alice, large) == Report(imported=1)
    account_id = cast.alice.account.pk
    with connection() as borrowed:
        [[row]] = read(
            borrowed, account_id, ("SELECT blob_id FROM email_static WHERE account_id = %s", (account_id,))
        )
        assert read_blob(borrowed, account_id, row[0]) == large.raw


def test_nul_characters_are_no_obstacle(cast: Cast) -> None:
    message = SourceMessage(INBOX, b"Subject: a\0b\r\nFrom: \0 <a@b.example>\r\n\r\n\0\r\n", "nul")
    assert run(cast.alice, message, source(1)) == Report(imported=2)


RECEIVED = b"Received: from a by b; Thu, 1 Jan 2004 00:00:00 +0000\r\n"
DATE = b"Date: Fri, 2 Jan 2004 00:00:00 +0100\r\n"


@pytest.mark.parametrize(
    ("header", "from_line", "year_day"),
    [
        (RECEIVED + DATE, datetime(2004, 1, 3, tzinfo=UTC), datetime(2004, 1, 1, tzinfo=UTC)),
        (DATE, datetime(2004, 1, 3, tzinfo=UTC), datetime(2004, 1, 3, tzinfo=UTC)),
        (DATE, None, datetime(2004, 1, 1, 23, tzinfo=UTC)),
        (b"Date: never\r\n", None, datetime(2004, 1, 4, tzinfo=UTC)),
        (b"Date: Mon, 1 Jan 0001 00:00:00 +0100\r\n", None, datetime(2004, 1, 4, tzinfo=UTC)),
        (b"Subject: 1\r\n", None, datetime(2004, 1, 4, tzinfo=UTC)),
    ],
)
def test_when_a_message_was_received(header: bytes, from_line: datetime | None, year_day: datetime) -> None:
    raw = header + b"\r\n"
    message = SourceMessage(
        INBOX, raw, "x", from_line_date=from_line, file_time=datetime(2004, 1, 4, tzinfo=UTC)
    )
    assert received_at(message, summarise(raw)) == year_day


def test_a_message_was_received_tomorrow_at_the_latest() -> None:
    raw = b"Date: Sat, 1 Jan 2999 00:00:00 +0000\r\n\r\n"
    found = received_at(SourceMessage(INBOX, raw, "x"), summarise(raw))
    assert found is not None
    assert found <= datetime.now(UTC) + timedelta(days=1)
