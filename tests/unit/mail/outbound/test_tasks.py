"""The Celery side of the queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from celery import current_app
from django.conf import settings

from jmapcore.store.database import connection
from mail.outbound import courier, offers
from mail.outbound.tasks import begin, end, send_due
from mail.outbound.waking import TASK, wake
from tests.support.outbound import alone
from tests.support.relay import sink, until


@pytest.fixture
def ended(database: None) -> Iterator[None]:
    alone()
    yield
    courier.stop_of_process()


def couriers() -> set[threading.Thread]:
    return {
        each for each in threading.enumerate() if each.name.startswith("courier-") and each.name[-1].isdigit()
    }


def test_the_task_starts_the_courier_of_its_process_once(ended: None) -> None:
    before = couriers()
    send_due()
    first = courier.of_process()
    send_due()
    begin()
    assert courier.of_process() is first
    assert len(couriers() - before) == settings.MAIL_SENDERS + 2
    end()
    assert couriers() == before


def test_the_clock_starts_a_task_that_is_there(ended: None) -> None:
    entries = current_app.conf.beat_schedule
    assert entries["send-due"]["task"] == TASK
    assert TASK in current_app.tasks


def test_waking_waits_for_nobody(database: None) -> None:
    began = time.monotonic()
    for _ in range(1_000):
        wake()
    assert time.monotonic() - began < 1


def test_a_courier_learns_what_the_relay_offers(ended: None) -> None:

    with sink(knows_dsn=False) as relay:
        before, settings.MAIL_RELAY = settings.MAIL_RELAY, relay.relay
        try:
            send_due()
            until(lambda: _remembered(relay.relay.name))
            offers.forget()
            assert "DSN" not in offers.submission_extensions()
        finally:
            courier.stop_of_process()
            settings.MAIL_RELAY = before


def _remembered(name: str) -> bool:
    with connection() as lent:
        return lent.execute("SELECT 1 FROM relay_offer WHERE relay = %s", (name,)).fetchone() is not None
