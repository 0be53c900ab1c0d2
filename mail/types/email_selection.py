"""From the filter and the sort of an Email/query to SQL (RFC 8621 §4.4).

The rows of a mailbox or of a keyword are read in the order of receivedAt, straight from an index, wherever the filter
demands one; those of a search in text come from the index of words. The rows of `email` and `email_static` are joined only where
a condition looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jmapcore.protocol.wire import object_number, parse_date
from jmapcore.store.query import Comparator, Condition, FilterNode, Query
from mail.fragments import SEEN, STATIC_PROPERTIES, UNSEEN
from mail.types.email_rows import Fragment, Selection, Source, conjuncts
from mail.types.email_searched import Searched

_EMAIL = " JOIN email AS e ON e.account_id = %s AND e.id = {id}"
_STATIC = " JOIN email_static AS s ON s.account_id = %s AND s.id = {id}"


def _number(text: str) -> int:
    """The number of a mailbox's id; 0, which no mailbox has, for what is no such id."""
    return object_number("m", text) or 0


def _index_of(node: FilterNode) -> tuple[str, Any] | None:
    """The index whose rows are those of a condition: ("mailbox", number) or ("keyword", stored keyword)."""
    if isinstance(node, Condition):
        if node.name == "inMailbox":
            return "mailbox", _number(node.value)
        if node.name == "hasKeyword" and node.value != SEEN:
            return "keyword", node.value
        if node.name == "notKeyword" and node.value == SEEN:
            return "keyword", UNSEEN
    return None


_COLUMN = {"mailbox": "mailbox_id", "keyword": "keyword"}


class Compiler:
    """Turns one query into a `Selection`.

    `scanned` are the Emails that match each condition that SQL cannot decide, `searched` what the searches in text became.
    """

    def __init__(
        self, account_id: int, query: Query, scanned: Mapping[int, list[int]], searched: Searched
    ) -> None:
        self.account_id = account_id
        self.query = query
        self.scanned = scanned
        self.searched = searched
        self._uses: set[str] = set()
        self._fence = ""
        """Ends subqueries that must not become joins."""

    def selection(self) -> Selection:
        """The query as SQL."""
        nodes = list(conjuncts(self.query.filter))
        collapse = bool(self.query.arguments.get("collapseThreads"))
        newest_first = self._newest_first()
        if len(nodes) == 1 and newest_first and collapse:
            found = _index_of(nodes[0])
            if found is not None and found[0] == "mailbox":
                return self._threads_of(found[1])
        words, texts = self._words(nodes)
        if words is not None:
            return self._search(words, [node for node in nodes if id(node) not in texts])
        indexed = [(found, node) for node in nodes if (found := _index_of(node)) is not None]
        # A mailbox first: its rows are in the order that is asked for most.
        indexed.sort(key=lambda item: item[0][0] != "mailbox")
        selection = Selection(self._source(indexed[0][0] if indexed else None))
        self.names = selection.source
        for place, ((kind, value), _) in enumerate(indexed[1:]):
            selection.joins.append(self._index_join(f"i{place}", kind, value))
        done = {id(node) for _, node in indexed}
        selection.conditions = [self.condition(node) for node in nodes if id(node) not in done]
        self._order(selection)
        self._join(selection)
        if len(nodes) == 1 and indexed and not collapse and indexed[0][0][0] == "mailbox":
            selection.total = self._counter("total_emails", indexed[0][0][1])
        return selection

    def among(self, ids: Sequence[int]) -> Selection:
        """The query as SQL, of these Emails alone, not collapsed: each is looked up where a condition needs it."""
        condition = ("e.account_id = %s AND e.id = ANY(%b::int[])", [self.account_id, list(ids)])
        selection = Selection(
            Source("email AS e", condition, "e.id", "e.thread_id", "e.received_at", is_ordered=False)
        )
        self.names = selection.source
        selection.conditions = [self.condition(node) for node in conjuncts(self.query.filter)]
        self._order(selection)
        self._join(selection)
        return selection

    def _search(self, words: str, others: Sequence[FilterNode]) -> Selection:
        """What the index of words finds, and what else is asked of it, looked up for one after the other of them.

        A plan that is made once cannot know how many they will be: joined, a whole mailbox would be read for five of them.
        """
        selection = Selection(self._words_source(words, checked=bool(others)))
        self.names = selection.source
        self._fence = " OFFSET 0"
        selection.conditions = [self.condition(node) for node in others]
        self._order(selection)
        self._join(selection)
        return selection

    def _join(self, selection: Selection) -> None:
        """Join the tables that the conditions and the order look at."""
        if "email" in self._uses and selection.source.sql != "email AS e":
            selection.joins.append((_EMAIL.format(id=self.names.id), [self.account_id]))
        if "static" in self._uses:
            selection.joins.append((_STATIC.format(id=self.names.id), [self.account_id]))

    def _newest_first(self) -> bool:
        sort = self.query.sort
        return not sort or (len(sort) == 1 and sort[0].name == "receivedAt" and not sort[0].ascending)

    def _counter(self, column: str, mailbox_id: int) -> tuple[str, list[Any]]:
        sql = f"SELECT {column} FROM mailbox WHERE account_id = %s AND id = %s"  # noqa: S608  # our own column
        return sql, [self.account_id, mailbox_id]

    def _threads_of(self, mailbox_id: int) -> Selection:
        """A mailbox by the latest Email of each Thread: one row of `thread_mailbox` for each result."""
        source = Source(
            sql="thread_mailbox AS t",
            condition=("t.account_id = %s AND t.mailbox_id = %s", [self.account_id, mailbox_id]),
            id="t.latest_email_id",
            thread="t.thread_id",
            received="t.latest_at",
            collapsed=True,
        )
        selection = Selection(source, order=[("t.latest_at DESC", []), ("t.latest_email_id DESC", [])])
        selection.total = self._counter("total_threads", mailbox_id)
        return selection

    def _source(self, index: tuple[str, Any] | None) -> Source:
        if index is None:
            whole = ("e.account_id = %s", [self.account_id])
            return Source("email AS e", whole, "e.id", "e.thread_id", "e.received_at", is_ordered=False)
        kind, value = index
        return Source(
            sql=f"email_{kind} AS m",
            condition=(f"m.account_id = %s AND m.{_COLUMN[kind]} = %s", [self.account_id, value]),
            id="m.email_id",
            thread="m.thread_id",
            received="m.received_at",
        )

    def _words(self, nodes: Sequence[FilterNode]) -> tuple[str | None, set[int]]:
        """The tsquery of all parts of the filter that are searches in text, and which these are; None where the index of words
        would not narrow anything.
        """
        found = [(node, query) for node in nodes if (query := self.searched.query(node)) is not None]
        if not any(query.narrows for _, query in found):
            return None, set()
        return " & ".join(query.text for _, query in found), {id(node) for node, _ in found}

    def _words_source(self, words: str, *, checked: bool) -> Source:
        """The Emails that have the words; those that are `checked` further come in order, for then the first ones are enough."""
        condition: Fragment = ("q.account_id = %s AND q.tsv @@ %s::tsquery", [self.account_id, words])
        sql, parameters = "email_search AS q", ()
        if checked:
            ascending = any(each.name == "receivedAt" and each.ascending for each in self.query.sort)
            direction = "ASC" if ascending else "DESC"
            sql = (
                f"(SELECT q.id, q.thread_id, q.received_at FROM email_search AS q WHERE {condition[0]}"  # noqa: S608  # our own names
                f" ORDER BY q.received_at {direction}, q.id {direction} OFFSET 0) AS q"
            )
            parameters, condition = tuple(condition[1]), ("true", [])
        return Source(
            sql=sql,
            parameters=parameters,
            condition=condition,
            id="q.id",
            thread="q.thread_id",
            received="q.received_at",
            is_ordered=False,
            is_read_whole=True,
        )

    def _index_join(self, alias: str, kind: str, value: Any) -> Fragment:
        return (
            f" JOIN email_{kind} AS {alias} ON {alias}.account_id = %s AND {alias}.{_COLUMN[kind]} = %s"
            f" AND {alias}.received_at = {self.names.received} AND {alias}.email_id = {self.names.id}",
            [self.account_id, value],
        )

    # Conditions

    def condition(self, node: FilterNode) -> Fragment:
        """A filter as an SQL condition."""
        if isinstance(node, Condition):
            if id(node) in self.scanned:
                return f"{self.names.id} = ANY(%b::int[])", [self.scanned[id(node)]]
            if id(node) in self.searched.texts:
                return self._found_in_text(node)
            return _CONDITIONS[node.name](self, node.value)
        query = self.searched.query(node)
        if query is not None and query.narrows:
            return self._among_words(query.text)
        parts = [self.condition(each) for each in node.conditions]
        parameters = [value for _, values in parts for value in values]
        if not parts:
            return ("false" if node.operator == "OR" else "true"), []
        joined = (" AND " if node.operator == "AND" else " OR ").join(text for text, _ in parts)
        return (f"NOT ({joined})" if node.operator == "NOT" else f"({joined})"), parameters

    def _found_in_text(self, node: Condition) -> Fragment:
        """One search in text, where others leave too much for the index of words, or are no searches in text."""
        if self.searched.texts[id(node)].is_blank:
            return "true", []
        sql, parameters = self._among_words(self.searched.exact(node))
        beyond = self.searched.beyond.get(id(node))
        if not beyond:
            return sql, parameters
        return f"({sql} OR {self.names.id} = ANY(%b::int[]))", [*parameters, beyond]

    def _among_words(self, words: str) -> Fragment:
        return (
            f"{self.names.id} IN (SELECT w.id FROM email_search AS w WHERE w.account_id = %s"  # noqa: S608  # our own names
            " AND w.tsv @@ %s::tsquery)",
            [self.account_id, words],
        )

    def _in_index(self, kind: str, value: Any) -> Fragment:
        return (
            f"EXISTS (SELECT 1 FROM email_{kind} AS x WHERE x.account_id = %s AND x.{_COLUMN[kind]} = %s"  # noqa: S608  # our own names
            f" AND x.received_at = {self.names.received} AND x.email_id = {self.names.id}{self._fence})",
            [self.account_id, value],
        )

    def in_mailbox(self, value: str) -> Fragment:
        """The Email is in a mailbox."""
        return self._in_index("mailbox", _number(value))

    def in_mailbox_other_than(self, value: list[str]) -> Fragment:
        """The Email is in a mailbox that is none of these."""
        self._uses.add("email")
        return "NOT e.mailbox_ids <@ %b::int[]", [[_number(text) for text in value]]

    def has_keyword(self, keyword: str) -> Fragment:
        """The Email has a keyword; `$seen` is stored inverted."""
        if keyword == SEEN:
            return _negated(self._in_index("keyword", UNSEEN))
        return self._in_index("keyword", keyword)

    def some_in_thread(self, keyword: str) -> Fragment:
        """An Email of the Thread has a keyword."""
        if keyword == SEEN:
            return _negated(self._whole_threads(UNSEEN))
        return self._threads_with(keyword)

    def all_in_thread(self, keyword: str) -> Fragment:
        """Every Email of the Thread has a keyword."""
        return _negated(self._threads_with(UNSEEN)) if keyword == SEEN else self._whole_threads(keyword)

    def _threads_with(self, stored: str) -> Fragment:
        return (
            f"{self.names.thread} IN (SELECT k.thread_id FROM email_keyword AS k"  # noqa: S608  # our own names
            " WHERE k.account_id = %s AND k.keyword = %s)",
            [self.account_id, stored],
        )

    def _whole_threads(self, stored: str) -> Fragment:
        return (
            f"{self.names.thread} IN (SELECT k.thread_id FROM email_keyword AS k JOIN thread AS w"  # noqa: S608  # our own names
            " ON w.account_id = %s AND w.id = k.thread_id WHERE k.account_id = %s AND k.keyword = %s"
            " GROUP BY k.thread_id, w.email_ids_json HAVING count(*) = json_array_length(w.email_ids_json::json))",
            [self.account_id, self.account_id, stored],
        )

    def received(self, operator: str, value: str) -> Fragment:
        """receivedAt compared with a moment."""
        return f"{self.names.received} {operator} %s", [parse_date(value)]

    def size(self, operator: str, value: int) -> Fragment:
        """size compared with a number."""
        self._uses.add("email")
        return f"e.size {operator} %s", [value]

    def has_attachment(self, value: bool) -> Fragment:
        """hasAttachment, from the static JSON."""
        return f"{self.line('hasAttachment')} = %s", ["true" if value else "false"]

    def line(self, name: str) -> str:
        """The JSON text of a property of the message."""
        self._uses.add("static")
        return f"split_part(s.static_json, E'\\n', {STATIC_PROPERTIES.index(name) + 1})"

    # Sorting

    def _order(self, selection: Selection) -> None:
        """The order of the rows, or the keys that Python sorts them by."""
        sort = self.query.sort
        ascending = any(comparator.name == "receivedAt" and comparator.ascending for comparator in sort)
        direction = "ASC" if ascending else "DESC"
        last: list[Fragment] = [
            (f"{self.names.received} {direction}", []),
            (f"{self.names.id} {direction}", []),
        ]
        keys = [self._key(comparator) for comparator in sort]
        if any(comparator.declared.needs for comparator in sort):
            selection.keys = keys
            selection.order = last
            return
        selection.order = [
            (f"{text} {'ASC' if comparator.ascending else 'DESC'}", parameters)
            for (text, parameters), comparator in zip(keys, sort, strict=True)
            if comparator.name != "receivedAt" or comparator is not sort[-1]
        ] + last

    def _key(self, comparator: Comparator) -> Fragment:
        name = comparator.name
        if comparator.declared.needs:
            return self.line(name), []
        if name == "receivedAt":
            return self.names.received, []
        if name == "size":
            self._uses.add("email")
            return "e.size", []
        by_keyword: dict[str, Callable[[str], Fragment]] = {
            "hasKeyword": self.has_keyword,
            "someInThreadHaveKeyword": self.some_in_thread,
            "allInThreadHaveKeyword": self.all_in_thread,
        }
        return by_keyword[name](comparator.arguments["keyword"])


def _negated(fragment: Fragment) -> Fragment:
    return f"NOT {fragment[0]}", fragment[1]


_CONDITIONS: dict[str, Callable[[Compiler, Any], Fragment]] = {
    "inMailbox": Compiler.in_mailbox,
    "inMailboxOtherThan": Compiler.in_mailbox_other_than,
    "before": lambda compiler, value: compiler.received("<", value),
    "after": lambda compiler, value: compiler.received(">=", value),
    "minSize": lambda compiler, value: compiler.size(">=", value),
    "maxSize": lambda compiler, value: compiler.size("<", value),
    "hasKeyword": Compiler.has_keyword,
    "notKeyword": lambda compiler, value: _negated(compiler.has_keyword(value)),
    "someInThreadHaveKeyword": Compiler.some_in_thread,
    "noneInThreadHaveKeyword": lambda compiler, value: _negated(compiler.some_in_thread(value)),
    "allInThreadHaveKeyword": Compiler.all_in_thread,
    "hasAttachment": Compiler.has_attachment,
}
