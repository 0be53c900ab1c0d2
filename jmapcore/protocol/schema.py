"""The declaration of a type: everything the standard methods of RFC 8620 §5 need to know of it.

A declaration is checked as it is registered: an impossible one refuses to boot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from jmapcore.protocol.wire import Anything, WireType

GET, CHANGES, SET, COPY, QUERY, QUERY_CHANGES = "get", "changes", "set", "copy", "query", "queryChanges"
STANDARD_METHODS = frozenset({GET, CHANGES, SET, COPY, QUERY, QUERY_CHANGES})

REQUIRED = object()
"""The default of a property or argument that must be given."""


class SetBy(Enum):
    """Who gives a property its value."""

    CLIENT = "client"
    """The client, on create and on update."""
    CREATE = "create"
    """The client on create; immutable afterwards."""
    SERVER = "server"
    """The server alone."""


class DeclarationError(ValueError):
    """A declaration that cannot be."""


@dataclass(frozen=True)
class Property:
    """One property of a type."""

    type: WireType
    default: Any = REQUIRED
    """The value where a create leaves it out, or a function of nothing that makes it; `REQUIRED` where it must be given."""
    set_by: SetBy = SetBy.CLIENT
    volatile: bool = False
    """Changes often and by the server's doing; an update of nothing else is told apart (Mailbox counts, RFC 8621 §2.2)."""
    per_user: bool = False
    """Each user of the account has a value of their own."""
    computed: Callable[[Any, Mapping[str, Any]], Any] | None = None
    """Made from the caller's access and the record instead of being stored."""
    in_get: bool = True
    """Part of the answer of /get where the client names no properties."""
    writable_read_only: bool = False
    """May be changed by a caller who may only read the account (a per-user value)."""

    def default_value(self) -> Any:
        """The default, made anew where a function makes it."""
        return self.default() if callable(self.default) else self.default


@dataclass(frozen=True)
class Argument:
    """An argument of a method; null is the default where its type allows null (RFC 8620 §3.5)."""

    type: WireType
    default: Any = REQUIRED
    mutable: bool = False
    """Of /query: where it is given and not false, the results hang on what may change (sortAsTree, RFC 8621 §2.3)."""


@dataclass(frozen=True)
class Filter:
    """A condition of a filter. `matches` decides on a record of the properties in `needs` and the checked value."""

    type: WireType
    needs: tuple[str, ...] = ()
    matches: Callable[[Mapping[str, Any], Any], bool] | None = None
    mutable: bool = True


@dataclass(frozen=True)
class Sort:
    """A property to sort by. `key` makes the sort key of a record; texts go through the collation."""

    needs: tuple[str, ...] = ()
    key: Callable[[Mapping[str, Any]], Any] | None = None
    text: bool = False
    mutable: bool = True
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    """Further members of the Comparator (`keyword`, RFC 8621 §4.4.2)."""


@dataclass(frozen=True)
class Unique:
    """Properties whose values together may stand in one record alone; `role` counts only where it is not null."""

    properties: tuple[str, ...]
    error: str = "alreadyExists"
    """`alreadyExists` (with existingId) or `invalidProperties`."""
    ignore_null: str | None = None
    """Where this property is null the record is left out."""


@dataclass(frozen=True)
class ObjectType:
    """The declaration of a type."""

    name: str
    capability: str
    letter: str
    """The first letter of its ids on the wire."""
    properties: Mapping[str, Property] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()
    storage: Any = None
    """How its records are fetched and written: see `jmapcore.store.storage.Storage`."""
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    default_sort: tuple[str, ...] = ()
    """What /query sorts by, ascending, where the client gives no comparator; empty: the storage's own, unchanging order."""
    unique: tuple[Unique, ...] = ()
    arguments: Mapping[str, Mapping[str, Argument]] = field(default_factory=dict)
    """Extra arguments by method: {"set": {"onDestroyRemoveEmails": Argument(…)}}."""
    accepts_property: Callable[[str], bool] | None = None
    """Whether a name that is not declared may be asked for (header:… of Email)."""
    check_record: Callable[[Any, dict[str, Any], frozenset[str]], Mapping[str, Any]] | None = None
    """Called with (access, record, changed names) on every create and update; raises SetError, may return replacements."""
    check_set: Callable[[Any], None] | None = None
    """Called with the plan of a /set under the lock: fails what would leave an invalid final state."""
    copied: tuple[str, ...] | None = None
    """The properties that a /copy takes from the original, and that a client may set with it; None: all that a client may set."""
    report_created: tuple[str, ...] | None = None
    """What /set answers of a created record; None: all that the client did not send."""
    has_account: bool = True
    """False: its methods take no accountId (PushSubscription, RFC 8620 §7.2)."""
    has_state: bool = True
    singleton: bool = False
    """One record, with the id "singleton" (VacationResponse, RFC 8621 §8)."""
    open_to_read_only: bool = False
    """/set is open to those who may only read the account, for properties that are `writable_read_only`."""

    @property
    def volatile_properties(self) -> tuple[str, ...]:
        """The properties whose change alone is told apart in the change log."""
        return tuple(name for name, declared in self.properties.items() if declared.volatile)

    def check(self) -> None:
        """Raise `DeclarationError` for a declaration that cannot be."""
        for problem in self._problems():
            raise DeclarationError(f"{self.name}: {problem}")

    def _problems(self) -> list[str]:
        problems = []
        if len(self.letter) != 1 or not self.letter.isascii() or not self.letter.islower():
            problems.append("the letter of its ids must be one of a to z")
        if strange := self.methods - STANDARD_METHODS:
            problems.append(f"no standard methods: {', '.join(sorted(strange))}")
        if self.methods and self.storage is None:
            problems.append("it has methods but no storage")
        if self.methods and "id" not in self.properties:
            problems.append("it has methods but no property id")
        if CHANGES in self.methods and not self.has_state:
            problems.append("/changes needs a state")
        if QUERY in self.methods and not self.has_state:
            problems.append("/query needs a state")
        if QUERY_CHANGES in self.methods and QUERY not in self.methods:
            problems.append("/queryChanges needs /query")
        if not self.has_account and (strange := self.methods - {GET, SET}):
            problems.append(f"without an account there is no /{', /'.join(sorted(strange))}")
        if self.singleton and (strange := self.methods - {GET, SET, CHANGES}):
            problems.append(f"a singleton has no /{', /'.join(sorted(strange))}")
        if COPY in self.methods and not {GET, SET} <= self.methods:
            problems.append("/copy needs /get and /set")
        for method in self.arguments:
            if method not in self.methods:
                problems.append(f"arguments for /{method}, which it does not have")
        for name, declared in self.properties.items():
            problems.extend(f"{name}: {problem}" for problem in _property_problems(declared))
        needed = {name for each in self.filters.values() for name in each.needs}
        needed |= {name for each in self.sorts.values() for name in each.needs}
        needed |= {name for unique in self.unique for name in unique.properties}
        if unknown := needed - set(self.properties):
            problems.append(
                f"filters, sorts or constraints need unknown properties: {', '.join(sorted(unknown))}"
            )
        if unknown := set(self.copied or ()) - set(self.properties):
            problems.append(f"/copy takes unknown properties: {', '.join(sorted(unknown))}")
        if unknown := set(self.default_sort) - set(self.sorts):
            problems.append(f"the default sort names what cannot be sorted by: {', '.join(sorted(unknown))}")
        for name in set(self.default_sort) & set(self.sorts):
            if any(each.default is REQUIRED for each in self.sorts[name].arguments.values()):
                problems.append(f"the default sort leaves out what {name} needs")
        return problems


def _property_problems(declared: Property) -> list[str]:
    problems = []
    if declared.set_by is SetBy.SERVER and declared.default is not REQUIRED and declared.computed is not None:
        problems.append("a computed property has no default")
    if declared.computed is not None and declared.set_by is not SetBy.SERVER:
        problems.append("a computed property is set by the server")
    if (
        declared.default is not REQUIRED
        and not callable(declared.default)
        and not isinstance(declared.type, Anything)
    ):
        try:
            declared.type.check(declared.default)
        except ValueError as error:
            problems.append(f"its default does not fit its type: {error}")
    if declared.writable_read_only and not declared.per_user:
        problems.append("only a per-user value may be written by those who may only read")
    return problems
