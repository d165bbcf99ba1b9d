"""The output of `--help`, in 80 columns."""

import json
import textwrap
from collections.abc import Iterable

from pipeline.cli.cache import COMMAND, SUMMARY
from pipeline.cli.functions import Flag, Function, functions_of, is_object
from pipeline.cli.options import BUILD_ALL, DIST, FLAGS
from pipeline.cli.renewal import RENEW, SUMMARY_OF_RENEWAL

WIDTH = 80
_LEFT = 26
_INDENT = " " * (_LEFT + 2)
_WRAPPER = textwrap.TextWrapper(WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)
#: The names of types in `dagger call --help`.
_KINDS = {"str": "string", "int": "int", "float": "float", "bool": ""}

_EXAMPLES = """\
Examples:
  ska-images build-all
  ska-images build --image ska-python
  ska-images ska-python as-tarball -o ska-python.tar
  ska-images ska-python with-exec --args=python,-V stdout
  ska-images --base-archive ubuntu.tar build-all -o dist"""

_EXIT_CODES = """\
Exit codes:
  0  done
  1  the pipeline or the engine failed
  2  something that you can fix: a flag, a file, the registry, the host
  130, 143  interrupted, or terminated
  N  a command in a container failed with N; `outdated` or `stale` found
     images to rebuild (10, or `--exit-code N`)"""


def overview(constructor: Function) -> str:
    """Return the help of the program.

    Args:
        constructor: that of the module's main object.
    """
    functions = functions_of(None).values()
    return _sections(
        "Usage: ska-images [constructor flags] FUNCTION [flags] [FUNCTION [flags]]...",
        textwrap.fill(constructor.doc, WIDTH),
        _table("Functions:", ((f.name, f.summary) for f in functions)),
        _table("Other commands:", [(COMMAND, SUMMARY), (RENEW, SUMMARY_OF_RENEWAL)]),
        _flags("Constructor flags (before or after the function):", constructor.flags),
        _own_flags(),
        _EXAMPLES,
        _EXIT_CODES,
        "`ska-images FUNCTION --help` describes a function or a command.",
    )


def of_function(function: Function) -> str:
    """Return the help of one function.

    Args:
        function: the last one on the command line.
    """
    chain = ""
    if is_object(function.returns) and not function.many and function.returns:
        names = ", ".join(functions_of(function.returns))
        chain = f"Returns a {function.returns.__name__}, which has these functions:\n" + textwrap.fill(
            names, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
    doc = "\n\n".join(_paragraph(p) for p in function.doc.split("\n\n"))
    return _sections(
        f"Usage: ska-images {function.name} [flags]" + (" [FUNCTION [flags]]..." if chain else ""),
        doc,
        f"Without --output the directory is exported to {DIST}/." if function.name == BUILD_ALL else "",
        _flags("Flags:", function.flags),
        chain,
        "Constructor and global flags: see `ska-images --help`.",
    )


def _paragraph(text: str) -> str:
    # A paragraph with indented lines keeps its layout.
    return text if "\n " in text else textwrap.fill(text, WIDTH, break_on_hyphens=False)


def _sections(*sections: str) -> str:
    return "\n\n".join(section for section in sections if section)


def _flags(title: str, flags: Iterable[Flag]) -> str:
    return _table(title, ((f"--{f.name} {_kind(f)}".strip(), _flag_help(f)) for f in flags))


def _own_flags() -> str:
    rows = ((f"{names} {value}".strip(), text) for names, value, text in FLAGS)
    return _table("Global flags (anywhere):", rows)


def _kind(flag: Flag) -> str:
    name = _KINDS.get(flag.kind.__name__, flag.kind.__name__)
    return f"{name}s" if flag.many and name.islower() else name


def _flag_help(flag: Flag) -> str:
    if flag.required:
        return f"{flag.doc} [required]"
    if flag.default in (None, "", False, [], ()):
        return flag.doc
    return f"{flag.doc} (default {json.dumps(flag.default, default=str)})"


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [title]
    for left, right in rows:
        wrapped = _WRAPPER.wrap(right) or [""]
        if len(left) <= _LEFT - 2:
            lines.append(f"  {left}".ljust(_LEFT + 2) + wrapped.pop(0).lstrip())
        else:
            lines.append(f"  {left}")
        lines.extend(line for line in wrapped if line)
    return "\n".join(lines) if len(lines) > 1 else ""
