"""Ways to break what the images that build and run Python have."""

from tests.images.sabotage import Sabotage, left, shell, stub, variable

BUILD = (
    Sabotage("pip", "ska-build", "pip", shell("rm /usr/bin/pip"), "pip: not found"),
    Sabotage(
        "pip's way into the system's Python",
        "ska-build",
        "pip",
        shell("touch $(dirname $(python3 -c 'import os; print(os.__file__)'))/EXTERNALLY-MANAGED"),
        "externally-managed-environment",
    ),
    Sabotage("pipx", "ska-build", "pipx", shell("rm /usr/bin/pipx"), "pipx: not found"),
    Sabotage("Poetry", "ska-build", "poetry", shell("rm /usr/bin/poetry"), "poetry: not found"),
    Sabotage(
        "the version of Poetry",
        "ska-build",
        "poetry",
        stub("/usr/bin/poetry", "Poetry (version 1.8.3)"),
        r"version of Poetry: expected Poetry \(version 2[0-9.]+\), found Poetry \(version 1.8.3\)",
    ),
    Sabotage(
        "Poetry for others than root", "ska-build", "poetry", shell("chmod 0700 /usr/lib/pipx"), r"\(as nonroot\)"
    ),
    Sabotage("the C++ compiler", "ska-build", "compiler", shell("rm /usr/bin/c++"), r"c\+\+: not found"),
    Sabotage("the C++ library", "ska-build", "compiler", shell("rm -r /usr/include/c++"), "iostream"),
    Sabotage("libffi's header", "ska-build", "extension", shell("find /usr/include -name ffi.h -delete"), r"ffi\.h"),
    Sabotage(
        "Python's header", "ska-build", "extension", shell("find /usr/include -name Python.h -delete"), r"Python\.h"
    ),
    Sabotage(
        "environments in the project",
        "ska-build-python",
        "poetry-install",
        variable("POETRY_VIRTUALENVS_IN_PROJECT", "0"),
        r"not found|expected .*/\.venv",
    ),
    Sabotage(
        "venv's pip",
        "ska-build-python",
        "venv",
        shell("rm -r $(dirname $(python3 -c 'import os; print(os.__file__)'))/ensurepip"),
        "ensurepip",
    ),
    Sabotage("git", "ska-build-python", "git", shell("rm /usr/bin/git"), "git: not found"),
)  # fmt: skip

PYTHON = (
    Sabotage(
        "a module of the standard library",
        "ska-python",
        "standard-library",
        shell("rm $(python3 -c 'import statistics; print(statistics.__file__)')"),
        "statistics: expected to import",
    ),
    Sabotage(
        "a compiled module",
        "ska-python",
        "standard-library",
        shell("rm $(python3 -c 'import _json; print(_json.__file__)')"),
        "_json: expected to import",
    ),
    Sabotage(
        "no pip",
        "ska-python",
        "runtime-only",
        shell("mkdir /usr/lib/python3/dist-packages/pip; touch /usr/lib/python3/dist-packages/pip/__init__.py"),
        "module pip: expected absent, found present",
    ),
    Sabotage("no compiler", "ska-python", "runtime-only", stub("/usr/local/bin/gcc", ""), "gcc: expected nothing"),
    Sabotage("no headers", "ska-python", "runtime-only", left("/usr/include/a.h"), r"headers: .*a\.h"),
    Sabotage(
        "Python's version",
        "ska-python",
        "python-version",
        stub("/usr/local/bin/python3", "3.9"),
        r"Python's version: expected 3\.\d+, found 3\.9",
    ),
    Sabotage(
        "Python",
        "ska-python",
        "application",
        shell("rm /usr/bin/python3"),
        r"the environment's Python: expected /src/\.venv",
    ),
    Sabotage(
        "Python for others than root",
        "ska-python",
        "application",
        shell("chmod 0700 $(dirname $(python3 -c 'import os; print(os.__file__)'))"),
        r"\(as nonroot\)",
    ),
)  # fmt: skip
