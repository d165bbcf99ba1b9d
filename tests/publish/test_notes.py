"""What is new between two releases, in Markdown and JSON."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from pipeline.build.inputs import Build
from pipeline.checks.contract import Contract
from pipeline.errors import ReleaseError, SettingsError
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.notes import Comparison, release_notes
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from pipeline.signing.signature import Trusted
from tests.built_images import OF_ONE_LINE
from tests.publish.conftest import NOBODY, Maker, Running
from tests.publish.small_release import Recipe, make

VENV = "usr/lib/pipx/venvs/poetry/lib/python3.10/site-packages"


def dpkg(**versions: str) -> bytes:
    """Return dpkg's list of packages."""
    stanzas = [
        f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n" for name, version in versions.items()
    ]
    return "\n".join([*stanzas, "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"]).encode()


def files(packages: Mapping[str, str], python: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Return the files that tell of packages."""
    pip = {f"{VENV}/{name}-{version}.dist-info/METADATA": b"" for name, version in (python or {}).items()}
    return {"var/lib/dpkg/status": dpkg(**packages), **pip}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def releases(server: Running, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Registry]:
    """A registry with the releases 1.0.0 and 1.0.1, and some that say nothing of packages."""
    old = {
        "ska-base": files({"libc6": "2.35-1", "login": "1"}),
        "ska-build": files({"libc6": "2.35-1", "login": "1", "gcc": "11"}, {"poetry": "2.0.0", "Foo_Bar": "1"}),
    }
    new = {
        "ska-base": files({"libc6": "2.35-2", "tzdata": "2026a"}),
        "ska-build": files({"libc6": "2.35-2", "tzdata": "2026a", "gcc": "12"}, {"poetry": "2.1.0", "foo.bar": "1"}),
    }
    address = parse_address(f"{server.host}/notes")
    async with open_registry(address, NOBODY) as registry:
        for version in ("1.0.0", "1.0.1-rc.1", "1.0.1", "1.1.0-rc.1", "1.1.0", "2.0.0"):
            recipe = Recipe(str(address), version, files={"1.0.0": old, "1.0.1": new}.get(version, {}))
            await push_release(registry, Tags(version), make(tmp_path_factory.mktemp("release"), recipe))
        yield registry


async def notes(registry: Registry, layout: str, before: str = "1.0.0", after: str = "1.0.1", **given: Any) -> str:
    asked = Comparison(before, after, layout)
    return await release_notes(asked, {"registry": str(registry.address), **given}, Login(), Trusted(), _no_build)


async def _no_build() -> Build:
    raise AssertionError("Nothing is built to compare what is not signed.")


async def entry(registry: Registry, name: str) -> dict[str, Any]:
    """Return the JSON of an image."""
    document = json.loads(await notes(registry, "json"))
    (found,) = [one for one in document["images"] if one["name"] == name]
    return dict(found)


async def test_packages_that_came_went_and_changed_are_told_apart(releases: Registry) -> None:
    assert (await entry(releases, "ska-base"))["packages"] == {
        "added": [{"package": "tzdata", "before": "", "after": "2026a"}],
        "removed": [{"package": "login", "before": "1", "after": ""}],
        "upgraded": [{"package": "libc6", "before": "2.35-1", "after": "2.35-2"}],
    }


async def test_distributions_of_python_are_known_by_their_normal_names(releases: Registry) -> None:
    assert (await entry(releases, "ska-build"))["python"] == {
        "added": [],
        "removed": [],
        "upgraded": [{"package": "poetry", "before": "2.0.0", "after": "2.1.0"}],
    }


async def test_an_image_has_all_that_is_new_in_its_parent(releases: Registry) -> None:
    names = {one["package"] for one in (await entry(releases, "ska-build"))["packages"]["upgraded"]}
    assert names == {"libc6", "gcc"}
    assert (await entry(releases, "ska-python"))["packages"] == (await entry(releases, "ska-base"))["packages"]


async def test_each_image_is_named_by_its_digest(releases: Registry) -> None:
    one = await entry(releases, "ska-base")
    for key, tag in (("before", "1.0.0"), ("after", "1.0.1")):
        manifest = await releases.repository("ska-base").manifest(tag)
        assert manifest
        assert one[key] == f"{releases.address}/ska-base:{tag}@{manifest.digest}"


async def test_the_markdown_says_it_once(releases: Registry) -> None:
    text = await notes(releases, "markdown")
    base, build, build_python, python = text.split("\n### ")[1:]
    assert text.startswith("# From 1.0.0 to 1.0.1\n")
    assert "| libc6 | 2.35-1 | 2.35-2 |\n| login | 1 | – |\n| tzdata | – | 2026a |" in base  # noqa: RUF001
    assert "| Package | before | after |\n| --- | --- | --- |\n| gcc | 11 | 12 |\n" in build
    assert "| poetry | 2.0.0 | 2.1.0 |" in build
    assert "libc6" not in build
    assert build.endswith("And all that is new in ska-base.\n")
    assert build_python.endswith("And all that is new in ska-build.\n")
    assert python.endswith("And all that is new in ska-base.\n")


async def test_nothing_new_is_said(releases: Registry) -> None:
    assert (await notes(releases, "markdown", "1.0.0", "1.0.0")).count("\nNothing.\n") == len(OF_ONE_LINE)


async def test_an_image_that_is_new_is_said(registry: Registry, release: Maker) -> None:
    await push_release(registry, Tags("1.0.0"), release()[:1])
    await push_release(registry, Tags("1.0.1"), release(version="1.0.1"))
    assert (await notes(registry, "markdown")).count("\nNew.\n") == 3


async def test_a_release_that_is_not_there_is_said(releases: Registry) -> None:
    with pytest.raises(ReleaseError, match=r"has no image of 9\.9\.9; check --registry, --line and the version"):
        await notes(releases, "json", after="9.9.9")


async def test_an_unknown_format_is_refused(registry: Registry) -> None:
    with pytest.raises(SettingsError, match="The format 'yaml' is not known; give markdown or json"):
        await notes(registry, "yaml")


async def test_a_package_cannot_write_markdown(registry: Registry, release: Maker) -> None:
    hostile = {
        "ska-base": {"var/lib/dpkg/status": dpkg(**{"a|<img src=x>@all": "1\x1b[2J\u202e[x](https://x.example)"})}
    }
    await push_release(registry, Tags("1.0.0"), release(labels={"ska-base": {"int.skao.image.version": "`9`\n# No"}}))
    await push_release(registry, Tags("1.0.1"), release(files=hostile, version="1.0.1"))
    text = await notes(registry, "markdown")
    assert r"| a\|\<img src=x\>\@all | – | 1\\x1b\[2J\\u202e\[x\](https\://x.example) |" in text  # noqa: RUF001
    assert "# No" not in text
    assert text.replace("\n", "").isprintable()
    assert (await notes(registry, "json")).replace("\n", "").isprintable()


def contract(image: str, **tools: str) -> dict[str, bytes]:
    """Return the file that promises tools."""
    return {"etc/skao.contract.json": Contract(image, "debian-12", {"tools": tools}).render().encode()}


async def test_what_changed_in_a_contract_is_a_table_of_its_own(registry: Registry, release: Maker) -> None:
    old = {"ska-build": contract("ska-build", git="2.39", make="4.3", gcc="12.2")}
    new = {"ska-build": contract("ska-build", make="4.4", gcc="12.2", cmake="3.25")}
    await push_release(registry, Tags("1.0.0"), release(files=old))
    await push_release(registry, Tags("1.0.1"), release(files=new, version="1.0.1"))
    text = await notes(registry, "markdown")
    assert (
        "| Contract | before | after |\n| --- | --- | --- |\n"
        "| tools cmake | – | 3.25 |\n| tools git | 2.39 | – |\n| tools make | 4.3 | 4.4 |\n"  # noqa: RUF001
    ) in text
    found = (await entry(registry, "ska-build"))["contract"]
    assert [(one["name"], one["breaking"]) for one in found] == [("cmake", False), ("git", True), ("make", False)]


async def test_what_may_break_stands_first(registry: Registry, release: Maker) -> None:
    old = {"ska-build": contract("ska-build", git="2.39", make="4.3", gcc="12.2")}
    new = {"ska-build": contract("ska-build", make="5.0", gcc="12.3")}
    await push_release(registry, Tags("1.0.0"), release(files=old))
    await push_release(registry, Tags("2.0.0"), release(files=new, version="2.0.0"))
    assert (await notes(registry, "markdown", after="2.0.0")).startswith(
        "# From 1.0.0 to 2.0.0\n\nWhat is built on these images may stop working:\n\n"
        "- ska-build: tools git was 2.39, and is gone\n"
        "- ska-build: tools make was 4.3, and is 5.0\n\n"
    )


async def test_each_line_has_a_part_of_its_own(registry: Registry, release: Maker) -> None:
    new = {"ska-base": files({"libc6": "2"}), "ska-base-ubuntu24": files({"libc6": "3"})}
    for version, differs in (("1.0.0", {}), ("1.0.1", new)):
        images = release(version=version, files=differs)
        others = release(version=version, files={"ska-base": differs.get("ska-base-ubuntu24", {})})
        others = [replace(one, name=f"{one.name}-ubuntu24", parent=None) for one in others]
        await push_release(registry, Tags(version), [*images, *others])
    text = await notes(registry, "markdown", lines=["ubuntu22", "ubuntu24"])
    first, second = text.split("\n## ")[1:]
    assert first.startswith("ubuntu22\n\n### ska-base\n") and "| libc6 | – | 2 |" in first  # noqa: RUF001
    assert second.startswith("ubuntu24\n\n### ska-base-ubuntu24\n") and "| libc6 | – | 3 |" in second  # noqa: RUF001
    assert second.endswith("And all that is new in ska-base-ubuntu24.\n")


async def test_a_line_that_neither_release_has_is_left_out(releases: Registry) -> None:
    assert await notes(releases, "markdown", lines=["ubuntu22", "ubuntu24"]) == await notes(releases, "markdown")


@pytest.mark.parametrize(
    ("after", "before"), [("1.0.1", "1.0.0"), ("1.0.1-rc.1", "1.0.0"), ("1.1.0", "1.0.1"), ("1.0.0", "")]
)
async def test_a_release_is_compared_with_the_newest_final_version_before_it(
    releases: Registry, after: str, before: str
) -> None:
    document = json.loads(await notes(releases, "json", "", after))
    assert (document["from"], document["to"]) == (before, after)


async def test_the_first_release_has_only_new_images(registry: Registry, release: Maker) -> None:
    await push_release(registry, Tags("1.0.0"), release())
    text = await notes(registry, "markdown", "", "1.0.0")
    assert text.startswith("# 1.0.0\n\n## ubuntu22\n\n### ska-base\n")
    assert text.count("\nNew.\n") == len(OF_ONE_LINE)


async def test_a_release_in_staging_is_described_as_where_it_will_be(releases: Registry) -> None:
    here = await notes(releases, "markdown")
    asked, given = Comparison("1.0.0", "1.0.1", holds=str(releases.address)), {"registry": "registry.example/ska"}
    elsewhere = await release_notes(asked, given, Login(), Trusted(), _no_build)
    assert elsewhere == here.replace(str(releases.address), "registry.example/ska") != here


async def test_without_a_key_no_vulnerability_is_named_and_the_notes_say_why(releases: Registry) -> None:
    assert (
        "\n\nKnown vulnerabilities are not compared: nobody's signature counts; give --key FILE, or --identity and "
        "--issuer.\n\n"
    ) in await notes(releases, "markdown")
    vulnerabilities = (await entry(releases, "ska-base"))["vulnerabilities"]
    assert (vulnerabilities["went"], vulnerabilities["came"]) == ([], [])
    assert vulnerabilities["unknown"]
