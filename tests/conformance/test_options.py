"""Which engines the rules are held against, and what the rules start from."""

import pytest

from pipeline.catalogue.lines import find_line
from tests.conformance.conftest import base_of, modes_of


@pytest.mark.parametrize(
    ("engines", "modes"),
    [
        ([], ["root", "user"]),
        (["embedded"], ["root", "user"]),
        (["dagger"], ["dagger"]),
        (["dagger", "embedded", "dagger"], ["dagger", "root", "user"]),
    ],
)
def test_the_rules_are_held_against_the_engines_that_are_named(engines: list[str], modes: list[str]) -> None:
    assert modes_of(engines) == modes


ENVIRONMENT = {"SKA_BASE": "mirror.example/debian:12"}


@pytest.mark.parametrize(
    ("run", "option", "environment", "base"),
    [
        ("root", None, ENVIRONMENT, "bootstrap:auto"),
        ("user", "debian:12", {}, "debian:12"),
        ("dagger", None, {}, find_line("ubuntu22").base),
        ("dagger", None, ENVIRONMENT, "mirror.example/debian:12"),
        ("dagger", "debian:12", ENVIRONMENT, "debian:12"),
    ],
)
def test_the_rules_start_from_the_image_that_is_named(
    run: str, option: str | None, environment: dict[str, str], base: str
) -> None:
    assert base_of(run, option, environment) == base
