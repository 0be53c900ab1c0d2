"""Tracked models: the nine ways in which the ORM writes are refused outside the write path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import models, transaction

from jmapcore.store.database import django_connection, execute
from jmapcore.store.tracked import OutsideWritePathError
from jmapcore.store.write import account_write
from tests.support.cast import Cast
from tests.toys import models as toys

Candle: Any = toys.Candle

WAYS: dict[str, Callable[[int], object]] = {
    "save": lambda account: Candle(account_id=account, id=1, cake_id=1, colour="red").save(),
    "create": lambda account: Candle.objects.create(account_id=account, id=1, cake_id=1, colour="red"),
    "bulk_create": lambda account: Candle.objects.bulk_create(
        [Candle(account_id=account, id=1, cake_id=1, colour="red")]
    ),
    "get_or_create": lambda account: Candle.objects.create(account_id=account, id=2, cake_id=1, colour="red"),
    "update": lambda account: Candle.objects.filter(account_id=account).update(colour="blue"),
    "bulk_update": lambda account: Candle.objects.bulk_update(
        [Candle(account_id=account, id=1, cake_id=1, colour="blue")], ["colour"]
    ),
    "delete of an object": lambda account: Candle(account_id=account, id=1, cake_id=1, colour="red").delete(),
    "delete of a queryset": lambda account: Candle.objects.filter(account_id=account).delete(),
    "_raw_delete": lambda account: Candle.objects.filter(account_id=account)._raw_delete("default"),
    "_update": lambda account: Candle.objects.filter(account_id=account)._update([]),
    "_insert": lambda account: Candle.objects.all()._insert([], fields=[], using="default"),
    "_batched_insert": lambda account: Candle.objects.all()._batched_insert([], [], None),
    "_base_manager": lambda account: Candle._base_manager.filter(account_id=account).update(colour="blue"),
    "save_base": lambda account: models.Model.save(Candle(account_id=account, id=1, cake_id=1, colour="red")),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_orm_writes_nothing_outside_the_write_path(cast: Cast, way: str) -> None:
    with pytest.raises(OutsideWritePathError), transaction.atomic():
        WAYS[way](cast.alice.account.pk)


def test_inside_the_write_path_the_orm_writes(cast: Cast) -> None:
    account = cast.alice.account.pk
    with transaction.atomic(), account_write(account, django_connection()):
        Candle.objects.create(account_id=account, id=1, cake_id=1, colour="red")
        candle = Candle.objects.get(account_id=account, id=1)
        candle.colour = "blue"
        candle.save()
        Candle.objects.bulk_create([Candle(account_id=account, id=2, cake_id=1, colour="red")])
        Candle.objects.bulk_update([Candle(account_id=account, id=2, cake_id=1, colour="green")], ["colour"])
        Candle.objects.filter(account_id=account, id=2).update(cake_id=3)
        assert list(Candle.objects.order_by("id").values_list("id", "cake_id", "colour")) == [
            (1, 1, "blue"),
            (2, 3, "green"),
        ]
        candle.delete()
        Candle.objects.filter(account_id=account).delete()
    with transaction.atomic():
        execute(django_connection(), "SELECT set_config('jmap.account', %s, true)", (str(account),))
        assert not Candle.objects.filter(account_id=account).exists()
