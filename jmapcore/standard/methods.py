"""Giving a type its standard methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from jmapcore.protocol.registry import Method, Registry, Response
from jmapcore.protocol.schema import CHANGES, COPY, GET, QUERY, QUERY_CHANGES, SET, Argument, ObjectType
from jmapcore.protocol.wire import Id
from jmapcore.standard import changes, copy, get, query, query_changes
from jmapcore.standard import set as set_
from jmapcore.store.model_storage import ModelStorage

_Run = Callable[[Any, ObjectType, dict[str, Any]], Iterable[Response]]

METHODS: dict[str, tuple[_Run, Callable[[ObjectType], dict[str, Argument]]]] = {
    GET: (get.get, get.arguments),
    CHANGES: (changes.changes, changes.arguments),
    SET: (set_.set_records, set_.arguments),
    COPY: (copy.copy_records, copy.arguments),
    QUERY: (query.query, query.arguments),
    QUERY_CHANGES: (query_changes.query_changes, query_changes.arguments),
}


def register_type(registry: Registry, declared: ObjectType) -> None:
    """Register a type with the standard methods that it declares. Raises `DeclarationError`."""
    registry.add_type(declared)
    if isinstance(declared.storage, ModelStorage):
        declared.storage.bind(declared, lambda name: registry.types[name].letter)
    for name in sorted(declared.methods):
        run, arguments = METHODS[name]
        account = {"accountId": Argument(Id())} if declared.has_account else {}
        registry.add_method(
            Method(
                f"{declared.name}/{name}",
                declared.capability,
                _bound(run, declared),
                {**account, **arguments(declared)},
                writes=name in {SET, COPY},
            )
        )


def _bound(run: _Run, declared: ObjectType) -> Callable[[Any, dict[str, Any]], Iterable[Response]]:
    return partial(_run, run, declared)


def _run(run: _Run, declared: ObjectType, context: Any, values: dict[str, Any]) -> Iterable[Response]:
    return run(context, declared, values)
