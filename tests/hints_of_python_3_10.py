"""Reads the module's hints by Dagger's SDK, in the form that Python 3.10 gives them, whatever Python runs this.

`python -m tests.hints_of_python_3_10` prints JSON: for the constructor, whose name is empty, and for each function its
arguments as [type, description], or the error. Each is read by a process of its own, for beartype remembers what it has
seen of a hint, and takes in one form what it has taken in the other.
"""

import json
import multiprocessing
import typing
from typing import Any

from dagger.mod import _resolver, default_module

import pipeline.module.main  # noqa: F401  it registers the module's objects
from pipeline.cli.functions import MAIN_OBJECT


def get_type_hints(function: Any, include_extras: bool = False) -> dict[str, Any]:
    """Return hints as `typing.get_type_hints` of Python 3.10 does."""
    hints = typing.get_type_hints(function, include_extras=include_extras)
    for name in _defaults_of_none(function) & hints.keys():
        hints[name] = typing.Optional[hints[name]]  # noqa: UP045  the form is the point
    return hints


def _defaults_of_none(function: Any) -> set[str]:
    """Return the parameters whose default is None, read as `typing._get_defaults` of Python 3.10 does."""
    if isinstance(function, type):
        return set()
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    values = {
        **dict(zip(names[len(names) - len(defaults) :], defaults, strict=True)),
        **(function.__kwdefaults__ or {}),
    }
    return {name for name, value in values.items() if value is None}


def read(name: str) -> dict[str, tuple[str, str | None]] | str:
    """Return the arguments of a function, or what went wrong."""
    main = default_module().get_object(MAIN_OBJECT)
    function = main.functions[name] if name else main.get_constructor()
    try:
        return {key: (str(argument.resolved_type), argument.doc) for key, argument in function.parameters.items()}
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    """Read all of them."""
    vars(_resolver)["get_type_hints"] = get_type_hints
    names = ["", *filter(None, default_module().get_object(MAIN_OBJECT).functions)]
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        print(json.dumps(dict(zip(names, pool.map(read, names, chunksize=1), strict=True))))


if __name__ == "__main__":
    main()
