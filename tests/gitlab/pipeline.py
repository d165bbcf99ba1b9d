"""The pipeline as GitLab reads it: includes, extends, rules, and what a runner makes of a job.

Only what .gitlab-ci.yml uses of https://docs.gitlab.com/ci/yaml/ is here; the rest fails.
"""

import re
import shlex
import subprocess
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
Variables = Mapping[str, str]
Document = dict[str, Any]
#: Keys of a file that are no jobs.
GLOBAL = frozenset({"default", "include", "stages", "variables", "workflow"})


def read(path: Path) -> Document:
    """Read one file."""
    return dict(YAML(typ="safe").load(path))


def load(variables: Variables, path: Path = ROOT / ".gitlab-ci.yml") -> Document:
    """Read a file and what it includes for these variables; the including file's own keys count."""
    document = read(path)
    included = [
        load(variables, ROOT / entry["local"].removeprefix("/"))
        for entry in document.pop("include", [])
        if matching(entry.get("rules"), variables) is not None
    ]
    return reduce(merged, [*included, document], {})


def merged(below: Document, above: Document) -> Document:
    """Merge as GitLab does: mappings key by key, all else is replaced."""
    both = {key for key in below if isinstance(below[key], dict) and isinstance(above.get(key), dict)}
    return {**below, **above, **{key: merged(below[key], above[key]) for key in both}}


def jobs(document: Document) -> dict[str, Document]:
    """Return the jobs by name, with what they extend and take from `default`."""
    known = {key: value for key, value in document.items() if key not in GLOBAL}
    shown = [name for name in known if not name.startswith(".")]
    return {name: {**document.get("default", {}), **_extended(name, known)} for name in shown}


def _extended(name: str, known: Document) -> Document:
    job = dict(known[name])
    above = job.pop("extends", [])
    parents = [above] if isinstance(above, str) else above
    return merged(reduce(merged, [_extended(parent, known) for parent in parents], {}), job)


def matching(rules: list[Document] | None, variables: Variables) -> Document | None:
    """Return the first rule that holds; where there are none, one that always does."""
    if rules is None:
        return {}
    return next((rule for rule in rules if _holds(rule.get("if", ""), variables)), None)


def _holds(condition: str, variables: Variables) -> bool:
    return not condition or any(
        all(_compares(term.strip(), variables) for term in alternative.split("&&"))
        for alternative in condition.split("||")
    )


def _compares(term: str, variables: Variables) -> bool:
    match = re.fullmatch(r'\$(\w+)(?: (==|!=|=~) (?:(null)|"([^"]*)"|\$(\w+)|/(.*)/))?', term)
    assert match, f"{term!r} is not understood here"
    name, operator, null, text, other, pattern = match.groups()
    value = variables.get(name)
    if operator is None:
        return bool(value)
    if operator == "=~":
        return value is not None and re.search(pattern, value) is not None
    expected = None if null else variables.get(other) if other else text
    return (value == expected) is (operator == "==")


def environment(
    document: Document, job: Document, given: Variables, raw: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return a job's variables; those of the project, which are given, go before those of the files.

    Args:
        document: the pipeline.
        job: one of its jobs.
        given: the project's variables, and those that GitLab sets.
        raw: those whose references to other variables are not expanded.
    """
    rules = [document.get("workflow", {}).get("rules"), job.get("rules")]
    of_rules: list[Document] = [(matching(listed, given) or {}).get("variables", {}) for listed in rules]
    files: Document = reduce(merged, [document.get("variables", {}), job.get("variables", {}), *of_rules], {})
    values = {key: value["value"] if isinstance(value, dict) else str(value) for key, value in files.items()}
    return _expanded({**values, **given}, raw)


def _expanded(variables: dict[str, str], raw: frozenset[str]) -> dict[str, str]:
    def value(text: str, depth: int = 0) -> str:
        assert depth < 9, f"{text!r} refers to itself"
        return re.sub(r"\$\{?(\w+)\}?", lambda found: value(variables.get(found[1], ""), depth + 1), text)

    return {name: text if name in raw else value(text) for name, text in variables.items()}


def script(job: Document) -> str:
    """Return what the runner gives to the shell: both scripts, in one shell, until a line fails.

    Source: https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/shells/bash.go
    """
    lines = [line for key in ("before_script", "script") for line in job.get(key, [])]
    body = "\n".join(f"echo {shlex.quote(f'$ {line}')}\n{line}" for line in lines)
    setting = "if set -o | grep pipefail > /dev/null; then set -o pipefail; fi; set -o errexit\nset +o noclobber\n"
    return f"{setting}: | eval {shlex.quote(body)}\nexit 0\n"


def run(job: Document, variables: dict[str, str], directory: Path) -> "subprocess.CompletedProcess[str]":
    """Run a job's scripts as a runner does on a machine with bash; both streams go to the job's log."""
    return subprocess.run(
        ["bash"],
        input=script(job),
        cwd=directory,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
