"""A naive model of cakes and candles: dicts, and the rules of RFC 8620 §5.3 one record after the other."""

from __future__ import annotations

import copy
import random
from typing import Any

DEFAULTS: dict[str, Any] = {
    "parentId": None, "tag": None, "weight": 500, "isVegan": False, "bakedAt": None, "toppings": {}, "layers": [],
    "shape": "round", "slices": 12,
}  # fmt: skip


class Model:
    """What two users of one account must see."""

    def __init__(self) -> None:
        self.cakes: dict[str, dict[str, Any]] = {}
        self.candles: dict[str, dict[str, Any]] = {}
        self.favourites: dict[tuple[str, str], bool] = {}

    def shown(self, user: str) -> dict[str, dict[str, Any]]:
        """The cakes as a user sees them."""
        return {
            name: {
                **record,
                "id": name,
                "isFavourite": self.favourites.get((user, name), False),
                "mayEat": True,
            }
            for name, record in self.cakes.items()
        }

    def created(self, user: str, cake_id: str, given: dict[str, Any]) -> None:
        """A cake was created."""
        record = {**copy.deepcopy(DEFAULTS), **given}
        self.favourites[user, cake_id] = record.pop("isFavourite", False)
        self.cakes[cake_id] = record

    def updated(self, user: str, cake_id: str, patch: dict[str, Any]) -> None:
        """A cake was updated."""
        record = self.cakes[cake_id]
        for pointer, value in patch.items():
            name, _, key = pointer.partition("/")
            if key:
                if value is None:
                    record[name].pop(key, None)
                else:
                    record[name][key] = value
            elif name == "isFavourite":
                self.favourites[user, cake_id] = bool(value)
            else:
                record[name] = copy.deepcopy(DEFAULTS[name]) if value is None else copy.deepcopy(value)

    def destroyed(self, cake_id: str) -> None:
        """A cake was destroyed."""
        del self.cakes[cake_id]

    def lit(self, arguments: dict[str, Any], answer: dict[str, Any]) -> None:
        """Candles were put on cakes, which have a slice less each, and blown out."""
        for key, made in (answer["created"] or {}).items():
            given = arguments["create"][key]
            self.candles[made["id"]] = {"id": made["id"], "colour": "white", **given}
        for cake_id in {arguments["create"][key]["cakeId"] for key in answer["created"] or {}}:
            self.cakes[cake_id]["slices"] -= 1
        for candle_id in answer["destroyed"] or []:
            del self.candles[candle_id]

    def check(self) -> None:
        """What must hold of every final state."""
        siblings = [(record["parentId"], record["name"]) for record in self.cakes.values()]
        tags = [record["tag"] for record in self.cakes.values() if record["tag"] is not None]
        assert len(siblings) == len(set(siblings))
        assert len(tags) == len(set(tags))
        for name in self.cakes:
            seen = set()
            parent: str | None = name
            while parent is not None:
                assert parent not in seen
                seen.add(parent)
                parent = self.cakes[parent]["parentId"]


class Player:
    """Makes up calls from a seed, about what the model says there is."""

    def __init__(self, seed: int, model: Model) -> None:
        self.dice = random.Random(seed)
        self.model = model

    def some_cake(self, creations: list[str]) -> str:
        """An id that is there, mostly."""
        pool = [*self.model.cakes, *(f"#{each}" for each in creations)]
        return self.dice.choice(pool) if pool and self.dice.random() < 0.95 else "k999999"

    def values(self, creations: list[str]) -> dict[str, Any]:
        """Some properties and values, most of them valid."""
        made: dict[str, Any] = {
            "name": self.dice.choice("ABCDEF"),
            "parentId": self.dice.choice([None, None, self.some_cake(creations)]),
            "tag": self.dice.choice([None, "x", "y"]),
            "weight": self.dice.choice([1, 2, 500, -1] if self.dice.random() < 0.1 else [1, 2, 500]),
            "isVegan": self.dice.choice([True, False]),
            "bakedAt": self.dice.choice([None, "2020-01-01T00:00:00Z"]),
            "toppings": self.dice.choice([{}, {"a": True}, {"a": True, "b": True}]),
            "layers": self.dice.choice([[], [{"of": "jam", "height": 2}]]),
            "isFavourite": self.dice.choice([True, False]),
        }
        names = self.dice.sample(sorted(made), self.dice.randint(0, 4))
        return {name: made[name] for name in names}

    def candles(self) -> dict[str, Any]:
        """The arguments of a ToyCandle/set."""
        create = {
            f"l{number}": {"cakeId": self.some_cake([]), **self.dice.choice([{}, {"colour": "red"}])}
            for number in range(self.dice.randint(0, 2))
        }
        lit = sorted(self.model.candles)
        return {"create": create, "destroy": self.dice.sample(lit, min(len(lit), self.dice.randint(0, 1)))}

    def call(self) -> dict[str, Any]:
        """The arguments of a ToyCake/set."""
        creations = [f"n{number}" for number in range(self.dice.randint(0, 3))]
        create = {}
        for key in creations:
            create[key] = {"name": self.dice.choice("ABCDEF"), **self.values(creations)}
        update = {}
        for _ in range(self.dice.randint(0, 3)):
            patch = self.values(creations)
            if self.dice.random() < 0.3 and "toppings" not in patch:
                patch |= {"toppings/a": self.dice.choice([True, None]), "toppings/c": True}
            if self.dice.random() < 0.2:
                patch["weight"] = None
            update[self.some_cake(creations)] = patch
        destroy = [self.some_cake(creations) for _ in range(self.dice.choice([0, 0, 0, 1, 2]))]
        return {"create": create, "update": update, "destroy": list(dict.fromkeys(destroy))}
