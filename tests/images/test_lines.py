"""Bases of lines: what is not of the line is refused, and what a base should not have brought goes."""

from dataclasses import replace
from pathlib import Path

import dagger
import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.base import select_bases
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.checks.distribution import DISTRIBUTIONS
from pipeline.errors import BaseArchiveError, SettingsError
from pipeline.steps.install import UNWANTED, Install
from tests.built_images import LINE

BROUGHT = """
useradd --create-home --groups adm,sudo ubuntu
echo program >/usr/bin/pebble
"""
LEFT = """
getent passwd ubuntu || true
getent group ubuntu || true
grep -n ubuntu /etc/group /etc/gshadow /etc/subuid /etc/subgid || true
ls -d /home/ubuntu /usr/bin/pebble 2>/dev/null || true
"""


def removing(unwanted: str) -> Install:
    return Install(("origin",), files={UNWANTED: unwanted})


async def test_a_base_of_another_distribution_than_the_line_s_is_refused(build: Build) -> None:
    other = replace(build.workbench, distribution=DISTRIBUTIONS["ubuntu-24.04"])
    with pytest.raises(dagger.ExecError) as raised:
        await chain("ska-base", replace(build, bases={LINE: other})).sync()
    assert raised.value.exit_code == 2
    assert raised.value.stderr.startswith(
        "The base is debian-12 by its /etc/os-release, and this line is built on ubuntu-24.04; give the base of"
    )


async def test_what_the_base_brings_and_the_line_removes_is_gone(build: Build) -> None:
    base = build.workbench.container.with_exec(["sh", "-euc", BROUGHT, "bring"])
    done = removing("user ubuntu\npath /usr/bin/pebble\n").on(base, "ska-base")
    assert await done.with_exec(["sh", "-euc", LEFT, "look"]).stdout() == ""


async def test_a_base_without_it_stays_as_it_is(build: Build) -> None:
    done = removing("user ubuntu\npath /usr/bin/pebble\n").on(build.workbench.container, "ska-base")
    assert await done.directory("/etc").digest() == await build.workbench.container.directory("/etc").digest()


async def test_an_archive_of_another_distribution_is_refused(engine: Session, archives: dict[str, Path]) -> None:
    archive = dag.host().file(str(archives["ska-base"].resolve()))
    with pytest.raises(
        BaseArchiveError,
        match=r"is debian-12 by its /etc/os-release, and ubuntu24 is built on ubuntu-24\.04, or on debian-13 in its",
    ):
        await select_bases(Settings(lines=["ubuntu24"]), archive)


async def test_an_archive_is_the_base_of_one_line(engine: Session, archives: dict[str, Path]) -> None:
    archive = dag.host().file(str(archives["ska-base"].resolve()))
    with pytest.raises(SettingsError, match=r"one line, and ubuntu22, ubuntu24 are built; build each with --line"):
        await select_bases(Settings(lines=["ubuntu22", "ubuntu24"]), archive)
