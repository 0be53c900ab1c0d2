"""A query: its parsed filter and sort, and the window of its results (RFC 8620 §5.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jmapcore.protocol.collation import COLLATIONS, DEFAULT_COLLATION
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.dispatch import checked_arguments
from jmapcore.protocol.errors import AnchorNotFound, InvalidArguments, UnsupportedFilter, UnsupportedSort
from jmapcore.protocol.schema import QUERY, Argument, Filter, ObjectType, Sort
from jmapcore.protocol.wire import Boolean, Nullable, String, WireError

MAX_CONDITIONS = 1_000
"""Conditions and operators that one filter may hold."""
MAX_COMPARATORS = 20


@dataclass(frozen=True, slots=True)
class Condition:
    """One property of a FilterCondition, with its checked value."""

    name: str
    value: Any
    declared: Filter


@dataclass(frozen=True, slots=True)
class Operator:
    """AND, OR or NOT of others."""

    operator: str
    conditions: tuple[FilterNode, ...]


FilterNode = Condition | Operator


@dataclass(frozen=True, slots=True)
class Comparator:
    """One level of the sort."""

    name: str
    ascending: bool
    collation: str
    arguments: Mapping[str, Any]
    declared: Sort


@dataclass(frozen=True)
class Query:
    """What is asked: a filter (None: everything), a sort, and the type's extra arguments."""

    type: ObjectType
    filter: FilterNode | None
    sort: tuple[Comparator, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the filter."""
        pending: list[FilterNode] = [self.filter] if self.filter is not None else []
        while pending:
            node = pending.pop()
            if isinstance(node, Condition):
                yield node
            else:
                pending.extend(node.conditions)

    @property
    def mutable(self) -> bool:
        """Whether the filter, the sort or an argument looks at what may change."""
        declared = self.type.arguments.get(QUERY, {})
        return (
            any(condition.declared.mutable for condition in self.conditions())
            or any(comparator.declared.mutable for comparator in self.sort)
            or any(value and declared[name].mutable for name, value in self.arguments.items())
        )

    def needs(self) -> set[str]:
        """The properties that the filter and the sort look at."""
        names = {name for condition in self.conditions() for name in condition.declared.needs}
        return names | {name for comparator in self.sort for name in comparator.declared.needs}


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """Which part of the results is asked for; `limit` is what the answer holds at most."""

    position: int
    anchor: int | None
    anchor_offset: int
    limit: int
    calculate_total: bool


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the results."""

    ids: Sequence[int]
    position: int
    total: int | None


def parse_filter(declared: ObjectType, value: Any, resolve: Callable[[str], str]) -> FilterNode | None:
    """The parsed filter. Raises `InvalidArguments` for what is no filter, `UnsupportedFilter` for what is unknown."""
    count = 0

    def parse(node: Any) -> FilterNode:
        nonlocal count
        count += 1
        if count > MAX_CONDITIONS:
            raise UnsupportedFilter(f"the filter has more than {MAX_CONDITIONS} conditions")
        if type(node) is not dict:
            raise InvalidArguments("a filter is an object")
        if "operator" in node:
            return parse_operator(node)
        conditions = tuple(parse_condition(name, item) for name, item in node.items())
        return conditions[0] if len(conditions) == 1 else Operator("AND", conditions)

    def parse_operator(node: dict[str, Any]) -> Operator:
        if set(node) != {"operator", "conditions"} or node["operator"] not in ("AND", "OR", "NOT"):
            raise InvalidArguments("a FilterOperator has an operator, AND, OR or NOT, and conditions")
        if type(node["conditions"]) is not list:
            raise InvalidArguments("the conditions of a FilterOperator are an array")
        return Operator(node["operator"], tuple(map(parse, node["conditions"])))

    def parse_condition(name: str, item: Any) -> Condition:
        known = declared.filters.get(name)
        if known is None:
            raise UnsupportedFilter(f"no filter {name[:100]}")
        try:
            return Condition(name, known.type.replace(known.type.check(item), _Resolving(resolve)), known)
        except WireError as error:
            raise InvalidArguments(f"filter {name}: {error}") from None

    return None if value is None else parse(value)


class _Resolving(dict[str, str]):
    """Creation ids as a mapping, for `WireType.replace`."""

    def __init__(self, resolve: Callable[[str], str]) -> None:
        super().__init__()
        self._resolve = resolve

    def get(self, key: str, default: Any = None) -> Any:
        return self._resolve("#" + key)


_COMPARATOR = {
    "property": Argument(String()),
    "isAscending": Argument(Nullable(Boolean()), True),
    "collation": Argument(Nullable(String()), None),
}
# Arguments of /query that jmapc (0.4) repeats, with their defaults, in each Comparator: they mean nothing there, while any
# other unknown member is refused, since a misspelt one would sort in silence by something else than what was meant.
_IGNORED_IN_COMPARATORS = frozenset({"anchor", "anchorOffset", "calculateTotal", "limit", "position"})


def parse_sort(declared: ObjectType, value: Any) -> tuple[Comparator, ...]:
    """The parsed sort; the type's default where there is none. Raises `InvalidArguments` or `UnsupportedSort`."""
    if value is None or value == []:
        value = [{"property": name} for name in declared.default_sort]
    if type(value) is not list or not all(type(item) is dict for item in value):
        raise InvalidArguments("a sort is an array of Comparators")
    if len(value) > MAX_COMPARATORS:
        raise UnsupportedSort(f"more than {MAX_COMPARATORS} comparators")
    return tuple(_comparator(declared, item) for item in value)


def _comparator(declared: ObjectType, item: dict[str, Any]) -> Comparator:
    name = item.get("property")
    if type(name) is not str:
        raise InvalidArguments("a Comparator has a property")
    sort = declared.sorts.get(name)
    if sort is None:
        raise UnsupportedSort(f"cannot sort by {name[:100]}")
    members = {key: item[key] for key in item.keys() - _IGNORED_IN_COMPARATORS}
    checked = checked_arguments(members, {**_COMPARATOR, **sort.arguments})
    collation = checked.pop("collation")
    collation = DEFAULT_COLLATION if collation is None else collation
    if collation not in COLLATIONS:
        raise UnsupportedSort(f"unknown collation {collation[:100]}")
    ascending = checked.pop("isAscending") is not False
    del checked["property"]
    return Comparator(name, ascending, collation, checked, sort)


def matches(node: FilterNode | None, record: Mapping[str, Any]) -> bool:
    """Whether a record matches a filter, by the conditions' functions. Raises `ServerUnavailable` where that takes too long."""
    if node is None:
        return True
    checkpoint()
    return _matches(node, record)


def _matches(node: FilterNode, record: Mapping[str, Any]) -> bool:
    if isinstance(node, Condition):
        if node.declared.matches is None:
            raise UnsupportedFilter(f"{node.name} cannot be decided on a record")
        return node.declared.matches(record, node.value)
    found = (_matches(condition, record) for condition in node.conditions)
    if node.operator == "AND":
        return all(found)
    return any(found) if node.operator == "OR" else not any(found)


def sorted_records(
    records: Iterable[Mapping[str, Any]], sort: Sequence[Comparator]
) -> list[Mapping[str, Any]]:
    """Records in the order of a sort; equal ones stay as they came."""
    ordered = list(records)
    for comparator in reversed(sort):
        ordered.sort(key=sort_key(comparator), reverse=not comparator.ascending)
    return ordered


def sort_key(comparator: Comparator) -> Callable[[Mapping[str, Any]], Any]:
    """The sort key of one comparator; null comes before everything."""
    declared = comparator.declared
    plain = declared.key or (lambda record: record[declared.needs[0]])
    if not declared.text:
        return lambda record: _nullable(plain(record))
    collate = COLLATIONS[comparator.collation]

    def key(record: Mapping[str, Any]) -> Any:
        text = plain(record)
        return _nullable(None if text is None else collate(text))

    return key


def _nullable(key: Any) -> tuple[int, Any]:
    return (0, 0) if key is None else (1, key)


def take_window(ids: Sequence[int], request: WindowRequest) -> Window:
    """The part of complete results that is asked for. Raises `AnchorNotFound`."""
    total = len(ids)
    if request.anchor is not None:
        try:
            position = min(total, max(0, ids.index(request.anchor) + request.anchor_offset))
        except ValueError:
            raise AnchorNotFound from None
    else:
        position = request.position if request.position >= 0 else max(0, total + request.position)
    return Window(ids[position : position + request.limit], position, total)
