"""One report of a build: the page says what the data say, and shows them without network or script."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import dagger
import pytest
import pytest_asyncio

from pipeline.build.assembly import open_containers, open_images
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.checks.contract import Contract, Difference
from pipeline.evidence.report import page, report, report_on
from pipeline.evidence.report_data import ContractChanges, contract_part
from pipeline.gates import GATES
from pipeline.gates.definition import GateInputs
from pipeline.gates.hold import prepare_all
from pipeline.registry.registry import Registry
from pipeline.release.contract_changes import Earlier, report_since
from pipeline.release.login import Login
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.images.sabotage import shell
from tests.publish.conftest import Maker
from tests.trust.databases import CRITICAL, HIGH, NOT_HERE, make, order_of

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Reads a page: its words, its links, and whether each element is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value for name, value in attrs if name in ("href", "src") and value}
        self.ids |= {value for name, value in attrs if name == "id" and value}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(trusting: Build, tmp_path_factory: pytest.TempPathFactory) -> dagger.Directory:
    """The report of ska-base, in which something is planted."""
    root = tmp_path_factory.mktemp("report")
    inputs = GateInputs(trusting, moment, order_of(make(root / "db", CRITICAL, HIGH)), root)
    return await report(["ska-base"], inputs)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def document(made: dagger.Directory) -> dict[str, Any]:
    """What programs get."""
    read: dict[str, Any] = json.loads(await made.file("report.json").contents())
    return read


async def test_the_page_shows_the_data_of_the_report(made: dagger.Directory, document: dict[str, Any]) -> None:
    assert await made.file("report.html").contents() == page(document)


async def test_every_link_of_the_page_leads_somewhere(made: dagger.Directory, document: dict[str, Any]) -> None:
    read = Page(page(document))
    inside = {link.removeprefix("#") for link in read.links if link.startswith("#")}
    files = {f"sbom/{name}" for name in await made.directory("sbom").entries()}
    assert read.open == []
    assert inside == read.ids == {"ska-base"}
    assert read.links - {"#ska-base"} == files == {"sbom/ska-base.cdx.json", "sbom/ska-base.spdx.json"}


async def test_a_report_of_what_must_not_be_released_says_so(document: dict[str, Any]) -> None:
    (image,) = document["images"]
    assert (document["passed"], image["passed"], image["severities"]["critical"] > 0) == (False, False, True)
    words = Page(page(document)).words
    assert all(word in words for word in ("Something stops a release", CRITICAL.id, HIGH.id, image["digest"], "FAIL"))


async def test_the_report_holds_the_checks_and_the_audit(document: dict[str, Any]) -> None:
    (image,) = document["images"]
    assert {check["name"] for check in image["checks"]} >= {"security-updates", "accounts", "size"}
    assert image["audit"]["passed"] > 100 and image["packages"]["deb"] > 50


async def test_gitlab_gets_every_finding(made: dagger.Directory, document: dict[str, Any]) -> None:
    report = json.loads(await made.file("gl-container-scanning-report.json").contents())
    found = [one["identifiers"][0]["value"] for one in report["vulnerabilities"]]
    assert found == [one["vulnerability"] for one in document["images"][0]["findings"]]


async def test_what_is_in_the_data_stays_text(document: dict[str, Any]) -> None:
    evil = "<script>alert(1)</script>"
    (image,) = document["images"]
    check = {"name": evil, "passed": False, "message": evil}
    finding = {**image["findings"][0], "title": evil, "package": evil}
    contract = contract_part(
        "ska-base", ContractChanges("1.0.0", {"ska-base": [Difference("tools", evil, evil, evil)]})
    )
    planted = {"description": evil, "checks": [check], "findings": [finding], "contract": contract}
    read = Page(page({**document, "compared_with": evil, "images": [{**image, **planted}]}))
    assert "script" not in read.tags
    assert read.words.count(evil) == 9


async def test_a_report_is_compared_with_no_release_by_default(document: dict[str, Any]) -> None:
    (image,) = document["images"]
    assert (document["compared_with"], image["contract"]) == ("", {"compared": False, "changes": []})
    assert "Compared with no release." in Page(page(document)).words


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (ContractChanges("1.2.2"), "Not compared with 1.2.2: one of the two has no contract."),
        (ContractChanges("1.2.2", {"ska-base": []}), "As in 1.2.2."),
        (ContractChanges("1.2.2", {"ska-base": [Difference("tools", "git", "2.39", "")]}), "breakingtools git2.39none"),
    ],
)
async def test_the_page_shows_what_a_contract_changes_since_a_release(
    document: dict[str, Any], changes: ContractChanges, sentence: str
) -> None:
    (image,) = document["images"]
    contract = contract_part("ska-base", changes)
    words = Page(page({**document, "compared_with": changes.since, "images": [{**image, "contract": contract}]})).words
    assert sentence in words.replace("\n", "")


async def test_a_build_is_compared_with_a_release_in_the_registry(
    trusting: Build, registry: Registry, release: Maker, tmp_path: Path
) -> None:
    old = Contract("ska-base", "debian-12", {"tools": {"vi": "9"}}).render().encode()
    await push_release(registry, Tags("1.0.0"), release(files={"ska-base": {"etc/skao.contract.json": old}}))
    settings = trusting.settings.model_copy(update={"registry": str(registry.address)})
    inputs = GateInputs(replace(trusting, settings=settings), moment, order_of(make(tmp_path / "db", *NOT_HERE)))
    made = await report_since(["ska-base"], inputs, Earlier("1.0.0", Login()))
    document = json.loads(await made.file("report.json").contents())
    (image,) = document["images"]
    assert (document["compared_with"], image["contract"]["compared"]) == ("1.0.0", True)
    changed = {one["title"]: one["breaking"] for one in image["contract"]["changes"]}
    assert (changed["tools vi"], changed["tools bash"]) == (True, False)


async def test_the_page_needs_neither_network_nor_script(document: dict[str, Any]) -> None:
    text = page(document)
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert Page(text).tags.isdisjoint({"script", "img", "link", "iframe", "object"})
    assert "@import" not in text and "url(" not in text


async def test_a_report_shows_what_no_gate_could_look_at(trusting: Build, tmp_path: Path) -> None:
    (image,) = open_images(["ska-base"], trusting)
    script = "rm /usr/lib/os-release; mkdir -p /opt/found-1.0.dist-info; echo nonsense >/var/lib/dpkg/status"
    script += "; rm /bin/sh"
    broken = (await image.container.get()).with_(shell(script))
    (hostile,) = open_containers({"ska-base": broken}, trusting)
    inputs = GateInputs(trusting, moment, order_of(make(tmp_path / "db", *NOT_HERE)), tmp_path)
    made = await report_on([hostile], await prepare_all(GATES, inputs), trusting, moment())
    (found,) = json.loads(await made.file("report.json").contents())["images"]
    assert {problem["gate"] for problem in found["problems"]} >= {"checks", "sbom", "audit", "scan"}
    assert (found["passed"], found["distribution"], found["sboms"], found["audit"]["outcomes"]) == (False, "", [], {})
    words = Page(await made.file("report.html").contents()).words
    assert all(f"FAIL {problem['gate']} {problem['subject']}: " in words for problem in found["problems"])


async def test_a_report_shows_an_sbom_that_is_not_complete(document: dict[str, Any]) -> None:
    (image,) = document["images"]
    problem = {"gate": "sbom", "subject": "ska-base.cdx.json", "sentence": "is not complete: it lacks deb zlib1g"}
    shown = page({**document, "images": [{**image, "problems": [problem]}]})
    assert "FAIL sbom ska-base.cdx.json: is not complete: it lacks deb zlib1g" in Page(shown).words
