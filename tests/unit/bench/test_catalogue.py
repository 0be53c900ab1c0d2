"""Every workload is answered by the service as it is."""

from __future__ import annotations

import random

import pytest

from bench.catalogue import BY_NAME, WORKLOADS
from bench.profiling import InProcess
from bench.workload import Share
from jmapsite.wsgi import application
from tests.unit.bench.conftest import Seeded


@pytest.mark.parametrize("name", BY_NAME)
def test_workload_is_answered(seeded: Seeded, name: str) -> None:
    workload = BY_NAME[name]
    service = InProcess(application, seeded.target)
    facts = workload.facts(service.exchange, seeded.target)
    script = workload.script(Share(seeded.target, service.exchange, random.Random(1), facts))
    request = next(script)
    refusals = []
    for _ in range(4):
        response = service.exchange(request)
        refusals.append(response.refusal())
        request = script.send(response)
    assert refusals == [None] * 4


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(WORKLOADS)
