"""The digests of the lines' bases are those that a real registry gives."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.catalogue.lines import LINES, Line
from pipeline.cli.delivery import write_beside
from pipeline.errors import RegistryError, ReleaseError
from pipeline.registry.registry import Registry
from pipeline.release.push import push_release
from pipeline.release.renew import renew_bases
from pipeline.release.tags import Tags
from tests.publish.small_release import make_base
from tests.registry import free_address

OLD = "sha256:" + "0" * 64


@pytest.fixture
async def line(registry: Registry, tmp_path: Path) -> Line:
    """A line whose base has moved in its registry."""
    await push_release(registry, Tags("22.04"), [make_base(tmp_path)])
    return replace(LINES[0], base=f"{registry.address}/ubuntu:22.04@{OLD}")


@pytest.fixture
def module(line: Line, tmp_path: Path) -> Path:
    """The module with its reference."""
    path = tmp_path / "lines.py"
    path.write_text(f'BASE = "{line.base}"  # kept\n')
    return path


async def test_a_base_that_has_moved_is_written_with_its_new_digest(line: Line, module: Path, tmp_path: Path) -> None:
    digest = make_base(tmp_path).digest
    (renewal,) = await renew_bases(write_beside, [line], module)
    assert (renewal.before, renewal.has_moved) == (line.base, True)
    assert module.read_text() == f'BASE = "{line.base.replace(OLD, digest)}"  # kept\n'


async def test_a_base_that_has_not_moved_leaves_the_file_alone(line: Line, module: Path) -> None:
    await renew_bases(write_beside, [line], module)
    renewed = replace(line, base=module.read_text().split('"')[1])
    before = module.stat().st_mtime_ns
    (renewal,) = await renew_bases(write_beside, [renewed], module)
    assert (renewal.has_moved, module.stat().st_mtime_ns) == (False, before)


@pytest.mark.parametrize(
    ("base", "error", "sentence"),
    [
        ("ubuntu:99.99@" + OLD, ReleaseError, "its registry does not have that tag any more"),
        ("ubuntu@" + OLD, ReleaseError, "has no tag"),
    ],
)
async def test_if_one_base_cannot_be_looked_up_nothing_is_written(
    base: str, error: type[Exception], sentence: str, line: Line, module: Path
) -> None:
    text = module.read_text()
    other = replace(LINES[1], base=f"{line.base.partition('/ubuntu')[0]}/{base}")
    with pytest.raises(error, match=sentence):
        await renew_bases(write_beside, [line, other], module)
    assert module.read_text() == text


async def test_a_registry_that_does_not_answer_is_named(line: Line, module: Path) -> None:
    address = free_address()
    with pytest.raises(RegistryError, match=address):
        await renew_bases(write_beside, [replace(line, base=f"{address}/ubuntu:22.04@{OLD}")], module)


async def test_a_module_without_the_reference_is_refused(line: Line, module: Path) -> None:
    module.write_text("")
    with pytest.raises(ReleaseError, match=r"lines\.py does not hold the base .* of ubuntu22 exactly once"):
        await renew_bases(write_beside, [line], module)
