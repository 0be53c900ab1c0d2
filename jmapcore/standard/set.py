"""Foo/set (RFC 8620 §5.3).

The call becomes a plan: records as they will be. The plan is checked as a whole, since the final state counts and not the way to
it, and is then written in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jmapcore.protocol.errors import SetError, StateMismatch
from jmapcore.protocol.registry import Response
from jmapcore.protocol.schema import SET, Argument, ObjectType
from jmapcore.protocol.wire import Anything, Id, ListOf, MapOf, Nullable, String, WireError
from jmapcore.standard.bounds import check_objects_in_set
from jmapcore.standard.ids import number_of
from jmapcore.standard.set_checks import check_plan
from jmapcore.standard.set_planner import Planner
from jmapcore.store.plan import PlannedCreate, Record, SetPlan

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext


class AnyObject(Anything):
    """Any JSON object; what is in it is judged record by record."""

    nullable = False

    def check(self, value: Any) -> Any:
        if type(value) is not dict:
            raise WireError("an object is due")
        return value


def arguments(declared: ObjectType) -> dict[str, Argument]:
    """The arguments of Foo/set."""
    # A type without a state cannot be asked for one ("ifInState" is not supported, RFC 8620 §7.2.2).
    state = {"ifInState": Argument(Nullable(String()))} if declared.has_state else {}
    return {
        **state,
        "create": Argument(Nullable(MapOf(Id(), AnyObject()))),
        "update": Argument(Nullable(MapOf(Id(to=declared.name), AnyObject()))),
        "destroy": Argument(Nullable(ListOf(Id(to=declared.name)))),
        **declared.arguments.get(SET, {}),
    }


def set_records(context: RequestContext, declared: ObjectType, values: dict[str, Any]) -> Iterator[Response]:
    """Create, update and destroy records (RFC 8620 §5.3); implicit calls follow with their own responses."""
    access = context.access(declared, values, write=not declared.open_to_read_only)
    asked = [values["create"] or {}, values["update"] or {}, values["destroy"] or []]
    check_objects_in_set(sum(map(len, asked)))
    plan = run_set(context, declared, access, values)
    yield f"{declared.name}/set", set_response(plan, values)
    yield from implicit_calls(context, plan)


def implicit_calls(context: RequestContext, plan: SetPlan) -> Iterator[Response]:
    """The responses of the calls that follow a /set by itself (onSuccess… arguments)."""
    for name, arguments_ in plan.implicit:
        yield from context.registry.methods[name].run(context, arguments_)


Prepare = Callable[
    ["RequestContext", "AccountAccess", Mapping[str, Record]], tuple[dict[str, Any], dict[str, SetError]]
]
"""`Storage.prepare`, or what stands in for it."""


def run_set(
    context: RequestContext,
    declared: ObjectType,
    access: AccountAccess,
    values: Mapping[str, Any],
    prepare: Prepare | None = None,
) -> SetPlan:
    """Plan, check and write one /set. Raises `StateMismatch`."""
    creates = values["create"] or {}
    prepared, refused = (prepare or declared.storage.prepare)(context, access, creates)
    numbers, names = _existing(context, declared, values)
    prelude = [*declared.storage.prelude(access, numbers, names)] if numbers else []
    if prepared:
        prelude += declared.storage.create_prelude(access, creates, prepared)
    with declared.storage.writing(context, access, prelude) as write:
        if declared.has_state and values.get("ifInState") not in (None, write.mark(declared.name).state):
            raise StateMismatch
        plan = SetPlan(declared, access, write, values)
        loaded = declared.storage.load(write, access, numbers, names) if numbers else {}
        planner = Planner(context, plan, loaded)
        planner.refuse(creates, refused)
        planner.fill(creates, prepared)
        check_plan(context, plan)
        declared.storage.apply(plan)
    context.created_ids.update(plan.created_ids())
    return plan


def _existing(
    context: RequestContext, declared: ObjectType, values: Mapping[str, Any]
) -> tuple[list[int], set[str]]:
    """The records to be updated or destroyed that this call does not create, and the properties that are looked at."""
    patches = values["update"] or {}
    found = (number_of(declared, context.resolve_id(key)) for key in (*patches, *(values["destroy"] or ())))
    names = {
        pointer.split("/", 1)[0].replace("~1", "/").replace("~0", "~")
        for patch in patches.values()
        for pointer in patch
    }
    names |= {name for unique in declared.unique for name in unique.properties}
    return [*dict.fromkeys(number for number in found if number is not None)], names & set(
        declared.properties
    )


def created_object(plan: SetPlan, create: PlannedCreate) -> Record:
    """What /set answers of a created record: what the client did not send, or sent otherwise (RFC 8620 §5.3)."""
    declared = plan.type
    record = {"id": plan.wire_id(create.id), **create.record}
    for name, each in declared.properties.items():
        if each.computed is not None:
            record[name] = each.computed(plan.access, record)
    if declared.report_created is not None:
        return {name: record[name] for name in declared.report_created if name in record}
    sent = (plan.arguments["create"] or {}).get(create.creation_id, {})
    return {
        name: value for name, value in record.items() if name not in create.given or sent.get(name) != value
    }


def set_response(plan: SetPlan, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the response of a /set."""
    created = {
        create.creation_id: created_object(plan, create) for create in [*plan.creates.values(), *plan.passing]
    }
    updated = {plan.wire_id(number): update.reported or None for number, update in plan.updates.items()}
    destroyed = [plan.wire_id(number) for number in plan.destroys]
    response: dict[str, Any] = {}
    if plan.type.has_account:
        response["accountId"] = values["accountId"]
    if plan.type.has_state:
        response["oldState"] = plan.write.mark(plan.type.name).state
        response["newState"] = plan.write.new_mark(plan.type.name).state
    return response | {
        "created": created or None,
        "updated": updated or None,
        "destroyed": destroyed or None,
        "notCreated": error_documents(plan.not_created),
        "notUpdated": error_documents(plan.not_updated),
        "notDestroyed": error_documents(plan.not_destroyed),
        **plan.response,
    }


def error_documents(errors: Mapping[str, SetError]) -> dict[str, Any] | None:
    """The SetErrors of a response; null where there are none (RFC 8620 §5.3)."""
    return {key: error.document() for key, error in errors.items()} or None
