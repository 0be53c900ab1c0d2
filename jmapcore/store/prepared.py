"""Prepared statements in pipelines, straight on libpq through `psycopg.pq`.

psycopg's own cursors and pipeline context cost 0.2 ms of Python for a segment of two statements; what is here costs a quarter
(docs/adr/0003). Parameters and results go through psycopg's adapters, so a value means the same both ways.
"""

from __future__ import annotations

import re
import select
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

from jmapcore.store.confirmation import NotConfirmedError, awaiting, place_among
from jmapcore.store.parameters import ENCODERS

_PLACEHOLDER = re.compile(r"%(?:([sbt])|(%))")
_FORMATS = {"s": PyFormat.AUTO, "b": PyFormat.BINARY, "t": PyFormat.TEXT}
_DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_KEPT = "jmap_prepared_pipeline"
_BINARY = pq.Format.BINARY
_TUPLES = pq.ExecStatus.TUPLES_OK
_MOST_PREPARED = 500
"""Prepared statements of one connection; the least recently used goes first."""
_LONGEST_PREPARED = 3_000
"""Octets of a statement that is kept: longer ones are filters of many conditions, of which a client can make up any number, each
with a plan that the database would keep for every connection."""

Row = tuple[Any, ...]
Statement = tuple[str, Sequence[Any]]
_Key = tuple[bytes, tuple[int, ...]]
"""A statement and the types of its parameters: another type is another prepared statement."""


class Result:
    """The rows that one statement gave."""

    __slots__ = ("_next", "_rows", "rowcount")

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        self._rows = rows
        self._next = 0
        self.rowcount = rowcount
        """Rows that were given or touched."""

    def fetchall(self) -> list[Row]:
        """The rows that were not fetched yet."""
        rows = self._rows[self._next :] if self._next else self._rows
        self._next = len(self._rows)
        return rows

    def fetchone(self) -> Row | None:
        """The next row; None after the last."""
        if self._next >= len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.fetchall())


def _translated(sql: str) -> tuple[bytes, tuple[PyFormat, ...]]:
    """The statement with `$1` for `%s`, and the format of each parameter."""
    return _kept_translation(sql) if len(sql) <= _LONGEST_PREPARED else _translation(sql)


def _translation(sql: str) -> tuple[bytes, tuple[PyFormat, ...]]:
    formats: list[PyFormat] = []

    def replace(match: re.Match[str]) -> str:
        if match[2]:
            return "%"
        formats.append(_FORMATS[match[1]])
        return f"${len(formats)}"

    return _PLACEHOLDER.sub(replace, sql).encode(), tuple(formats)


_kept_translation = lru_cache(maxsize=2_000)(_translation)

_Message = tuple[_Key, "list[bytes | None] | None", "list[int] | None"]
"""A statement as libpq takes it: its key, the values of its parameters, and their forms."""


def _message(transformer: Any, sql: str, parameters: Sequence[Any]) -> _Message:
    query, given_formats = _translated(sql)
    if len(parameters) != len(given_formats):
        raise psycopg.ProgrammingError(
            f"{len(given_formats)} parameters are due, {len(parameters)} were given"
        )
    if not parameters:
        return (query, ()), None, None
    values: list[bytes | None] = []
    types: list[int] = []
    formats: list[int] = []
    for place, parameter in enumerate(parameters):
        encode = ENCODERS.get(type(parameter))
        found = None if encode is None else encode(parameter)
        if found is None:
            (value,) = transformer.dump_sequence([parameter], [given_formats[place]])
            found = value, transformer.types[0], transformer.formats[0]
        values.append(found[0])
        types.append(found[1])
        formats.append(found[2])
    return (query, tuple(types)), values, formats


class PreparedPipeline:
    """The prepared statements of one connection, run one or several in a round trip."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn: Any = connection.pgconn
        # Kept, for it remembers how each type is read.
        self._transformer: Any = Transformer(connection)
        self._prepared: OrderedDict[_Key, bytes] = OrderedDict()
        self._count = 0
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)
        self._pgconn.nonblocking = 1

    def run(self, statements: Sequence[Statement]) -> list[Result]:
        """The results of statements that are sent together; outside an explicit transaction they are one of their own.

        Raises the `psycopg.Error` of the first that fails; none behind it was executed then. Raises `NotConfirmedError` where
        the condition of this thread's request does not hold.
        """
        if awaiting.condition is not None:
            return self._confirmed(statements)
        return self._run(statements) if statements else []

    def _confirmed(self, statements: Sequence[Statement]) -> list[Result]:
        """As `run`, with the condition that is waited for."""
        condition = awaiting.condition
        assert condition is not None
        place = place_among(statements)
        together = [condition.statement] if place is None else list(statements)
        if place is not None:
            together.insert(place, condition.statement)
        awaiting.condition = None
        try:
            results = self._run(together)
        except BaseException:
            awaiting.condition = condition  # nothing is known of it yet
            raise
        if not condition.holds(results.pop(place or 0).fetchall()):
            raise NotConfirmedError("The credential is no longer what it was.")
        return results if place is not None else self._run(statements)

    def _run(self, statements: Sequence[Statement]) -> list[Result]:
        pgconn = self._pgconn
        transformer = self._transformer
        if len(self._prepared) > _MOST_PREPARED:
            self._forget_some()
        # All parameters first: a value that cannot be adapted is refused before anything is sent.
        messages = [_message(transformer, sql, parameters) for sql, parameters in statements]
        pgconn.enter_pipeline_mode()
        try:
            sent = [self._send(message) for message in messages]
            pgconn.pipeline_sync()
            self._flush()
            return self._receive(transformer, sent)
        finally:
            if pgconn.status == pq.ConnStatus.OK:
                pgconn.exit_pipeline_mode()

    def _send(self, message: _Message) -> tuple[_Key, bool]:
        """Send one statement, prepared before where it is not yet; its key, and whether it is new."""
        key, values, formats = message
        if len(key[0]) > _LONGEST_PREPARED:
            self._pgconn.send_query_params(key[0], values, key[1] or None, formats, _BINARY)
            return key, False
        name = self._prepared.get(key)
        is_new = name is None
        if name is None:
            self._count += 1
            name = self._prepared[key] = b"j%d" % self._count
            self._pgconn.send_prepare(name, key[0], key[1] or None)
        else:
            self._prepared.move_to_end(key)
        self._pgconn.send_query_prepared(name, values, formats, _BINARY)
        return key, is_new

    def _flush(self) -> None:
        """Send what libpq still holds, and take in what comes meanwhile, so that neither side waits for the other."""
        pgconn = self._pgconn
        while pgconn.flush():
            self._poll.modify(pgconn.socket, select.POLLIN | select.POLLOUT)
            try:
                ready = self._poll.poll()
            finally:
                self._poll.modify(pgconn.socket, select.POLLIN)
            if any(event & ~select.POLLOUT for _, event in ready):
                pgconn.consume_input()

    def _next_result(self) -> Any:
        # get_result() alone would block with the interpreter's lock held; poll() gives it to other threads.
        pgconn = self._pgconn
        while pgconn.is_busy():
            self._poll.poll()
            pgconn.consume_input()
        return pgconn.get_result()

    def _receive(self, transformer: Any, sent: Sequence[tuple[_Key, bool]]) -> list[Result]:
        pgconn = self._pgconn
        results: list[Result] = []
        failed: Any = None
        for key, is_new in sent:
            for is_preparing in (True, False) if is_new else (False,):
                received = self._next_result()
                if received is None:
                    raise psycopg.OperationalError("the connection to the database was lost")
                pgconn.get_result()  # the end of this command's results, which is no message to wait for
                if received.status in _DONE:
                    if not is_preparing:
                        results.append(_result(transformer, received))
                    continue
                if is_preparing:
                    del self._prepared[key]
                if received.status == pq.ExecStatus.FATAL_ERROR:
                    failed = received
        self._next_result()  # the answer to the sync
        if failed is not None:
            raise error_from_result(failed, "utf-8")
        return results

    def _forget_some(self) -> None:
        """Drop a tenth of the prepared statements, those that were not used for longest."""
        if self._pgconn.transaction_status == pq.TransactionStatus.INERROR:
            return
        for _ in range(_MOST_PREPARED // 10):
            _, name = self._prepared.popitem(last=False)
            self._pgconn.exec_(b"DEALLOCATE " + name)


def _result(transformer: Any, received: Any) -> Result:
    if received.status == _TUPLES:
        transformer.set_pgresult(received, set_loaders=True, format=_BINARY)
        rows = transformer.load_rows(0, received.ntuples, tuple)
        return Result(rows, received.ntuples)
    return Result([], received.command_tuples or 0)


def prepared_pipeline(connection: psycopg.Connection[Any]) -> PreparedPipeline:
    """The prepared statements of a connection, kept with it."""
    found: PreparedPipeline | None = connection.__dict__.get(_KEPT)
    if found is None:
        found = connection.__dict__[_KEPT] = PreparedPipeline(connection)
    return found


def runs_prepared(connection: psycopg.Connection[Any]) -> bool:
    """Whether a connection can: not the ORM's inside its transactions, and none in a pipeline of psycopg's."""
    return connection.autocommit and connection.pgconn.pipeline_status == pq.PipelineStatus.OFF
