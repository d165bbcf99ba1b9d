"""Hints of the module's functions: what Dagger's SDK reads of them on any Python, and on which one it runs."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from pipeline.cli.functions import functions_of
from tests.test_project import PROJECT, ROOT


@pytest.fixture(scope="module")
def hints() -> dict[str, Any]:
    """What the SDK reads of all arguments, from hints in Python 3.10's form."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hints_of_python_3_10"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_the_sdk_takes_all_hints_in_the_form_of_python_3_10(hints: dict[str, Any]) -> None:
    assert set(hints) == {"", *(function.key for function in functions_of(None).values())}
    assert {name: arguments for name, arguments in hints.items() if isinstance(arguments, str)} == {}


@pytest.mark.slow
def test_no_hint_is_wrapped_on_python_3_10(hints: dict[str, Any]) -> None:
    read = [(name, key, *hint) for name, arguments in hints.items() for key, hint in dict(arguments).items()]
    assert read
    assert [(name, key) for name, key, kind, doc in read if not doc or kind.startswith("typing.")] == []


def test_the_python_of_dagger_s_runtime_is_pinned_by_digest() -> None:
    image = PROJECT["tool"]["dagger"]["base-image"]
    pinned = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim@sha256:[0-9a-f]{64}", image)
    assert pinned
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(pinned[1])
