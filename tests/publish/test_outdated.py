"""Which images should be built again: seen on real images, with the archive's real indexes."""

import contextlib
import json
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import dagger
import pytest
import pytest_asyncio
from dagger import dag
from embedded_engine.session import Session

from pipeline.errors import ReleaseError, SettingsError
from pipeline.metadata import PREFIX
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.content import ImageContent, read_archive
from pipeline.release.login import Login
from pipeline.release.outdated import Question, Staleness, _base, age_of, outdated
from pipeline.release.published import find_published
from pipeline.release.push import Candidate, push_release, set_tag
from pipeline.release.tags import Tags
from tests.built_images import LINE, OF_ONE_LINE
from tests.cli.test_run import argv
from tests.conftest import Built
from tests.images.sabotages_base import HELD_BACK
from tests.publish.conftest import NOBODY, Maker, Running
from tests.publish.small_release import make_base

NAMES = list(OF_ONE_LINE)
DIGEST = "sha256:" + "a" * 64


@contextlib.asynccontextmanager
async def _content(path: Path) -> AsyncIterator[ImageContent]:
    yield read_archive(path)


def candidate(name: str, path: Path) -> Candidate:
    """Return what pushes an archive under a name."""
    return Candidate(name, OF_ONE_LINE[name].parent, read_archive(path).manifest.digest, partial(_content, path))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def held_back(engine: Session, archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of ska-base with a package that is older than the security archive's."""
    path = tmp_path_factory.mktemp("held-back") / "image.tar"
    base = dag.container().import_(dag.host().file(str(archives["ska-base"])))
    await base.with_exec(["sh", "-euc", HELD_BACK, "hold back"]).export(str(path))
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real(server: Running, archives: dict[str, Path], held_back: Path) -> str:
    """A release of real images: ska-base under all names, and the last one held back."""
    address = parse_address(f"{server.host}/outdated")
    images = [candidate(name, archives["ska-base"]) for name in NAMES[:-1]]
    async with open_registry(address, NOBODY) as registry:
        await push_release(registry, Tags("1.0.0"), [*images, candidate(NAMES[-1], held_back)])
        await push_release(registry, Tags("1.1.0-rc.1"), images[:1])
        await push_release(registry, Tags("1.1.0-rc.2"), [candidate(NAMES[0], held_back)])
    return str(address)


async def look(registry: object, question: Question | None = None, **given: str) -> dict[str, Any]:
    """Ask, and return the document."""
    question = question or Question("", 30, 0)
    return dict(json.loads(await outdated(question, {"registry": str(registry), **given}, Login())))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def document(real: str, built: Built) -> dict[str, Any]:
    """What is found of the release on the day of its build."""
    return await look(real, created=built.report["created"])


def entry(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [image for image in document["images"] if image["name"] == name]
    return dict(found)


async def test_the_newest_release_is_looked_at(document: dict[str, Any]) -> None:
    assert document["version"] == "1.0.0"


async def test_a_fresh_image_has_no_reason(document: dict[str, Any]) -> None:
    assert [entry(document, name)["reasons"] for name in NAMES[:-1]] == [[]] * (len(NAMES) - 1)


async def test_a_package_that_is_behind_is_named_with_both_versions(document: dict[str, Any]) -> None:
    found = entry(document, NAMES[-1])
    (package,) = found["packages"]
    assert (package["package"], package["installed"]) == ("libc6", "2.0-1")
    assert package["newer"].startswith("2.")
    assert found["reasons"] == ["security updates are pending: libc6"]
    assert document["outdated"] is True


async def test_a_stand_in_base_is_known_to_nobody(document: dict[str, Any]) -> None:
    assert "is not in a registry, so a newer one cannot be found" in entry(document, "ska-base")["unknown"][0]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (Question("", -1, 10), "max_age must be a number of days such as 30, not -1"),
        (Question("", 30, 256), "exit_code must be a number from 0 to 255, not 256"),
        (Question("", 30, -1), "exit_code must be a number from 0 to 255, not -1"),
    ],
)
async def test_an_age_or_an_exit_code_that_makes_no_sense_is_refused(question: Question, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        await look("registry.example", question)


def test_the_command_ends_with_10_and_shows_a_table(real: str, built: Built, store: Path, tmp_path: Path) -> None:
    output = tmp_path / "outdated.json"
    words = ("--store", store, "outdated", "--registry", real, "--created", built.report["created"], "-o", output)
    done = subprocess.run(argv(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 10, done.stderr
    assert "OUTDATED    " in done.stdout
    assert done.stdout.endswith(f"\n1 of {len(NAMES)} images of 1.0.0 is outdated.\n")
    assert "libc6 2.0-1 → 2." in done.stdout
    assert "verdict" not in done.stderr
    assert json.loads(output.read_text())["outdated"] is True


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def frozen(server: Running, archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A release whose first image says that it is built on Ubuntu, though its files are the stand-in's."""
    path = tmp_path_factory.mktemp("frozen") / "image.tar"
    base = dag.container().import_(dag.host().file(str(archives["ska-base"])))
    await base.with_label(f"{PREFIX}baseImage", f"ubuntu:22.04@{DIGEST}").export(str(path))
    address = parse_address(f"{server.host}/frozen")
    async with open_registry(address, NOBODY) as registry:
        await push_release(registry, Tags("1.0.0"), [candidate(NAMES[0], path)])
    return str(address)


async def test_packages_are_looked_up_in_the_state_that_a_release_of_that_moment_takes(frozen: str) -> None:
    found = await look(frozen, created="2026-01-31T23:00:00Z")
    assert found["snapshots"][LINE] == "20260131T000000Z"
    # What the same step says in a build, since the stand-in is not Ubuntu.
    assert "only Ubuntu's packages have snapshots" in str(entry(found, NAMES[0])["unknown"])


async def test_the_present_state_is_looked_at_where_a_release_takes_that(frozen: str) -> None:
    found = await look(frozen, created="2026-01-31T23:00:00Z", snapshot="off")
    assert found["snapshots"][LINE] == ""
    assert "frozen" not in str(entry(found, NAMES[0])["unknown"])


async def test_a_stand_in_has_no_other_state(document: dict[str, Any]) -> None:
    assert document["snapshots"][LINE] == ""


async def test_a_reason_is_an_exit_code_and_the_document_its_output(real: str) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await look(real, Question("1.1.0-rc.2", 30, 10))
    assert caught.value.exit_code == 10
    assert json.loads(caught.value.stdout)["version"] == "1.1.0-rc.2"


async def test_an_image_that_a_release_does_not_have_is_no_reason_to_build_that_release_again(real: str) -> None:
    found = await look(real, Question("1.1.0-rc.1", 30, 0))
    assert (entry(found, NAMES[-1])["reasons"], entry(found, NAMES[-1])["unknown"]) == (
        [],
        ["1.1.0-rc.1 does not have it"],
    )


@pytest.mark.parametrize(
    ("today", "reasons"),
    [("2026-12-24T00:00:00Z", ()), ("2026-12-25T00:00:00Z", ("it is 31 days old; the limit is 30",))],
)
async def test_an_image_that_is_too_old_is_one(
    registry: Registry, release: Maker, today: str, reasons: tuple[str, ...]
) -> None:
    images = release()
    await push_release(registry, Tags("1.0.0"), images[:1])
    found = await find_published(registry.repository("ska-base"), "1.0.0")
    assert found
    assert age_of(found, today, 30).reasons == reasons


async def test_an_image_of_the_future_is_not_taken_for_a_young_one(registry: Registry, release: Maker) -> None:
    await push_release(registry, Tags("1.0.0"), release()[:1])
    found = await find_published(registry.repository("ska-base"), "1.0.0")
    assert found
    sentence = "its day of creation is in the future ('2026-11-24T00:00:00Z')"
    assert age_of(found, "2026-11-23T00:00:00Z", 30) == Staleness(unknown=(sentence,))


async def test_a_base_that_has_moved_is_a_reason(registry: Registry, release: Maker, tmp_path: Path) -> None:
    base = make_base(tmp_path)
    await push_release(registry, Tags("22.04"), [base])
    name = f"{registry.address}/ubuntu:22.04"
    assert await _base(f"{name}@{base.digest}", NOBODY) == Staleness()
    await set_tag(registry.repository("ubuntu"), "22.04", base.digest)
    other = release()[0]
    async with other.content() as content:
        for blob in content.manifest.blobs:
            await registry.repository("ubuntu").push_blob(blob, content.blobs[blob.digest])
        await registry.repository("ubuntu").push_manifest("22.04", content.manifest)
    moved = f"the base {name} is {other.digest} now, and was {base.digest}"
    assert await _base(f"{name}@{base.digest}", NOBODY) == Staleness(reasons=(moved,), base=f"{name}@{other.digest}")


@pytest.mark.parametrize(
    ("base", "sentence"),
    [
        ("bootstrap:debian-12", "is not in a registry"),
        (f"archive:base.tar@{DIGEST}", "is not in a registry"),
        (f"127.0.0.1:9/ubuntu:22.04@{DIGEST}", "could not be looked up: The registry"),
    ],
)
async def test_a_base_that_cannot_be_asked_for_is_said(base: str, sentence: str) -> None:
    found = await _base(base, NOBODY)
    assert found.reasons == ()
    assert sentence in found.unknown[0]


async def test_nothing_published_is_said(server: Running, path: str) -> None:
    with pytest.raises(ReleaseError, match="has no release; publish one first"):
        await look(f"{server.host}/{path}")
