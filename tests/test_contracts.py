"""Contracts: what they hold, and what breaks those who rely on them."""

from pathlib import Path

import pytest

from pipeline.catalogue.lines import LINES
from pipeline.catalogue.lookup import by_name
from pipeline.checks import contract as module
from pipeline.checks.contract import SECTIONS, Contract, Difference, differences, page, parse, recorded
from pipeline.checks.distribution import DISTRIBUTIONS

DIRECTORY = Path(module.__file__).parents[1] / "data" / "contracts"
RECORDED = sorted(path.name for path in DIRECTORY.iterdir())


def contract(**tools: str) -> Contract:
    return Contract("ska-build", "debian-12", {**{name: {} for name in SECTIONS}, "tools": tools})


@pytest.mark.parametrize("distribution", RECORDED)
def test_committed_contracts_are_of_images_and_their_page_shows_them(distribution: str) -> None:
    files = {path.name for path in (DIRECTORY / distribution).iterdir()}
    found = {f"{name}.json": recorded(name, DISTRIBUTIONS[distribution]) for name in by_name()}
    contracts = {name: one for name, one in found.items() if one}
    assert files == {"README.md", *contracts}
    assert (DIRECTORY / distribution / "README.md").read_text() == page(list(contracts.values()))


def test_every_line_has_contracts_of_its_stand_in() -> None:
    assert {line.stand_in for line in LINES} == set(RECORDED)


def test_a_contract_is_read_as_it_was_written() -> None:
    assert parse(contract(git="2.39").render().encode()) == contract(git="2.39")


def test_contracts_differ_in_what_came_went_and_changed() -> None:
    assert differences(contract(git="2.39", make="4.3", gcc="12.2"), contract(make="4.4", gcc="12.2", uv="0.9")) == [
        Difference("tools", "git", "2.39", ""),
        Difference("tools", "make", "4.3", "4.4"),
        Difference("tools", "uv", "", "0.9"),
    ]


@pytest.mark.parametrize(
    ("difference", "is_breaking"),
    [
        (
            Difference(
                "accounts", "nonroot", "65532:65532 /home/nonroot /bin/bash", "1000:1000 /home/nonroot /bin/bash"
            ),
            True,
        ),
        (Difference("accounts", "games", "5:60 /usr/games /usr/sbin/nologin", ""), True),
        (Difference("accounts", "sshd", "", "100:65534 /run/sshd /usr/sbin/nologin"), False),
        (Difference("configuration", "command", "bash", "python3"), True),
        (Difference("environment", "UV_LINK_MODE", "copy", ""), True),
        (Difference("paths", "/.cache", "directory 1777 root:root", "directory 755 root:root"), True),
        (Difference("python", "version", "3.11", "3.12"), True),
        (Difference("python", "pip", "installed", ""), True),
        (Difference("tools", "git", "2.39", "2.47"), False),
        (Difference("tools", "git", "2.39", "3.0"), True),
        (Difference("tools", "git", "2.39", ""), True),
        (Difference("tools", "git", "", "2.39"), False),
        (Difference("privileged", "/usr/bin/su", "4755", ""), False),
        (Difference("size", "megabytes", "178", "278"), False),
    ],
)
def test_what_breaks_those_who_rely_on_it(difference: Difference, is_breaking: bool) -> None:
    assert difference.is_breaking is is_breaking
