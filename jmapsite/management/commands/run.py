"""`manage.py run`: the whole service on this machine, until Ctrl-C."""

from __future__ import annotations

import ipaddress
import signal
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command, get_commands
from django.db import DEFAULT_DB_ALIAS, connections

from accounts.models import Tenant
from jmapsite.checks import restricted_role
from jmapsite.embedded import EmbeddedServerError, Holder, Layout
from jmapsite.embedded.locks import FileLock
from jmapsite.embedded.process_end import end_with_parent
from jmapsite.embedded.server_user import make_var_dir
from jmapsite.running.announcement import announcement, demo_users
from jmapsite.running.certificates import Certificates, make_certificates
from jmapsite.running.processes import processes
from jmapsite.running.supervisor import RunError, Supervisor, refuse_taken_ports


class Command(BaseCommand):
    """Start PostgreSQL and Redis where none are named, migrate, make the demo, start every process, and
    watch.
    """

    help = "Runs the whole service on this machine until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--stop-with-parent",
            action="store_true",
            help="Stop when the process that started this one ends.",
        )

    def handle(self, *args: Any, stop_with_parent: bool, **options: Any) -> None:
        """Run until told to stop.

        Raises `CommandError` with a sentence if the service cannot start or go on.
        """
        supervisor = Supervisor(self._say)
        supervisor.handle_signals()
        if stop_with_parent:
            end_with_parent(signal.SIGTERM)
        layout = Layout(settings.VAR_DIR)
        try:
            make_var_dir(layout)
            lock = FileLock(layout.locks / "run")
            if not lock.try_to_take():
                raise RunError(
                    f"This service runs already with VAR_DIR {settings.VAR_DIR}. Stop it first, or "
                    "name another directory and other ports: make run VAR_DIR=… PORT=… PUSH_PORT=… LMTP_PORT=…"
                )
            names = ("PORT", "PUSH_PORT", "LMTP_PORT", "LOOKUP_PORT")
            ports = {name: getattr(settings, name) for name in names}
            refuse_taken_ports(settings.HOST, {name: port for name, port in ports.items() if port})
            self._run(supervisor)
        except (RunError, EmbeddedServerError) as error:
            raise CommandError(str(error)) from error

    def _run(self, supervisor: Supervisor) -> None:
        if settings.EMBEDDED_SERVERS:
            self._say(f"Starting {' and '.join(settings.EMBEDDED_SERVERS)} in {settings.VAR_DIR} …")
        with Holder(settings.VAR_DIR, settings.EMBEDDED_SERVERS) as holder:
            self._prepare()
            if supervisor.stop_wanted.is_set():
                return
            certificates = self._certificates()
            try:
                for process in processes(certificates):
                    supervisor.start(process)
                supervisor.pass_on_output()
                supervisor.await_ports(settings.HOST)
                if not supervisor.stop_wanted.is_set():
                    self._announce(certificates)
                supervisor.watch(holder.lost)
            finally:
                self._say("Stopping …")
                supervisor.stop()
        self._say("Stopped.")

    def _prepare(self) -> None:
        """Bring the database to the present schema, check the role, create the demo."""
        self._say("Bringing the database up to date …")
        call_command("migrate", database="owner", verbosity=0)
        for problem in restricted_role(databases=[DEFAULT_DB_ALIAS]):
            raise RunError(f"{problem.msg} {problem.hint}")
        loopback = is_loopback(settings.HOST)
        if not loopback and Tenant.objects.filter(is_demo=True).exists():
            raise RunError(
                f"HOST={settings.HOST} would let others in while the demo users exist, whose passwords are "
                "shown to anybody here. Use another VAR_DIR for a service that others reach."
            )
        connections.close_all()
        if loopback and "create_demo" in get_commands():
            # A process of its own: it leaves no thread and no memory in this one.
            demo = subprocess.run(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), "create_demo"], check=False
            )
            if demo.returncode:
                raise RunError("The demo could not be created; what happened stands above.")

    def _certificates(self) -> Certificates | None:
        if not settings.HTTPS:
            return None
        return make_certificates(
            settings.VAR_DIR, settings.PUBLIC_URL, settings.PUSH_PUBLIC_URL, host=settings.HOST
        )

    def _announce(self, certificates: Certificates | None) -> None:
        users = demo_users(settings.VAR_DIR) if is_loopback(settings.HOST) else []
        for line in announcement(
            settings.PUBLIC_URL,
            settings.PUSH_PUBLIC_URL,
            f"{settings.HOST}:{settings.LMTP_PORT}",
            users,
            certificates,
        ):
            self._say(line)

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on the address or name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
