"""What this server can do: capabilities, types and methods, registered by the apps as the process starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jmapcore.protocol.schema import Argument, DeclarationError, ObjectType

CORE = "urn:ietf:params:jmap:core"

Response = tuple[str, Mapping[str, Any]]
Handler = Callable[[Any, dict[str, Any]], "Iterable[Response]"]


@dataclass(frozen=True)
class Capability:
    """A capability URI, what the session says of it, and who has it."""

    uri: str
    session_value: Callable[[], Mapping[str, Any]] = dict
    account_value: Callable[[Any], Mapping[str, Any]] | None = None
    """From an account access; None for a capability that no account has."""
    scope: str | None = None
    """The OAuth scope that opens it; None: open to every credential."""
    available: Callable[[Any], bool] = lambda access: True
    """Whether the caller has it in an account."""
    opened_by: frozenset[str] = frozenset()
    """Other URIs in `using` that open its methods as well (a leniency that clients need)."""
    advertised: bool = True
    """False: accepted in `using`, and not in the session, since only a part of it is there."""
    revision: Callable[[], object] | None = None
    """What the session's value hangs on, where that may change while the process runs (a key that is rotated); cheap."""


@dataclass(frozen=True)
class Method:
    """One method: who may call it, what it takes, and what runs it."""

    name: str
    capability: str
    run: Handler
    arguments: Mapping[str, Argument] | None
    """None: the arguments are not checked (Core/echo)."""
    also_needs: frozenset[str] = frozenset()
    writes: bool = False
    """It changes data: once it has, its answer is never refused for its size, and states read before it are read again."""


@dataclass(frozen=True)
class Arrivals:
    """Objects that reach an account from outside, of which push can tell the moment they do (EmailPush)."""

    type_name: str
    """The type of the objects: Email."""
    delivery_type: str
    """The type without methods whose entries in the change log name the objects that arrived: EmailDelivery."""


@dataclass
class Registry:
    """The capabilities, types and methods of a server."""

    capabilities: dict[str, Capability] = field(default_factory=dict)
    types: dict[str, ObjectType] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)
    arrivals: list[Arrivals] = field(default_factory=list)
    """What the apps tell push of, filled in their `AppConfig.ready`."""
    revisions: list[Callable[[], object]] = field(default_factory=list)
    """Those of the capabilities."""

    def add_capability(self, capability: Capability) -> None:
        """Register a capability."""
        if capability.uri in self.capabilities:
            raise DeclarationError(f"the capability {capability.uri} is registered twice")
        self.capabilities[capability.uri] = capability
        if capability.revision is not None:
            self.revisions.append(capability.revision)

    def add_method(self, method: Method) -> None:
        """Register a method."""
        if method.name in self.methods:
            raise DeclarationError(f"the method {method.name} is registered twice")
        if method.capability not in self.capabilities:
            raise DeclarationError(f"{method.name}: the capability {method.capability} is not registered")
        self.methods[method.name] = method

    def add_type(self, declared: ObjectType) -> None:
        """Register a type, without its methods."""
        declared.check()
        if declared.name in self.types:
            raise DeclarationError(f"the type {declared.name} is registered twice")
        if declared.methods and any(
            other.letter == declared.letter and other.methods for other in self.types.values()
        ):
            raise DeclarationError(f"{declared.name}: another type has the letter {declared.letter}")
        if declared.capability not in self.capabilities:
            raise DeclarationError(f"{declared.name}: the capability {declared.capability} is not registered")
        self.types[declared.name] = declared

    def find_method(self, name: str, using: frozenset[str]) -> Method | None:
        """The method of that name, where `using` opens it."""
        method = self.methods.get(name)
        if method is None:
            return None
        if not self.in_use(self.capabilities[method.capability], using):
            return None
        return method if method.also_needs <= using else None

    @staticmethod
    def in_use(capability: Capability, using: frozenset[str]) -> bool:
        """Whether `using` opens a capability."""
        return capability.uri in using or not using.isdisjoint(capability.opened_by)
