"""The declarations of the toys. Each uses something that a declaration can say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from accounts.access import AccountAccess
from jmapcore.context import RequestContext
from jmapcore.protocol.errors import InvalidProperties, SetError
from jmapcore.protocol.registry import Capability, Registry
from jmapcore.protocol.schema import Argument, Filter, ObjectType, Property, SetBy, Sort, Unique
from jmapcore.protocol.wire import (
    Boolean,
    Id,
    Int,
    ListOf,
    Nullable,
    ObjectOf,
    SetOf,
    String,
    UnsignedInt,
    UTCDate,
)
from jmapcore.standard.methods import register_type
from jmapcore.store.model_storage import ModelStorage
from jmapcore.store.plan import Record, SetPlan
from jmapcore.store.reading import Reading
from jmapcore.store.states import TypeMark
from jmapcore.store.storage import Fetched, Storage
from tests.toys.models import Cake, CakeOfUser, Candle, Oven

CAPABILITY = "urn:example:toys"
BELL = "ToyBell"


class TooManyCandles(SetError):
    """A type's own SetError."""

    type = "tooManyCandles"


class NoTwoWordsAreFree(InvalidProperties):
    """A record that its own check refuses."""


def check_cake(access: AccountAccess, record: Record, changed: frozenset[str]) -> Mapping[str, Any]:
    """A cake's name loses the blanks around it; a cake of nothing is none."""
    name = record.get("name", "").strip()
    if not name:
        raise InvalidProperties(["name"])
    return {"name": name} if name != record["name"] else {}


def check_cakes(plan: SetPlan) -> None:
    """No cake stands on itself, however far down; a cake that carries others stays."""
    if (
        not plan.creates
        and not plan.destroys
        and not any("parentId" in each.changed for each in plan.updates.values())
    ):
        return
    rows = plan.write.execute(
        "SELECT id, parent_id FROM toy_cake WHERE account_id = %s", (plan.write.account_id,)
    )
    parents = {f"k{number}": f"k{parent}" if parent is not None else None for number, parent in rows}
    for item, record in plan.records():
        parents[plan.wire_id(item.id)] = record["parentId"]
    for number in plan.destroys:
        parents.pop(plan.wire_id(number), None)
    carrying = set(parents.values())
    for number in list(plan.destroys):
        if plan.wire_id(number) in carrying:
            plan.fail_destroy(number, HasCakeOnTop())
    for item, _ in plan.records():
        seen: set[str | None] = set()
        current: str | None = plan.wire_id(item.id)
        while current is not None and current not in seen:
            seen.add(current)
            current = parents.get(current)
        if current is not None:
            plan.fail(item, InvalidProperties(["parentId"]))
            return


class HasCakeOnTop(SetError):
    """A cake that carries another one cannot be taken away."""

    type = "cakeHasCakeOnTop"


class CakeStorage(ModelStorage):
    """Counts the candles, and rings the bell on request."""

    def apply(self, plan: SetPlan) -> None:
        """Write, then what the extra arguments ask for."""
        super().apply(plan)
        if plan.arguments.get("ringTheBell"):
            plan.write.touched(BELL)
            plan.response["rang"] = True
        if plan.arguments.get("onSuccessGet"):
            arguments = {"accountId": plan.arguments["accountId"], "ids": [], "properties": None}
            plan.implicit.append(("ToyCake/get", arguments))


class CandleStorage(ModelStorage):
    """A new candle makes its cake have one slice less: a volatile property."""

    def apply(self, plan: SetPlan) -> None:
        """Write, and move the counts."""
        super().apply(plan)
        cakes = {int(create.record["cakeId"][1:]) for create in plan.creates.values()}
        for cake in sorted(cakes):
            plan.write.execute(
                "UPDATE toy_cake SET slices = slices - 1 WHERE account_id = %s AND id = %s",
                (plan.write.account_id, cake),
            )
            plan.write.updated("ToyCake", cake, volatile=True)


class CrumbStorage(Storage):
    """Crumbs belong to a user and not to an account: a small store of its own, here in memory."""

    def __init__(self) -> None:
        self.crumbs: dict[int, dict[int, Record]] = {}

    @contextmanager
    def writing(
        self, context: RequestContext, access: AccountAccess, prelude: Sequence[Any] = ()
    ) -> Iterator[Any]:
        """No account is written, and no state kept."""
        yield CrumbWrite(context.connection, access)

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """The crumbs of the caller."""
        mine = self.crumbs.get(reading.access.user_id, {})
        return Fetched(
            {
                number: {name: {**record, "id": f"x{number}"}.get(name) for name in properties}
                for number, record in mine.items()
                if ids is None or number in ids
            }
        )

    def load(
        self, write: Any, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> dict[int, Record]:
        """The crumbs as they are."""
        mine = self.crumbs.get(access.user_id, {})
        return {number: dict(mine[number]) for number in ids if number in mine}

    def apply(self, plan: SetPlan) -> None:
        """Keep them."""
        mine = self.crumbs.setdefault(plan.access.user_id, {})
        for create in plan.creates.values():
            mine[create.id] = dict(create.record)
        for update in plan.updates.values():
            mine[update.id] |= update.new
        for number in plan.destroys:
            mine.pop(number, None)


class CrumbWrite:
    """Stands where an account's write stands for other types."""

    _next = 1

    def __init__(self, connection: Any, access: AccountAccess) -> None:
        self.connection = connection

    def new_ids(self, count: int) -> range:
        """Ids from a counter of its own."""
        first = CrumbWrite._next
        CrumbWrite._next += count
        return range(first, first + count)

    def mark(self, type_name: str) -> TypeMark:
        """Never asked for: the type has no state."""
        raise AssertionError("a type without a state was asked for one")


CAKE = ObjectType(
    name="ToyCake",
    capability=CAPABILITY,
    letter="k",
    methods=frozenset({"get", "changes", "set", "copy", "query", "queryChanges"}),
    storage=CakeStorage(Cake, per_user=CakeOfUser),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "name": Property(String(100, 1)),
        "parentId": Property(Nullable(Id(to="ToyCake")), None),
        "tag": Property(Nullable(String(20)), None),
        "weight": Property(UnsignedInt(), 500),
        "isVegan": Property(Boolean(), False),
        "bakedAt": Property(Nullable(UTCDate()), None),
        "toppings": Property(SetOf(String()), dict),
        "layers": Property(ListOf(ObjectOf({"of": String(), "height": Int(1, 9)}, ["of"])), list),
        "shape": Property(String(choices=frozenset({"round", "square"})), "round", set_by=SetBy.CREATE),
        "slices": Property(UnsignedInt(), 12, set_by=SetBy.SERVER, volatile=True),
        "isFavourite": Property(Boolean(), False, per_user=True, writable_read_only=True),
        "mayEat": Property(
            Boolean(), set_by=SetBy.SERVER, computed=lambda access, record: not access.is_read_only
        ),
        "secret": Property(
            String(),
            set_by=SetBy.SERVER,
            in_get=False,
            computed=lambda access, record: f"recipe of {record['name']}",
        ),
    },
    filters={
        "name": Filter(String(), ("name",), lambda record, value: value.lower() in record["name"].lower()),
        "parentId": Filter(
            Nullable(Id(to="ToyCake")), ("parentId",), lambda record, value: record["parentId"] == value
        ),
        "shape": Filter(String(), ("shape",), lambda record, value: record["shape"] == value, mutable=False),
        "minWeight": Filter(UnsignedInt(), ("weight",), lambda record, value: record["weight"] >= value),
        "unheardOf": Filter(String()),
    },
    sorts={
        "name": Sort(("name",), text=True),
        "weight": Sort(("weight",)),
        "bakedAt": Sort(("bakedAt",)),
        "isVegan": Sort(("isVegan",)),
        "shape": Sort(("shape",), text=True, mutable=False),
        "topping": Sort(
            ("toppings",),
            lambda record: len(record["toppings"]) > 0,
            arguments={"atLeast": Argument(Int(), 1)},
        ),
    },
    unique=(
        Unique(("parentId", "name")),
        Unique(("tag",), "invalidProperties", ignore_null="tag"),
    ),
    arguments={
        "set": {"ringTheBell": Argument(Boolean(), False), "onSuccessGet": Argument(Boolean(), False)}
    },
    check_record=check_cake,
    check_set=check_cakes,
    open_to_read_only=True,
)

CANDLE = ObjectType(
    name="ToyCandle",
    capability=CAPABILITY,
    letter="l",
    methods=frozenset({"get", "set", "changes"}),
    storage=CandleStorage(Candle),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "cakeId": Property(Id(to="ToyCake"), set_by=SetBy.CREATE),
        "colour": Property(String(), "white"),
    },
)

OVEN = ObjectType(
    name="ToyOven",
    capability=CAPABILITY,
    letter="o",
    methods=frozenset({"get", "set"}),
    storage=ModelStorage(Oven),
    properties={"id": Property(Id(), set_by=SetBy.SERVER), "degrees": Property(Int(20, 300), 20)},
    singleton=True,
)

CRUMB = ObjectType(
    name="ToyCrumb",
    capability=CAPABILITY,
    letter="x",
    methods=frozenset({"get", "set"}),
    storage=CrumbStorage(),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "size": Property(UnsignedInt(), 1),
        "of": Property(Nullable(String())),
    },
    accepts_property=lambda name: name.startswith("note:"),
    report_created=("id", "size"),
    has_account=False,
    has_state=False,
)

RING = ObjectType(name=BELL, capability=CAPABILITY, letter="y")


def register(registry: Registry) -> None:
    """Register the toys."""
    registry.add_capability(
        Capability(
            CAPABILITY, lambda: {"bakery": "open"}, lambda access: {"mayBake": not access.is_read_only}
        )
    )
    for declared in (CAKE, CANDLE, OVEN, CRUMB, RING):
        register_type(registry, declared)
