"""Foo/copy (RFC 8620 §5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from jmapcore.protocol.errors import (
    InvalidProperties,
    NotFound,
    SetError,
    StateMismatch,
)
from jmapcore.protocol.registry import Response
from jmapcore.protocol.schema import COPY, Argument, ObjectType, SetBy
from jmapcore.protocol.wire import Boolean, Id, MapOf, Nullable, String, is_id, object_id
from jmapcore.standard.bounds import check_objects_in_set
from jmapcore.standard.ids import number_of
from jmapcore.standard.set import AnyObject, created_object, error_documents, run_set, set_records
from jmapcore.store.plan import Record

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext


def arguments(declared: ObjectType) -> dict[str, Argument]:
    """The arguments of Foo/copy."""
    return {
        "fromAccountId": Argument(Id()),
        "ifFromInState": Argument(Nullable(String())),
        "ifInState": Argument(Nullable(String())),
        "create": Argument(MapOf(Id(), AnyObject())),
        "onSuccessDestroyOriginal": Argument(Boolean(), False),
        "destroyFromIfInState": Argument(Nullable(String())),
        **declared.arguments.get(COPY, {}),
    }


def copy_records(context: RequestContext, declared: ObjectType, values: dict[str, Any]) -> Iterator[Response]:
    """Copy records from one account to another, and destroy the originals on request (RFC 8620 §5.4)."""
    source, target = context.account_pair(values, declared.capability)
    check_objects_in_set(len(values["create"]))
    creates, refused, originals = _originals(context, declared, source, values)
    plan = run_set(
        context,
        declared,
        target,
        {"create": creates, "update": None, "destroy": None, "ifInState": values["ifInState"]},
        lambda context, access, creates: declared.storage.prepare_copies(
            context, source, access, creates, originals
        ),
    )
    not_created = {**refused, **plan.not_created}
    yield (
        f"{declared.name}/copy",
        {
            "fromAccountId": values["fromAccountId"],
            "accountId": values["accountId"],
            "oldState": plan.write.mark(declared.name).state,
            "newState": plan.write.new_mark(declared.name).state,
            "created": {key: created_object(plan, create) for key, create in plan.creates.items()} or None,
            "notCreated": error_documents(not_created),
        },
    )
    copied = list(dict.fromkeys(object_id(declared.letter, originals[key]) for key in plan.creates))
    if values["onSuccessDestroyOriginal"] and copied:
        yield from set_records(
            context,
            declared,
            {
                "accountId": values["fromAccountId"],
                "ifInState": values["destroyFromIfInState"],
                "create": None,
                "update": None,
                "destroy": copied,
                **{name: argument.default for name, argument in declared.arguments.get("set", {}).items()},
            },
        )


def _originals(
    context: RequestContext, declared: ObjectType, source: AccountAccess, values: dict[str, Any]
) -> tuple[dict[str, Record], dict[str, SetError], dict[str, int]]:
    """(records to create, refused, numbers of the originals), each by creation id."""
    wanted, refused = _named(context, declared, values["create"])
    names = [
        name
        for name, each in declared.properties.items()
        if each.set_by is not SetBy.SERVER and not each.per_user and each.computed is None
        if declared.copied is None or name in declared.copied
    ]
    reading = context.reading(source)
    ids = list(dict.fromkeys(wanted.values()))
    fetched = declared.storage.fetch(reading, ids, ["id", *names], {}, len(ids))
    if values["ifFromInState"] not in (None, reading.mark(declared.name).state):
        raise StateMismatch
    creates: dict[str, Record] = {}
    originals: dict[str, int] = {}
    for key, number in wanted.items():
        if number not in fetched.records:
            refused[key] = NotFound()
            continue
        record = _decoded(fetched.records[number])
        original = {name: record[name] for name in names}
        overrides = {name: value for name, value in values["create"][key].items() if name != "id"}
        # An id of the one account says nothing in the other, where it may even be the id of something else.
        foreign = [
            name for name in names if name not in overrides and _refers(declared, name, original[name])
        ]
        fixed = () if declared.copied is None else overrides.keys() - set(declared.copied)
        if foreign or fixed:
            refused[key] = InvalidProperties([*foreign, *fixed])
            continue
        creates[key] = {**original, **overrides}
        originals[key] = number
    return creates, refused, originals


def _decoded(record: Any) -> Record:
    """A record that a storage fetched, which may be JSON already."""
    decoded: Record = orjson.loads(orjson.dumps(record)) if isinstance(record, orjson.Fragment) else record
    return decoded


def _named(
    context: RequestContext, declared: ObjectType, create: dict[str, dict[str, Any]]
) -> tuple[dict[str, int], dict[str, SetError]]:
    """(numbers of the originals, refused), each by creation id."""
    wanted: dict[str, int] = {}
    refused: dict[str, SetError] = {}
    for key, given in create.items():
        text = given.get("id")
        if type(text) is not str or not is_id(text.removeprefix("#")):
            # "The Foo object MUST contain an "id" property" (§5.4).
            refused[key] = InvalidProperties(["id"])
            continue
        number = number_of(declared, context.resolve_id(text))
        if number is None:
            refused[key] = NotFound()
        else:
            wanted[key] = number
    return wanted, refused


def _refers(declared: ObjectType, name: str, value: Any) -> bool:
    """Whether a property's value refers to a record."""
    return any(True for _ in declared.properties[name].type.references(value))
