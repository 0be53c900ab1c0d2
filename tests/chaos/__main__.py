"""The program of `make chaos`."""

from __future__ import annotations

import argparse
import os
import queue
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.elsewhere import REFUSED, Elsewhere, elsewhere
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from tests.chaos.incoming import Feeder
    from tests.chaos.outgoing import Sender
    from tests.chaos.site import Site
    from tests.support.http_client import Client

RECIPIENTS = [f"user{number}@chaos.example" for number in range(5)]
SENDERS = RECIPIENTS[:3]
CONNECTIONS = 4
END_SECONDS = 600


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000, help="messages that come in by LMTP (5000)")
    parser.add_argument("--submissions", type=int, default=1_000, help="messages that are sent (1000)")
    parser.add_argument("--kills", type=int, default=120, help="kills and restarts (120)")
    parser.add_argument(
        "--gap", type=float, default=1.0, help="seconds between two of them, on average (1.0)"
    )
    parser.add_argument(
        "--seed", type=int, default=None, help="of the randomness; printed, to be given again"
    )
    parser.add_argument("--keep", action="store_true", help="keep the data directory, for a look at it")
    return parser.parse_args()


def say(words: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {words}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the storm; 0 where nothing was lost and nothing is there twice."""
    wanted = options()
    seed = wanted.seed if wanted.seed is not None else random.SystemRandom().randrange(1 << 32)
    directory = Path(tempfile.mkdtemp(prefix="chaos-", dir=os.environ.get("VAR_DIR")))
    directory.chmod(0o755)
    port, push_port, lmtp_port, lookup_port, relay_port = free_ports(5)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "jmapsite.settings",
        "VAR_DIR": str(directory),
        "PORT": str(port),
        "PUSH_PORT": str(push_port),
        "LMTP_PORT": str(lmtp_port),
        "LOOKUP_PORT": str(lookup_port),
        "MAIL_RELAY_URL": f"smtp://127.0.0.1:{relay_port}",
        # Many of few users, all at once.
        "MAIL_RECIPIENTS_PER_HOUR": "1000000",
        "MAIL_RECIPIENTS_PER_HOUR_OF_TENANT": "1000000",
    }
    say(f"Data in {directory}; --seed {seed}")
    wrong = storm(wanted, directory, port, lmtp_port, relay_port, random.Random(seed))
    for sentence in wrong:
        say(f"WRONG: {sentence}")
    say("Something was lost, doubled or left undone." if wrong else "Nothing lost, nothing doubled.")
    if wanted.keep or wrong:
        say(
            f"The data are kept in {directory}; what the processes printed is in {directory / 'processes.log'}."
        )
    else:
        import shutil

        shutil.rmtree(directory)
    return 1 if wrong else 0


def storm(
    wanted: argparse.Namespace,
    directory: Path,
    port: int,
    lmtp_port: int,
    relay_port: int,
    randomness: random.Random,
) -> list[str]:
    """Start everything, let it rain, and look at what is left; sentences about what is wrong."""
    # Only now: the settings read the environment as they are imported.
    from jmapsite.running.processes import processes
    from tests.chaos.incoming import Feeder, letters
    from tests.chaos.outgoing import Sender
    from tests.chaos.site import KILLED, Site
    from tests.support.http_client import Client

    started = [process for process in processes(None) if process.name in KILLED]
    site = Site(directory, started, directory / "processes.log", randomness)
    try:
        with elsewhere(relay_port) as relay:
            site.hold_servers()
            site.command("migrate", "--database", "owner", "--verbosity", "0")
            clients = make_users(site, lambda token: Client(port, token))
            site.start()
            since = {address: first_states(client) for address, client in clients.items()}
            incoming: queue.SimpleQueue[Any] = queue.SimpleQueue()
            outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
            work = Work(
                [(incoming, letter) for letter in letters(wanted.messages, RECIPIENTS, randomness)]
                + [(outgoing, number) for number in range(wanted.submissions)],
                randomness,
            )
            feeder = Feeder(lmtp_port, incoming)
            senders = [Sender(clients[address], address, outgoing) for address in SENDERS]
            began = time.monotonic()
            threads = [*feeder.run(CONNECTIONS), *(sender.run() for sender in senders)]
            disturb(site, wanted, work, feeder, senders, randomness)
            for waiting, workers in ((incoming, CONNECTIONS), (outgoing, len(senders))):
                for _ in range(workers):
                    waiting.put(None)
            for thread in threads:
                thread.join()
            say(f"All handed over after {time.monotonic() - began:.0f} s; waiting for what is still queued.")
            wait_for_the_end(list(clients.values()), END_SECONDS)
            say(f"All ended after {time.monotonic() - began:.0f} s.")
            return examine(site, clients, since, feeder, senders, relay)
    finally:
        site.stop()


def make_users(site: Site, client: Callable[[str], Client]) -> dict[str, Client]:
    """A tenant with users; a client for each."""
    site.command("create_tenant", "Chaos", "--domain", "chaos.example")
    clients = {}
    for address in RECIPIENTS:
        site.command("create_user", address)
        clients[address] = client(site.command("create_access_token", address).split()[-1])
    return clients


def first_states(client: Client) -> dict[str, str]:
    """Wait for the service, and take the states of the empty account."""
    from tests.support.http_client import AwayError

    deadline = time.monotonic() + 60
    while True:
        try:
            client.open()
            [answer] = client.call(("Email/get", {"ids": []}))
        except AwayError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return {"Email": answer["state"]}


class Work:
    """What is to be handed over, in random order, given out bit by bit so that it lasts as long as the kills do."""

    def __init__(self, tasks: list[tuple[queue.SimpleQueue[Any], Any]], randomness: random.Random) -> None:
        randomness.shuffle(tasks)
        self._tasks = tasks
        self._given = 0

    def give(self, share: float) -> None:
        """Give out so much of all of it, 0 to 1, as has not been given out before."""
        upto = round(len(self._tasks) * min(share, 1.0))
        for waiting, task in self._tasks[self._given : upto]:
            waiting.put(task)
        self._given = max(self._given, upto)


def disturb(
    site: Site,
    wanted: argparse.Namespace,
    work: Work,
    feeder: Feeder,
    senders: list[Sender],
    randomness: random.Random,
) -> None:
    """Hand out the work, and kill and restart meanwhile."""
    for done in range(1, wanted.kills + 1):
        work.give(done / wanted.kills)
        time.sleep(randomness.expovariate(1 / wanted.gap))
        choice = randomness.random()
        if choice < 0.04:
            what = site.restart_postgresql()
        elif choice < 0.06:
            what = site.restart_redis()
        elif choice < 0.12:
            what = site.empty_redis()
        else:
            what = site.kill_one()
        if done % 10 == 0:
            say(
                f"{done} kills, the last of {what}; {len(feeder.accepted)} accepted by LMTP, "
                f"{sum(len(sender.sent) for sender in senders)} submitted"
            )


def wait_for_the_end(clients: list[Client], seconds: float) -> None:
    """Wait until no submission is pending any more, at most so long."""
    from tests.chaos.verification import still_pending
    from tests.support.http_client import AwayError

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            pending = sum(map(still_pending, clients))
        except AwayError:
            pending = -1
        if pending == 0:
            return
        time.sleep(0.5)


def examine(
    site: Site,
    clients: dict[str, Client],
    since: dict[str, dict[str, str]],
    feeder: Feeder,
    senders: list[Sender],
    relay: Elsewhere,
) -> list[str]:
    """Compare what was promised with what is there, print the figures; what is wrong."""
    from tests.chaos.outgoing import message_id, recipient_of
    from tests.chaos.verification import (
        Findings,
        check_arrivals,
        check_changes,
        check_submissions,
    )

    findings = Findings()
    for address, client in clients.items():
        check_arrivals(client, address, feeder.accepted, findings)
        check_changes(client, address, since[address], findings)
        try:
            site.command("verify_account", address)
        except RuntimeError as error:
            findings.wrong.append(str(error))
    repeated = 0
    for sender in senders:
        # A relay took the others, "and no further information is available" (RFC 8621 §7).
        expected = {n: "no" if recipient_of(n).startswith(REFUSED) else "unknown" for n in sender.sent}
        check_submissions(sender.client, sender.sent, expected, findings)
        for number in sender.sent:
            times = relay.received[f"<{message_id(number)}>", recipient_of(number)]
            if expected[number] != "no" and times == 0:
                findings.wrong.append(f"submission {number} never left")
            repeated += max(0, times - 1)
    findings.wrong += feeder.refused
    kills = ", ".join(f"{name} {count}" for name, count in sorted(site.kills.items()))
    say(f"Kills and restarts: {sum(site.kills.values())} ({kills})")
    say(
        f"Recipients answered 250: {len(feeder.accepted)}; messages found: {findings.figures['messages found']}"
    )
    say(f"Hand-overs repeated because no answer came: {feeder.repeats}")
    failures = sum(sender.failures for sender in senders)
    say(f"Submissions: {sum(len(sender.sent) for sender in senders)}; calls that failed: {failures}")
    say(f"Messages that the relay got more than once (killed between its 250 and the commit): {repeated}")
    return findings.wrong


if __name__ == "__main__":
    sys.exit(main())
