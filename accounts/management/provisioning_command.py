"""The base of the commands that provision: a refusal is a sentence on standard error, never a traceback."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.provisioning import ProvisioningError


class ProvisioningCommand(BaseCommand):
    """A command whose work is `provision`. Secrets go to standard output, sentences to standard error."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Run `provision`; what it refuses ends the command with its sentence."""
        try:
            self.provision(**options)
        except ProvisioningError as error:
            raise CommandError(str(error)) from error

    def provision(self, **options: Any) -> None:
        """The work itself, with the command's options by name."""
        raise NotImplementedError

    def note(self, sentence: str) -> None:
        """Tell the person at the terminal, without getting into what a script captures."""
        self.stderr.write(sentence, style_func=str)
