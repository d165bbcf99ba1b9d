"""The preset for projects that build on the images: Renovate takes it, and finds and moves what it should."""

import copy
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pipeline.build.settings import Settings
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.gitlab.pipeline import ROOT
from tests.publish.conftest import NOBODY, of
from tests.publish.small_release import Recipe, make
from tests.registry import running
from tests.renovate.conftest import Renovate

pytestmark = pytest.mark.slow

FILE = ROOT / "renovate/default.json"
PRESET: dict[str, Any] = json.loads(FILE.read_text())
NO_DIGEST = "0" * 64
#: The ways in which projects name the images, by their files; REGISTRY is that of the test.
SHAPES = {
    "arguments/Dockerfile": """
        ARG BUILD_IMAGE="REGISTRY/ska-build-python:1.0.0"
        ARG RUNTIME_BASE_IMAGE=REGISTRY/ska-python:1.0.0
        FROM $BUILD_IMAGE AS build
        FROM ${RUNTIME_BASE_IMAGE}""",
    "pinned/Dockerfile": f"""
        ARG BUILD_IMAGE=REGISTRY/ska-build-python:1.0.0@sha256:{NO_DIGEST}
        ARG RUNTIME_BASE_IMAGE=REGISTRY/ska-python:1.0.0@sha256:{NO_DIGEST}
        FROM ${{BUILD_IMAGE}} AS build
        FROM ${{RUNTIME_BASE_IMAGE}}""",
    "plain/app.Dockerfile": """
        FROM REGISTRY/ska-build-python:1.0.0 AS build
        FROM REGISTRY/ska-python:1.0.0""",
    "Containerfile": """
        FROM REGISTRY/ska-python:1.0.0
        COPY --from=REGISTRY/ska-build-python:1.0.0 /usr/bin/git /usr/bin/git""",
}
#: A version that both images share.
SHARED = ("dockerfiles/python-uv/Dockerfile", "dockerfiles/python-poetry/Dockerfile")
FILES = (*SHAPES, *SHARED)


@dataclass(frozen=True)
class Consumer:
    """A project that builds on a release of small images in a registry that has a newer one.

    Args:
        renovate: looks for updates.
        directory: of the project.
        host: of the registry.
        digests: of the newer release's images, by their names.
    """

    renovate: Renovate
    directory: Path
    host: str
    digests: Mapping[str, str]

    def look_up(self, preset: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Return what Renovate finds with a preset, by file, in a project that lets releases age."""
        return self.renovate.look_up(self.directory, self.host, {**preset, "minimumReleaseAge": "3 days"})


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry of this module."""
    with running(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def consumer(host: str, renovate: Renovate, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    """A project with each of the shapes, which builds on 1.0.0, where 1.1.0 is published."""
    root, registry = tmp_path_factory.mktemp("consumer"), f"{host}/ska"
    async with open_registry(parse_address(registry), NOBODY) as opened:
        for version in ("1.0.0", "1.1.0"):
            images = make(root / version, Recipe(registry, version))
            await push_release(opened, Tags(version), images)
    texts = {name: re.sub(r"^ +", "", text, flags=re.MULTILINE) for name, text in SHAPES.items()}
    texts = {name: text.replace("REGISTRY", registry) for name, text in texts.items()}
    texts |= {name: _of_the_test((ROOT / name).read_text(), registry) for name in SHARED}
    for name, text in texts.items():
        file = root / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Consumer(renovate, root / "project", host, of(images))


def _of_the_test(text: str, registry: str) -> str:
    """Return a Dockerfile of this project that names the test's registry and release."""
    text = re.sub(r"^ARG REGISTRY=.*$", f"ARG REGISTRY={registry}", text, flags=re.MULTILINE)
    return re.sub(r"^ARG VERSION=.*$", "ARG VERSION=1.0.0", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def found(consumer: Consumer) -> dict[str, list[dict[str, Any]]]:
    """What Renovate finds with the preset, by file."""
    return consumer.look_up(PRESET)


def test_renovate_s_validator_takes_the_preset(renovate: Renovate) -> None:
    assert renovate.validate(FILE) == []


def _misspelt(preset: dict[str, Any]) -> None:
    preset["packageRules"][0]["groupNam"] = "SKA base images"


def _from_metadata(preset: dict[str, Any]) -> None:
    # When Renovate has this option, the preset should set it: https://github.com/renovatebot/renovate/pull/43566
    preset["packageRules"][0]["dockerReleaseTimestampSource"] = "metadata"


def _half_an_expression(preset: dict[str, Any]) -> None:
    preset["packageRules"][1]["matchJsonata"] = ["$not("]


def _half_a_manager(preset: dict[str, Any]) -> None:
    preset["customManagers"] = [{"customType": "regex", "managerFilePatterns": ["/Dockerfile/"], "matchStrings": ["("]}]


@pytest.mark.parametrize(
    ("sabotage", "sentence"),
    [
        (_misspelt, "Invalid configuration option: packageRules[0].groupNam"),
        (_from_metadata, "Invalid configuration option: packageRules[0].dockerReleaseTimestampSource"),
        (_half_an_expression, "Invalid JSONata expression"),
        (_half_a_manager, "Invalid regExp for customManagers"),
    ],
)
def test_renovate_s_validator_refuses_a_preset_that_is_not_right(
    renovate: Renovate, tmp_path: Path, sabotage: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    preset = copy.deepcopy(PRESET)
    sabotage(preset)
    file = tmp_path / "default.json"
    file.write_text(json.dumps(preset))
    assert sentence in "\n".join(renovate.validate(file))


@pytest.mark.parametrize("file", FILES)
def test_build_and_runtime_image_are_found_in_every_shape(found: dict[str, list[dict[str, Any]]], file: str) -> None:
    images = {one["depName"].rpartition("/")[2]: one["currentValue"] for one in found[file]}
    assert images == {"ska-build-python": "1.0.0", "ska-python": "1.0.0"}


@pytest.mark.parametrize("file", FILES)
def test_both_move_on_one_branch_without_waiting_for_a_time_of_release(
    found: dict[str, list[dict[str, Any]]], file: str
) -> None:
    updates = [update for one in found[file] for update in one["updates"] if update["updateType"] == "minor"]
    assert [(one["newValue"], one["branchName"]) for one in updates] == [("1.1.0", "renovate/ska-base-images")] * 2
    assert not any(one.get("pendingChecks") for one in updates)


@pytest.mark.parametrize("file", SHAPES)
def test_an_image_with_a_version_of_its_own_gets_its_digest(
    consumer: Consumer, found: dict[str, list[dict[str, Any]]], file: str
) -> None:
    for one in found[file]:
        (update,) = (update for update in one["updates"] if update["updateType"] == "minor")
        assert update["newDigest"] == consumer.digests[one["depName"].rpartition("/")[2]]


@pytest.mark.parametrize("file", SHARED)
def test_a_version_that_images_share_gets_no_digest(found: dict[str, list[dict[str, Any]]], file: str) -> None:
    assert [update.get("newDigest") for one in found[file] for update in one["updates"]] == [None, None]


def test_without_its_rules_versions_that_images_share_get_the_digest_of_one_and_updates_wait(
    consumer: Consumer,
) -> None:
    first = {**PRESET["packageRules"][0], "minimumReleaseAgeBehaviour": "timestamp-required"}
    found = consumer.look_up({**PRESET, "packageRules": [first]})
    updates = [update for file in SHARED for one in found[file] for update in one["updates"]]
    assert any(update.get("newDigest") for update in updates)
    assert all(update["pendingChecks"] for update in updates if update["updateType"] == "minor")


def test_the_preset_knows_the_images_by_the_source_that_their_labels_name() -> None:
    assert all(rule["matchSourceUrls"] == [Settings().source] for rule in PRESET["packageRules"])


def test_the_three_lines_of_the_documentation_lead_to_the_preset(renovate: Renovate, tmp_path: Path) -> None:
    (block,) = re.findall(r"```json\n(\{\n.*?\n\})\n```", (ROOT / "docs/using.md").read_text(), re.DOTALL)
    assert block.count("\n") == 2
    (name,) = json.loads(block)["extends"]
    script = tmp_path / "parse.mjs"
    module = renovate.directory / "node_modules/renovate/dist/config/presets/parse.js"
    script.write_text(
        f"import {{ parsePreset }} from '{module}';\nconsole.log(JSON.stringify(parsePreset('{name}')));\n"
    )
    parsed = json.loads(subprocess.run([renovate.node, script], capture_output=True, text=True, check=True).stdout)
    assert (parsed["presetSource"], f"https://gitlab.com/{parsed['repo']}") == ("gitlab", Settings().source)
    assert ROOT / parsed["presetPath"] / f"{parsed['presetName']}.json" == FILE
