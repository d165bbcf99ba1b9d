"""A minor or patch version keeps what the version before it promised."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.checks import contract as module
from pipeline.checks.contract import Contract
from pipeline.errors import CatalogueError, RegistryError, ReleaseError
from pipeline.registry.registry import Registry
from pipeline.release.continuity import require_continuity
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.built_images import OF_ONE_LINE, build_on
from tests.publish.conftest import Maker

PROMISED = {"python": {"version": "3.11"}, "tools": {"git": "2.39", "poetry": "2.1"}, "size": {"megabytes": "178"}}


def contract(image: str, sections: Mapping[str, Mapping[str, str]]) -> Contract:
    return Contract(image, "debian-12", sections)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of recorded contracts, in which every image promises the same."""
    monkeypatch.setattr(module, "_RECORDED", tmp_path)
    record(tmp_path, PROMISED)
    return tmp_path


def record(directory: Path, sections: Mapping[str, Mapping[str, str]]) -> None:
    (directory / "debian-12").mkdir(exist_ok=True)
    for name in OF_ONE_LINE:
        (directory / "debian-12" / f"{name}.json").write_text(contract(name, sections).render())


async def released(registry: Registry, release: Maker, version: str = "1.2.0") -> None:
    """Publish images that promise the same."""
    files = {name: {"etc/skao.contract.json": contract(name, PROMISED).render().encode()} for name in OF_ONE_LINE}
    await push_release(registry, Tags(version), release(files=files, version=version))


def build(version: str) -> Build:
    return build_on(Settings(version=version), "bootstrap:debian-12")


async def refusal(registry: Registry, version: str) -> str:
    with pytest.raises((ReleaseError, RegistryError, CatalogueError)) as raised:
        await require_continuity(build(version), registry)
    return str(raised.value)


async def test_a_version_that_promises_the_same_is_accepted(registry: Registry, release: Maker, recorded: Path) -> None:
    await released(registry, release)
    await require_continuity(build("1.2.1"), registry)


async def test_the_first_version_has_nothing_to_keep(registry: Registry, recorded: Path) -> None:
    await require_continuity(build("1.0.0"), registry)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({**PROMISED, "tools": {"poetry": "2.1"}}, "tools git 2.39, and now it is gone"),
        ({**PROMISED, "tools": {"git": "2.39", "poetry": "3.0"}}, "tools poetry 2.1, and now it is 3.0"),
        ({**PROMISED, "python": {"version": "3.12"}}, "python version 3.11, and now it is 3.12"),
    ],
)
@pytest.mark.parametrize("version", ["1.2.1", "1.3.0"])
async def test_a_minor_version_that_takes_something_is_refused(
    registry: Registry,
    release: Maker,
    recorded: Path,
    version: str,
    sections: Mapping[str, Mapping[str, str]],
    sentence: str,
) -> None:
    await released(registry, release)
    record(recorded, sections)
    broken = "; ".join(f"{name}:1.2.0 had {sentence}" for name in OF_ONE_LINE)
    assert await refusal(registry, version) == (
        f"{version} takes what consumers rely on: {broken}; publish 2.0.0, or restore it."
    )


async def test_a_major_version_may_take_something(registry: Registry, release: Maker, recorded: Path) -> None:
    await released(registry, release)
    record(recorded, {"tools": {}})
    await require_continuity(build("2.0.0"), registry)


async def test_an_older_series_is_compared_with_its_own_past(
    registry: Registry, release: Maker, recorded: Path
) -> None:
    await released(registry, release)
    record(recorded, {"tools": {}})
    await require_continuity(build("1.1.9"), registry)


async def test_what_is_new_or_of_another_size_takes_nothing(registry: Registry, release: Maker, recorded: Path) -> None:
    await released(registry, release)
    tools = {"git": "2.47", "poetry": "2.2", "cmake": "3.25"}
    record(recorded, {**PROMISED, "tools": tools, "size": {"megabytes": "300"}})
    await require_continuity(build("1.3.0"), registry)


async def test_an_image_without_a_recorded_contract_is_not_released(registry: Registry, recorded: Path) -> None:
    (recorded / "debian-12" / "ska-python.json").unlink()
    assert await refusal(registry, "1.2.1") == (
        "ska-python has no contract on debian-12, which a final version keeps; record it with "
        "`ska-images contracts -o pipeline/data/contracts`, and commit it."
    )


async def test_the_contract_of_another_image_is_refused(registry: Registry, recorded: Path) -> None:
    path = recorded / "debian-12" / "ska-python.json"
    path.write_text(contract("ska-build", PROMISED).render())
    assert await refusal(registry, "1.2.1") == (
        f"The contract {path} is of ska-build on debian-12; remove it, and record that of ska-python on debian-12 with "
        "`ska-images contracts -o pipeline/data/contracts`."
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"image": "ska-python", "distribution": "debian-12", "tools": [1]}'])
async def test_a_damaged_contract_is_refused(registry: Registry, recorded: Path, text: str) -> None:
    (recorded / "debian-12" / "ska-python.json").write_text(text)
    assert "ska-python.json cannot be read (" in await refusal(registry, "1.2.1")


async def test_a_published_contract_that_is_damaged_is_named(
    registry: Registry, release: Maker, recorded: Path
) -> None:
    images = release(files={"ska-base": {"etc/skao.contract.json": b"{"}}, version="1.2.0")
    await push_release(registry, Tags("1.2.0"), images)
    assert "ska-base@sha256:" in await refusal(registry, "1.2.1")


async def test_a_rolling_distribution_keeps_no_contract(registry: Registry, recorded: Path) -> None:
    one = build("1.0.0")
    bases = {
        name: replace(base, distribution=replace(base.distribution, name="debian-sid", is_rolling=True))
        for name, base in one.bases.items()
    }
    await require_continuity(replace(one, bases=bases), registry)
