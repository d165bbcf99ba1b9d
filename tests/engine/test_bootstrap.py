"""The stand-in base: from which sources of a machine it is made."""

import re
from pathlib import Path

import pytest
from embedded_engine.host.errors import StandInImpossible
from embedded_engine.make import bootstrap
from embedded_engine.make.bootstrap import stand_in

#: What apt-get prints for a machine of Debian 12 with its usual sources.
DEBIAN_12 = """\
Packages|Debian|bookworm|http://deb.example/debian/|bookworm|main|/usr/share/keyrings/debian-archive-keyring.gpg
Packages|Debian|bookworm-updates|http://deb.example/debian/|stable-updates|main|$(SIGNED_BY)
Packages|Debian|bookworm-security|http://deb.example/debian-security/|bookworm-security|main|$(SIGNED_BY)
Packages|Elsewhere|bookworm|http://other.example/|bookworm|main|$(SIGNED_BY)
"""


@pytest.fixture
def debian_12(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be a Debian 12 with its usual sources and one of somebody else."""
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n')
    (tmp_path / "apt-get").write_text(f"#!/bin/sh\ncat <<'END'\n{DEBIAN_12}END\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setattr(bootstrap, "OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


async def test_a_machine_without_package_lists_has_the_same_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_lists = (await stand_in("bootstrap:auto", 0)).sources
    (tmp_path / "apt.conf").write_text(f'Dir::State::lists "{tmp_path}/none";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    without = (await stand_in("bootstrap:auto", 0)).sources
    assert without == re.sub(r" \[signed-by=[^]]*\]", "", with_lists)


@pytest.mark.usefixtures("debian_12")
async def test_the_machines_own_release_keeps_the_names_of_its_sources() -> None:
    found = await stand_in("bootstrap:auto", 0)
    assert (found.release, found.suite) == ("debian-12", "bookworm")
    assert found.sources == (
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.example/debian/ bookworm main\n"
        "deb http://deb.example/debian/ stable-updates main\n"
        "deb http://deb.example/debian-security/ bookworm-security main\n"
    )


@pytest.mark.usefixtures("debian_12")
async def test_another_release_has_the_same_sources_with_its_own_suites() -> None:
    found = await stand_in("bootstrap:debian-13", 0)
    assert (found.release, found.suite) == ("debian-13", "trixie")
    assert found.sources == (
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.example/debian/ trixie main\n"
        "deb http://deb.example/debian/ trixie-updates main\n"
        "deb http://deb.example/debian-security/ trixie-security main\n"
    )


@pytest.mark.usefixtures("debian_12")
async def test_only_the_unreleased_suite_may_be_past_its_date() -> None:
    found = await stand_in("bootstrap:debian-sid", 0)
    assert found.sources == (
        "deb [check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
        "http://deb.example/debian/ sid main\n"
    )


@pytest.mark.usefixtures("debian_12")
async def test_a_release_that_the_machines_distribution_does_not_have_is_refused() -> None:
    sentence = (
        "This machine is debian-12 and cannot bootstrap 'ubuntu-24.04'; start from one of bootstrap:debian-12, "
        "bootstrap:debian-13, bootstrap:debian-sid."
    )
    with pytest.raises(StandInImpossible, match=f"^{re.escape(sentence)}$"):
        await stand_in("bootstrap:ubuntu-24.04", 0)


async def test_a_machine_of_another_distribution_makes_no_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os-release").write_text('ID=fedora\nVERSION_ID="42"\n')
    monkeypatch.setattr(bootstrap, "OS_RELEASE", tmp_path / "os-release")
    with pytest.raises(StandInImpossible, match=r"and this machine is fedora-42; start from an image of a registry\.$"):
        await stand_in("bootstrap:auto", 0)
