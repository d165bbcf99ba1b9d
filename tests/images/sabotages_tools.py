"""Ways to break what the images that build and run Python have."""

from pipeline.metadata import PYTHON_LABEL
from tests.images.sabotage import Sabotage, label, left, shell, stub, variable

#: The one other Python that Debian 12 has.
OTHER_PYTHON = """
apt-get update -qq
apt-get install -y -qq --no-install-recommends pypy3
rm /usr/bin/python3*
ln -s pypy3 /usr/bin/python3
"""

BUILD = (
    Sabotage("pip", "ska-build", "pip", shell("rm /usr/bin/pip"), "pip: not found"),
    Sabotage(
        "pip's way into the system's Python",
        "ska-build",
        "pip",
        shell("touch $(dirname $(python3 -c 'import os; print(os.__file__)'))/EXTERNALLY-MANAGED"),
        "externally-managed-environment",
    ),
    Sabotage(
        "a package that pip would leave out of an application",
        "ska-build",
        "system-python",
        shell("mkdir /usr/lib/python3/dist-packages/click-8.1.dist-info; "
              "echo 'Name: click' >/usr/lib/python3/dist-packages/click-8.1.dist-info/METADATA"),
        "the system's Python shows: expected pip, found click pip",
    ),
    Sabotage(
        "a module that an application could import",
        "ska-build",
        "system-python",
        shell("touch /usr/lib/python3/dist-packages/click.py"),
        "import by chance: expected nothing, found click",
    ),
    Sabotage(
        "the place for other versions of tools",
        "ska-build",
        "system-python",
        variable("PATH", "/usr/local/bin:/usr/bin:/bin:/root/.local/bin"),
        "first directory of PATH: expected /root/.local/bin",
    ),
    Sabotage("pipx", "ska-build", "pipx", shell("rm /usr/bin/pipx"), "pipx: not found"),
    Sabotage(
        "pip for users without a home", "ska-build", "pip", shell("chmod 0755 /.local"), r"\(as 12345\).*|/\.local"
    ),
    Sabotage(
        "pipx for users without a home", "ska-build", "pipx", shell("chmod 0755 /.local"), r"(?s)12345.*|/\.local"
    ),
    Sabotage("uv", "ska-build", "uv", shell("rm /usr/bin/uv"), "version of uv: expected"),
    Sabotage("the version of uv", "ska-build", "uv", stub("/usr/bin/uv", "uv 0.1.0"), r"of uv: .* found uv 0\.1\.0"),
    Sabotage(
        "what /usr/local carries along", "ska-build", "uv", stub("/usr/local/bin/uv", "uv"), "found /usr/local/bin/uv"
    ),
    Sabotage(
        "downloads of Python", "ska-build", "uv", variable("UV_PYTHON_DOWNLOADS", "automatic"), "never, found automatic"
    ),
    Sabotage("Poetry", "ska-build", "poetry", shell("rm /usr/bin/poetry"), "poetry: not found"),
    Sabotage(
        "the version of Poetry",
        "ska-build",
        "poetry",
        stub("/usr/bin/poetry", "Poetry (version 1.8.3)"),
        r"version of Poetry: expected Poetry \(version 2[0-9.]+\), found Poetry \(version 1.8.3\)",
    ),
    Sabotage(
        "Poetry for others than root",
        "ska-build",
        "poetry",
        shell("chmod 0700 /usr/lib/pipx"),
        r"\(as (nonroot|12345)\)",
    ),
    Sabotage(
        "poetry export",
        "ska-build",
        "poetry",
        shell("find /usr/lib/pipx -name 'poetry_plugin_export*' -prune -exec rm -r {} +"),
        "poetry export: expected poetry export, found nothing",
    ),
    Sabotage(
        "the label that names Python's version",
        "ska-build",
        "python-version",
        label(PYTHON_LABEL, "3.9"),
        r"which the label names: expected 3\.9, found 3\.\d+",
    ),
    Sabotage(
        "the way through root's home",
        "ska-build",
        "missing-program",
        shell("chmod 0700 /root"),
        r"\(as (nonroot|12345)\) exit code of a program that does not exist: expected 127, found 126",
    ),
    Sabotage(
        "what others see in root's home",
        "ska-build",
        "accounts",
        shell("chmod 0755 /root"),
        "others may do in root's home: expected 0, found 5",
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
        "the cache of uv for users without a home",
        "ska-build-python",
        "uv-sync",
        shell("chmod 0755 /.cache"),
        r"\(as 12345\)|/\.cache",
    ),
    Sabotage(
        "uv's way of installing",
        "ska-build-python",
        "uv-sync",
        variable("UV_LINK_MODE", "none"),
        "UV_LINK_MODE|link-mode",
    ),
    Sabotage(
        "venv's pip",
        "ska-build-python",
        "venv",
        shell("rm -r $(dirname $(python3 -c 'import os; print(os.__file__)'))/ensurepip"),
        "ensurepip",
    ),
    # Users who may not search /root/.local/bin, the first directory of PATH, get the other message.
    Sabotage("git", "ska-build-python", "git", shell("rm /usr/bin/git"), "git: (not found|Permission denied)"),
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
    Sabotage(
        "pip's way into the system's Python, where it is copied to",
        "ska-python",
        "runtime-only",
        shell("touch $(dirname $(python3 -c 'import os; print(os.__file__)'))/EXTERNALLY-MANAGED"),
        "may not change: expected nothing, found .*EXTERNALLY-MANAGED",
    ),
    Sabotage("no compiler", "ska-python", "runtime-only", stub("/usr/local/bin/gcc", ""), "gcc: expected nothing"),
    Sabotage("no headers", "ska-python", "runtime-only", left("/usr/include/a.h"), r"headers: .*a\.h"),
    Sabotage(
        "Python's version",
        "ska-python",
        "python-version",
        stub("/usr/local/bin/python3", "3.9"),
        r"which the label names: expected 3\.\d+, found 3\.9",
    ),
    Sabotage(
        "a module that the build image has",
        "ska-python",
        "same-modules",
        shell("rm $(python3 -c 'import distutils.util; print(distutils.util.__file__)' 2>/dev/null)"),
        "the build image has and this one lacks: expected nothing, found distutils/util.py",
    ),
    Sabotage(
        "a Python that is not the one of the build image",
        "ska-python",
        "pair",
        shell(OTHER_PYTHON),
        r"(?s)which the environments need: expected 3\.\d+, found 3\.\d+.*"
        r"that uv made at /src/\.venv: expected 42 /src/\.venv, found ModuleNotFoundError: .*"
        r"that Poetry made at /app/\.venv: .* not found.*"
        r"that venv made at /opt/application/\.venv: .*ModuleNotFoundError",
    ),
    Sabotage(
        "Python at the path that environments name",
        "ska-python",
        "pair",
        shell("mv /usr/bin/python3 /usr/local/bin/python3"),
        r"that uv made at /src/\.venv: expected 42 /src/\.venv, found .*not found",
    ),
    Sabotage(
        "Python for others than root",
        "ska-python",
        "pair",
        shell("chmod 0700 $(dirname $(python3 -c 'import os; print(os.__file__)'))"),
        r"\(as (nonroot|12345)\)",
    ),
)  # fmt: skip
