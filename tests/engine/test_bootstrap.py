"""The stand-in base: from which sources of a machine it is made."""

import re
from pathlib import Path

import pytest
from embedded_engine.host.errors import StandInImpossible
from embedded_engine.make import bootstrap
from embedded_engine.make.bootstrap import stand_in


async def test_a_machine_without_package_lists_has_the_same_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_lists = (await stand_in("bootstrap:auto", 0)).sources
    (tmp_path / "apt.conf").write_text(f'Dir::State::lists "{tmp_path}/none";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    without = (await stand_in("bootstrap:auto", 0)).sources
    assert without == re.sub(r" \[signed-by=[^]]*\]", "", with_lists)


async def test_another_release_than_the_machines_is_refused() -> None:
    with pytest.raises(
        StandInImpossible, match=r"^This machine can bootstrap (\S+) and not 'x-1'; start from 'bootstrap:\1'\.$"
    ):
        await stand_in("bootstrap:x-1", 0)


async def test_a_machine_of_another_distribution_makes_no_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os-release").write_text('ID=fedora\nVERSION_ID="42"\n')
    monkeypatch.setattr(bootstrap, "OS_RELEASE", tmp_path / "os-release")
    with pytest.raises(StandInImpossible, match=r"and this machine is fedora-42; start from an image of a registry\.$"):
        await stand_in("bootstrap:auto", 0)
