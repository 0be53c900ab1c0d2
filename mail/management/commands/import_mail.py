"""`import_mail ADDRESS PATH…`: bring existing mail into an account."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.addresses import normalise_address
from accounts.models import Account
from jmapcore.store.usage import OverQuotaError
from mail.importing.importer import Importer, Report
from mail.importing.placement import TooManyMailboxesError
from mail.importing.sources import count, messages


class Command(BaseCommand):
    """Import mbox files, Maildirs, message files, and folders and archives of them."""

    help = (
        "Import mail into the account of ADDRESS: mbox files, Maildirs, .eml files, and folders and archives"
        " (tar, tar.gz, tar.bz2, tar.xz, zip) of them. What the account has already is left as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("address", metavar="ADDRESS", help="the user whose account the mail goes to")
        parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a file or a folder")

    def handle(self, *, address: str, paths: list[Path], verbosity: int, **options: Any) -> None:
        """Import, and print what became of it."""
        account = _account(address)
        for path in paths:
            if not path.exists():
                raise CommandError(f"There is no file or folder {path}.")
        importer = Importer(account.pk, account.owner_id)
        try:
            # disable=None: no bar where the output is no terminal.
            with tqdm(
                total=count(paths), unit=" messages", disable=None if verbosity else True, leave=False
            ) as bar:
                importer.run(messages(paths), bar.update)
        except KeyboardInterrupt:
            self._print(importer.report, verbosity)
            raise CommandError("The import was stopped; run it again to import the rest.") from None
        except TooManyMailboxesError as error:
            self._print(importer.report, verbosity)
            raise CommandError(f"{error} What came before is imported.") from error
        except OverQuotaError:
            self._print(importer.report, verbosity)
            raise CommandError(
                "The account may not hold more: what came before is imported. Set another limit (set_quota),"
                " and run the import again to import the rest."
            ) from None
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            self._print(importer.report, verbosity)
            raise CommandError("The account is busy; run the import again to import the rest.") from error
        except psycopg.OperationalError as error:
            raise CommandError(f"The database cannot be reached: {error}".strip()) from error
        self._print(importer.report, verbosity)

    def _print(self, report: Report, verbosity: int) -> None:
        if not verbosity:
            return
        if report.damaged:
            self.stdout.write("Damaged, imported as well as possible:")
            for origin, sentence in report.damaged:
                self.stdout.write(f"  {_printable(origin)}: {sentence}")
        if report.left_out:
            self.stdout.write("Not imported:")
            for skipped in report.left_out:
                self.stdout.write(f"  {_printable(skipped.origin)}: {_printable(skipped.reason)}")
        self.stdout.write(
            f"Imported {report.imported:,}, already there {report.already_there:,},"
            f" met again in another place {report.met_again:,}, damaged {len(report.damaged):,},"
            f" deleted ones left out {report.deleted:,}, not imported {len(report.left_out):,}."
        )


def _account(address: str) -> Account:
    """Return the account of a user, by address."""
    normal = normalise_address(address)
    if normal is None:
        raise CommandError(f"{address!r} is not an e-mail address.")
    account = Account.objects.filter(name=normal, owner__is_active=True).first()
    if account is None:
        raise CommandError(f"There is no user {normal}.")
    return account


def _printable(text: str) -> str:
    """Return text that does nothing to a terminal: names in archives are a stranger's."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
