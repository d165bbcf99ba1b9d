"""The result of a call: printed, or exported to --output."""

import json
from pathlib import Path
from typing import Any

import dagger
from dagger.client.base import Type

from pipeline.cli.delivery import export_directory, write_beside
from pipeline.cli.options import Options, UsageError
from pipeline.cli.summary import Outcome


async def deliver(result: Any, options: Options) -> Outcome:
    """Evaluate a result, and export it when --output is given, as `dagger call` does.

    Args:
        result: None, a scalar, an object of the SDK, or a list.
        options: `output` and `json` are read.

    Raises:
        UsageError: the object cannot be exported.
    """
    if options.output is not None and isinstance(result, Type):
        await export(result, options.output)
        return Outcome(saved=options.output)
    value = await _evaluated(result)
    if value is None:
        return Outcome()
    text = json.dumps(value, indent=4) if options.json else _text(value)
    if options.output is None:
        return Outcome(text)
    write_beside(options.output, text)
    return Outcome(saved=options.output)


def require_file(returns: type | None, options: Options) -> None:
    """Require the name of a file where the result is written into one; a build may take minutes before it is.

    Args:
        returns: the type of the result.
        options: `output` is read.

    Raises:
        UsageError: --output names a directory.
    """
    if returns in (dagger.Container, dagger.File) and options.output and options.output.is_dir():
        raise UsageError(
            f'--output takes the name of a file here, and "{options.output}" is a directory; give a file in it.'
        )


async def export(result: Any, output: Path, *, last: str = "") -> None:
    """Export a container, directory or file.

    Args:
        result: an object of the SDK.
        output: the destination; parent directories are created.
        last: the file of a directory that describes the others, and is written last.

    Raises:
        UsageError: it cannot be exported.
    """
    if not hasattr(result, "export"):
        raise UsageError(f"a {type(result).__name__} cannot be exported; leave --output out.")
    if isinstance(result, dagger.Directory):
        await export_directory(result, output, last=last)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    await result.export(_absolute(output))


def _absolute(path: Path) -> str:
    # An engine that was started elsewhere has another working directory.
    return str(path.absolute())


async def _evaluated(result: Any) -> Any:
    if isinstance(result, list):
        return [await _evaluated(item) for item in result]
    if not isinstance(result, Type):
        return result
    if hasattr(result, "sync"):
        await result.sync()
    read: Any = getattr(result, "digest", None) or result.id  # type: ignore[attr-defined]
    return f"{type(result).__name__}@{str(await read()).rpartition('@')[2]}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(getattr(value, "value", value))
