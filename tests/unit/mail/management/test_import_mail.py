"""The command import_mail: what it prints, and what it refuses in a sentence."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.quotas import MESSAGES, Limits, set_limits
from jmapcore.store.database import connection, read
from mail.verify import verify
from tests.support.cast import Cast

FROM = "From a@example.org Thu Aug 22 12:36:23 2002\n"
MESSAGE = "From: a@example.org\nMessage-ID: <{0}@example.org>\nSubject: {0}\n\n{0}\n"


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """A Maildir with one message of each kind."""
    for name in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    for number, name in enumerate(("cur/1.host:2,S", "new/2.host", ".Sent/cur/3.host:2,S", "cur/4.host:2,T")):
        (tmp_path / "Maildir" / name).write_text(MESSAGE.format(number))
    (tmp_path / "Maildir" / ".Sent" / "cur" / "5.host:2,F").write_text(MESSAGE.format(0))
    (tmp_path / "Maildir" / "cur" / "6.host:2,").write_text("\nno header\n")
    (tmp_path / "Maildir" / "cur" / "7.host:2,").write_text("")
    return tmp_path / "Maildir"


def run(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("import_mail", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def test_everything_is_said_of_an_import(cast: Cast, maildir: Path) -> None:
    assert run(cast.alice.address, maildir) == [
        "Damaged, imported as well as possible:",
        f"  {maildir}/cur/6.host:2,: The message has no header.",
        "Not imported:",
        f"  {maildir}/cur/7.host:2,: The file is empty.",
        "Imported 4, already there 0, met again in another place 1, damaged 1, deleted ones left out 1,"
        " not imported 1.",
    ]


def test_a_second_import_finds_everything_there(cast: Cast, maildir: Path) -> None:
    run(cast.alice.address, maildir)
    assert run(cast.alice.address, maildir)[-1] == (
        "Imported 0, already there 4, met again in another place 0, damaged 0, deleted ones left out 1,"
        " not imported 1."
    )


def test_the_account_is_sound_afterwards(cast: Cast, maildir: Path) -> None:
    run(cast.alice.address, maildir)
    with connection() as borrowed:
        assert verify(cast.alice.account.pk, borrowed) == []


def test_several_paths_and_the_address_in_any_spelling(cast: Cast, maildir: Path, tmp_path: Path) -> None:
    (tmp_path / "Work.mbox").write_text(FROM + MESSAGE.format(7) + "\n" + FROM + MESSAGE.format(8))
    lines = run(cast.alice.address.upper(), maildir, tmp_path / "Work.mbox")
    assert lines[-1].startswith("Imported 6,")


def test_names_of_files_do_nothing_to_the_terminal(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "\x1b[31mred").write_text("no mail")
    assert f"  {tmp_path}/\N{REPLACEMENT CHARACTER}[31mred: The file is not a message." in run(
        cast.alice.address, tmp_path
    )


def test_an_unknown_user_is_refused(cast: Cast, maildir: Path) -> None:
    with pytest.raises(CommandError, match=r"^There is no user nobody@north\.example\.$"):
        run("nobody@north.example", maildir)


def test_what_is_no_address_is_refused(cast: Cast, maildir: Path) -> None:
    with pytest.raises(CommandError, match=r"^'alice' is not an e-mail address\.$"):
        run("alice", maildir)


def test_a_missing_path_is_refused_before_anything_is_imported(
    cast: Cast, maildir: Path, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=f"^There is no file or folder {tmp_path}/none.$"):
        run(cast.alice.address, maildir, tmp_path / "none")
    assert run(cast.alice.address, maildir)[-1].startswith("Imported 4,")


def test_an_account_that_is_full_takes_what_fits_and_says_so(cast: Cast, maildir: Path) -> None:
    set_limits(cast.alice.account, MESSAGES, Limits(2, 0))
    with pytest.raises(CommandError, match=r"^The account may not hold more: what came before is imported\."):
        run(cast.alice.address, maildir)
    with connection() as borrowed:
        assert verify(cast.alice.account.pk, borrowed) == []
        [rows] = read(borrowed, cast.alice.account.pk, ("SELECT count(*) FROM email", ()))
    assert rows == [(2,)]
