"""Words parsed into calls: [constructor flags] FUNCTION [flags] [FUNCTION [flags]]…"""

import argparse
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.cli.functions import Flag, Function, functions_of, is_object, kebab
from pipeline.cli.options import FLAGS, Parser, UsageError

#: The words given for each flag, in their order.
Given = Mapping[Flag, tuple[str, ...]]


@dataclass(frozen=True)
class Call:
    """A function, and the words given for its flags."""

    function: Function
    given: Given


@dataclass(frozen=True)
class Invocation:
    """A parsed command line: the constructor's call, and the functions in their order."""

    constructor: Call
    calls: tuple[Call, ...]


def parse(words: list[str], constructor: Function) -> Invocation:
    """Parse words into calls.

    Args:
        words: the command line without its own flags (options.split_options).
        constructor: that of the module's main object.

    Raises:
        UsageError: a function or flag is unknown, or a flag has no value.
    """
    shared, words = _take_flags(words, constructor.flags, "ska-images")
    calls: list[Call] = []
    owner: Function | None = None
    while words:
        function = _find(words[0], calls[-1] if calls else None)
        # A flag of the function hides that of the constructor, as with `dagger call`, where the latter comes first.
        own = {flag.name for flag in function.flags}
        flags = (*function.flags, *(f for f in constructor.flags if owner is None and f.name not in own))
        given, words = _take_flags(words[1:], flags, function.name)
        shared = {**shared, **{f: v for f, v in given.items() if f in constructor.flags}}
        calls.append(Call(function, {f: v for f, v in given.items() if f in function.flags}))
        owner = function
    return Invocation(Call(constructor, shared), tuple(calls))


def require(invocation: Invocation) -> None:
    """Check that a function and every required flag were given.

    Args:
        invocation: what `parse` returned.

    Raises:
        UsageError: one is missing; the text is that of Dagger's CLI.
    """
    if not invocation.calls:
        raise UsageError("no function was named; `ska-images --help` lists them.")
    for call in (invocation.constructor, *invocation.calls):
        missing = [f'"{f.name}"' for f in call.function.flags if _is_missing(f, call)]
        if missing:
            raise UsageError(f"required flag(s) {', '.join(missing)} not set")


def _find(word: str, call: Call | None) -> Function:
    owner = call.function if call else None
    known = {} if owner and owner.many else functions_of(owner.returns if owner else None)
    if call and word not in known and (flag := next((f for f in call.function.flags if _is_missing(f, call)), None)):
        raise UsageError(f'unexpected word "{word}"; {call.function.name} takes it as --{flag.name}={word}')
    if owner is not None and (owner.many or not is_object(owner.returns)):
        raise UsageError(f'unexpected word "{word}": the result of {owner.name} has no functions.')
    if word in known:
        return known[word]
    where = f" of {owner.returns.__name__}" if owner and owner.returns else ""
    raise UsageError(f'unknown function "{word}"{where}; {_nearest(word, known)}')


def _is_missing(flag: Flag, call: Call) -> bool:
    return flag.required and flag not in call.given


def _take_flags(words: list[str], flags: tuple[Flag, ...], where: str) -> tuple[Given, list[str]]:
    parser = Parser()
    for flag in flags:
        _add(parser, flag)
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    known, unknown = parser.parse_known_args(_normalised(words))
    if unknown:
        names = [f"--{f.name}" for f in flags] + [n for f in FLAGS for n in f[0].split(", ")]
        flag_name = unknown[0].partition("=")[0]
        raise UsageError(f"unknown flag {flag_name} for {where}; {_nearest(flag_name, names)}")
    given = {flag: tuple(getattr(known, flag.name) or ()) for flag in flags}
    return {flag: values for flag, values in given.items() if values}, known.rest


def _add(parser: Parser, flag: Flag) -> None:
    if flag.kind is bool and not flag.many:
        # A boolean never takes the next word; argparse treats "--flag=false" as a separate name.
        for suffix, value in (("", "true"), ("=true", "true"), ("=false", "false")):
            parser.add_argument(f"--{flag.name}{suffix}", dest=flag.name, action="append_const", const=value)
    else:
        parser.add_argument(f"--{flag.name}", dest=flag.name, action="append")


def _normalised(words: list[str]) -> list[str]:
    """Write the flags before the next function as `dagger call` normalises them (--baseArchive)."""
    done = []
    for word in words:
        name, equals, value = word.partition("=")
        done.append(f"--{kebab(name[2:])}{equals}{value}" if word.startswith("--") else word)
    return done


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else "see `ska-images --help`."
