"""The stand-in base: from which sources of a machine it is made."""

import re
from pathlib import Path

import pytest
from embedded_engine.make.bootstrap import stand_in


async def test_a_machine_without_package_lists_has_the_same_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_lists = (await stand_in("bootstrap:auto", 0)).sources
    (tmp_path / "apt.conf").write_text(f'Dir::State::lists "{tmp_path}/none";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    without = (await stand_in("bootstrap:auto", 0)).sources
    assert without == re.sub(r" \[signed-by=[^]]*\]", "", with_lists)
