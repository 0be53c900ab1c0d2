"""The tables of the toys."""

from __future__ import annotations

from django.db import models

from jmapcore.store.tracked import TrackedModel


class Cake(TrackedModel):
    """Every method, a tree, names that are unique among siblings, a tag that one cake alone may have."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    name = models.TextField()
    parent_id = models.IntegerField(null=True)
    tag = models.TextField(null=True)
    weight = models.BigIntegerField()
    is_vegan = models.BooleanField()
    baked_at = models.DateTimeField(null=True)
    toppings = models.JSONField()
    layers = models.JSONField()
    slices = models.BigIntegerField()
    shape = models.TextField()

    class Meta(TrackedModel.Meta):
        db_table = "toy_cake"
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "tag"],
                name="toy_cake_tag",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]


class CakeOfUser(TrackedModel):
    """What each user thinks of a cake."""

    pk = models.CompositePrimaryKey("account_id", "object_id", "user_id")
    account_id = models.BigIntegerField()
    object_id = models.IntegerField()
    user_id = models.BigIntegerField()
    is_favourite = models.BooleanField()

    class Meta(TrackedModel.Meta):
        db_table = "toy_cake_user"


class Candle(TrackedModel):
    """Stands on a cake; has /get, /set and /changes alone."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    cake_id = models.IntegerField()
    colour = models.TextField()

    class Meta(TrackedModel.Meta):
        db_table = "toy_candle"


class Oven(TrackedModel):
    """One in each account."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    degrees = models.BigIntegerField()

    class Meta(TrackedModel.Meta):
        db_table = "toy_oven"
