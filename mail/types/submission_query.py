"""EmailSubmission/query (RFC 8621 §7.3) as a statement: an account may have a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jmapcore.protocol.wire import object_number, parse_date
from jmapcore.store.database import Statement
from jmapcore.store.query import Comparator, Condition, FilterNode, Query

_LISTS = {"identityIds": ("identity_id", "i"), "emailIds": ("email_id", "e"), "threadIds": ("thread_id", "t")}
_COLUMNS = {"emailId": "email_id", "threadId": "thread_id", "sentAt": "send_at", "sendAt": "send_at"}
_JOINED = {"AND": " AND ", "OR": " OR ", "NOT": " OR "}


def query_statement(account_id: int, query: Query) -> Statement:
    """The statement whose rows are the numbers of the submissions that match, in order."""
    condition, parameters = ("true", []) if query.filter is None else _sql(query.filter)
    sql = f"""
        SELECT id FROM email_submission WHERE account_id = %s AND NOT is_destroyed AND {condition}
        ORDER BY {", ".join([*map(_order, query.sort), "id"])}"""  # noqa: S608  # our own columns
    return sql, (account_id, *parameters)


def _order(comparator: Comparator) -> str:
    return f"{_COLUMNS[comparator.name]}{'' if comparator.ascending else ' DESC'}"


def _sql(node: FilterNode) -> tuple[str, list[Any]]:
    """The condition of a filter, and its parameters."""
    if isinstance(node, Condition):
        return _condition(node)
    parts = [_sql(each) for each in node.conditions]
    parameters = [value for _, values in parts for value in values]
    # Nothing to match is matched by AND and NOT (none of it is false, none of it is true), and not by OR.
    empty = "true" if node.operator == "AND" else "false"
    joined = _JOINED[node.operator].join(sql for sql, _ in parts) or empty
    return (f"NOT ({joined})" if node.operator == "NOT" else f"({joined})"), parameters


def _condition(condition: Condition) -> tuple[str, list[Any]]:
    value = condition.value
    if condition.name in _LISTS:
        column, letter = _LISTS[condition.name]
        return f"{column} = ANY(%s::int[])", [_numbers(letter, value)]
    if condition.name == "undoStatus":
        return "undo_status = %s", [value]
    return f"send_at {'<' if condition.name == 'before' else '>='} %s", [parse_date(value)]


def _numbers(letter: str, ids: Sequence[str]) -> list[int]:
    numbers = (object_number(letter, text) for text in ids)
    return [number for number in numbers if number is not None]
