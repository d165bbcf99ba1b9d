"""The served fields, and the way from a request to the function of a field."""

import errno
import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from graphql import GraphQLResolveInfo

from embedded_engine.graph.values import Value
from embedded_engine.host.errors import BadInput, NotServed
from embedded_engine.host.once import Once
from embedded_engine.make.evaluator import Evaluator

T = TypeVar("T")
Resolver = Callable[..., Awaitable[Any]]

#: The function of each served field, by `Type.field`.
SERVED: dict[str, Resolver] = {}

#: Arguments that are contents, not names.
CONTENTS = ("contents", "plaintext", "stdin")
#: The kernel's error numbers for impossible paths.
MISTAKES = (
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EROFS,
)

_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")


@dataclass
class Engine:
    """The state of a session: its file systems, and the values that clients know by an id.

    Args:
        snapshots: the session's file systems.
        client: the client's working directory, where relative host paths start.
    """

    evaluator: Evaluator
    client: Path
    values: dict[str, Value] = field(default_factory=dict)
    _outside: Once[Any] = field(default_factory=Once)

    async def once(self, what: tuple[str, ...], make: Callable[[], Awaitable[T]]) -> T:
        """Return an answer from outside, fetched once a session, since every request repeats its chain from the root.

        Args:
            what: the name of the answer.
            make: fetches the answer; a failure is not cached.
        """
        found: T = await self._outside.get(what, make)
        return found

    def named(self, value: Value) -> str:
        """Return a value's id, and remember the value."""
        self.values[value.id] = value
        return value.id

    def value(self, name: str) -> Any:
        """Return the value of an id.

        Raises:
            BadInput: the session has no value with this id.
        """
        try:
            return self.values[name]
        except KeyError:
            raise BadInput(
                f"The id '{name[:40]}' is of no object of this session; ids cannot be kept between sessions."
            ) from None


def serves(name: str) -> Callable[[Resolver], Resolver]:
    """Register the function of a field, `Type.field`, whose arguments have the field's names in snake case."""

    def register(resolver: Resolver) -> Resolver:
        SERVED[name] = resolver
        return resolver

    return register


def serves_attributes(kind: type[Value], *names: str) -> None:
    """Register fields that return attributes of a type's values."""
    for name in names:
        serves(f"{kind.__name__}.{name}")(_attribute(_snake(name)))


def _attribute(name: str) -> Resolver:
    async def get(engine: Engine, this: Value) -> Any:
        return getattr(this, name)

    return get


def _snake(name: str) -> str:
    return _UPPER.sub(r"_\1", name).lower()


async def resolve(source: Value, info: GraphQLResolveInfo[Any], /, **arguments: Any) -> Any:
    """Answer one field.

    Raises:
        NotServed: the field, or an argument that differs from its default, is outside the subset.
    """
    name = f"{info.parent_type.name}.{info.field_name}"
    engine: Engine = info.context
    if info.field_name == "id":
        return engine.named(source)
    resolver = SERVED.get(name)
    if resolver is None:
        raise NotServed(name)
    known = inspect.signature(resolver).parameters
    named = {_snake(argument): argument for argument in arguments}
    # SDKs omit arguments with their default, so a given argument matters.
    written = {argument.name.value for argument in info.field_nodes[0].arguments or ()}
    for snake, argument in named.items():
        if snake not in known and argument in written:
            raise NotServed(f"the argument '{argument}' of {name}")
    given = {snake: arguments[argument] for snake, argument in named.items() if snake in known}
    _refuse_nul(given)
    try:
        return await resolver(engine, source, **given)
    except OSError as error:
        if error.errno not in MISTAKES or "path" not in given:
            raise
        raise BadInput(f"{name} is not possible for '{given['path']}': {error.strerror}; give another path.") from error


def _refuse_nul(given: dict[str, Any]) -> None:
    for argument, value in given.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and "\0" in text and argument not in CONTENTS:
                raise BadInput(
                    f"The argument '{argument}' holds a NUL character, which no name can have; leave it out."
                )
