"""Who works on the queue in a process: one thread that claims, one that renews leases, and several that send."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Iterable

from django.conf import settings

from jmapcore.store import database
from mail.outbound import offers, rates
from mail.outbound.attempt import Sender
from mail.outbound.pauses import Pause
from mail.outbound.persistence import AWAY, StoppedError
from mail.outbound.queue import LEASE, Claim, claim, give_back, next_due, renew
from mail.outbound.relay import RelayConnection, RelayError
from mail.outbound.relay_address import Relay

logger = logging.getLogger("mail.outbound")

LOOK_SECONDS = 0.5
"""How long the queue is left alone where nothing says that something is due: nobody has to call."""
RENEW_SECONDS = LEASE.total_seconds() / 4
MARGIN_SECONDS = 2.0
"""By how much sooner than the database a process believes that it has lost a lease."""
GIVE_UP_SECONDS = 30.0
FORGET_SECONDS = 600
STOP_SECONDS = 5.0


class Courier:
    """The threads of one process that deliver what is due. `start` it, `wake` it as something may be due, `stop` it."""

    def __init__(self, senders: int | None = None) -> None:
        self._senders = senders or settings.MAIL_SENDERS
        self._pause = Pause()
        self._work: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._leases: dict[Claim, float] = {}
        """What was claimed and is not settled: until when it is certainly ours, by the monotonic clock."""
        self._begun: set[Claim] = set()
        self._give_up_at = 0.0
        """When to look again, during a pause, for what is to be given up."""
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads. They are daemons: a process that ends in a hurry leaves its rows to their leases."""
        works = [self._claim_forever, self._renew_forever, *[self._send_forever] * self._senders]
        for number, work in enumerate(works):
            thread = threading.Thread(target=work, name=f"courier-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Look at the queue now."""
        self._due.set()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Claim nothing more, give back what nobody began with, and wait for the rest, but not for longer than some seconds."""
        self._stopping.set()
        self._due.set()
        for _ in range(self._senders):
            self._work.put(None)
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        with self._lock:
            left = [each for each in self._leases if each not in self._begun]
        try:
            with database.connection() as connection:
                give_back(connection, left)
        except AWAY as error:
            logger.warning("claims are left to their leases: %s", type(error).__name__)

    def holds(self, claim: Claim) -> bool:
        """Whether a lease is certainly ours still."""
        with self._lock:
            return self._leases.get(claim, 0.0) > time.monotonic()

    # Claiming

    def _claim_forever(self) -> None:
        while not self._stopping.is_set():
            try:
                wait = self._claim_some()
            except AWAY as error:
                logger.warning("the queue cannot be read: %s", type(error).__name__)
                wait = 1.0
            except Exception:
                logger.exception("claiming failed")
                wait = 1.0
            if wait > 0:
                self._due.wait(wait)
            self._due.clear()

    def _claim_some(self) -> float:
        """Claim what there is room for; seconds until the next look, 0 to look again at once."""
        with self._lock:
            room = self._senders - len(self._leases)
        if room <= 0:
            return LOOK_SECONDS  # whoever gets ready wakes us
        pause = self._pause.seconds
        if pause > 0 and time.monotonic() < self._give_up_at:
            return min(pause, LOOK_SECONDS)
        if pause > 0:
            # All that is due has to be looked through for what is to be given up.
            self._give_up_at = time.monotonic() + GIVE_UP_SECONDS
        elif self._pause.is_on_trial:
            room = min(room, 1) if room == self._senders else 0
            if not room:
                return LOOK_SECONDS
        before = time.monotonic()
        with database.connection() as connection:
            claims = claim(connection, room, expired_only=pause > 0)
            if not claims:
                due = next_due(connection) if pause <= 0 else pause
                return LOOK_SECONDS if due is None else min(max(due, 0.01), LOOK_SECONDS)
        self._keep(claims, before)
        for each in claims:
            self._work.put(each)
        return LOOK_SECONDS if len(claims) == room else 0.0

    def _keep(self, claims: Iterable[Claim], since: float) -> None:
        until = since + LEASE.total_seconds() - MARGIN_SECONDS
        with self._lock:
            self._leases |= dict.fromkeys(claims, until)

    # Leases

    def _learn(self) -> None:
        """Ask the relay what it offers, so that the session says so before the first message leaves."""
        relay: Relay | None = settings.MAIL_RELAY
        if relay is None:
            return
        connection = RelayConnection(relay, lambda features: offers.learn(relay.name, features))
        try:
            _ = connection.extensions
        except RelayError as error:
            logger.warning("what the relay offers is not known yet: %s", error.answer.code)
        except AWAY as error:
            logger.warning("what the relay offers cannot be remembered: %s", type(error).__name__)
        finally:
            connection.close()

    def _renew_forever(self) -> None:
        threading.Thread(target=self._learn, name="courier-learning", daemon=True).start()
        forget_at = time.monotonic()
        while not self._stopping.wait(RENEW_SECONDS):
            try:
                self._renew()
                if time.monotonic() >= forget_at:
                    forget_at = time.monotonic() + FORGET_SECONDS
                    with database.connection() as connection:
                        rates.forget(connection)
            except AWAY as error:
                logger.warning("leases cannot be renewed: %s", type(error).__name__)
            except Exception:
                logger.exception("renewing leases failed")

    def _renew(self) -> None:
        with self._lock:
            claims = list(self._leases)
        if not claims:
            return
        before = time.monotonic()
        with database.connection() as connection:
            ours = renew(connection, claims)
        until = before + LEASE.total_seconds() - MARGIN_SECONDS
        with self._lock:
            for each in claims:
                if each in self._leases:
                    self._leases[each] = until if each in ours else 0.0

    # Sending

    def _send_forever(self) -> None:
        sender = Sender(self._pause, self.holds, self._stopping)
        while True:
            try:
                each = self._work.get(timeout=10)
            except queue.Empty:
                sender.close_if_idle()
                continue
            if each is None or self._stopping.is_set():
                break
            with self._lock:
                self._begun.add(each)
            try:
                sender.deliver(each)
            except StoppedError:
                logger.warning("a delivery is left to its lease")
            except Exception:
                # The row comes back after the lease, and the next attempt may fare better.
                logger.exception("an attempt to deliver failed")
            finally:
                self._forget(each)
        sender.close()

    def _forget(self, claim: Claim) -> None:
        with self._lock:
            self._leases.pop(claim, None)
            self._begun.discard(claim)
        self._due.set()


_courier: Courier | None = None
_pid = 0
_starting = threading.Lock()


def of_process() -> Courier:
    """The courier of this process, started where it was not: a process that was forked has one of its own."""
    global _courier, _pid
    with _starting:
        if _courier is None or _pid != os.getpid():
            _courier, _pid = Courier(), os.getpid()
            _courier.start()
        return _courier


def stop_of_process() -> None:
    """Stop the courier of this process, if there is one."""
    global _courier
    with _starting:
        courier, _courier = _courier, None
    if courier is not None and _pid == os.getpid():
        courier.stop()
