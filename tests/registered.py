"""The module as Dagger's SDK registers it, in values that tests compare."""

from dataclasses import dataclass

FRESH = "Never"
KEPT = ""


@dataclass(frozen=True)
class Argument:
    """One argument as registered; the default is JSON, None where there is none."""

    type: str
    default: str | None
    description: str


@dataclass(frozen=True)
class Function:
    """One function as registered."""

    returns: str
    cache: str
    is_check: bool
    description: str
    arguments: dict[str, Argument]


@dataclass(frozen=True)
class Registered:
    """The module as registered."""

    description: str
    object: str
    object_description: str
    constructor: Function
    functions: dict[str, Function]
