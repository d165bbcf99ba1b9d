"""What the report says that contracts change since a release."""

import pytest

from pipeline.checks.contract import Contract
from pipeline.errors import ReleaseError
from pipeline.evidence.report_data import UNCOMPARED, ContractChanges
from pipeline.registry.registry import Registry
from pipeline.release.contract_changes import contract_changes, contracts_of
from pipeline.release.published import find_images
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.publish.conftest import Maker
from tests.publish.test_notes import contract


async def changes(registry: Registry, since: str, **tools: str) -> ContractChanges:
    """Compare with a release what ska-build and ska-python promise."""
    promised = {name: Contract(name, "debian-12", {"tools": tools}) for name in ("ska-build", "ska-python")}
    return await contract_changes(registry, since, promised)


@pytest.fixture
async def released(registry: Registry, release: Maker) -> Registry:
    """A registry with 1.0.0, where ska-build and the images built on it have a contract."""
    await push_release(registry, Tags("1.0.0"), release(files={"ska-build": contract("ska-build", git="2.39")}))
    return registry


async def test_a_contract_is_compared_with_that_of_the_release(released: Registry) -> None:
    found = await changes(released, "1.0.0", git="2.40", make="4.3")
    assert found.since == "1.0.0"
    assert [(one.title, one.before, one.after) for one in found.images["ska-build"]] == [
        ("tools git", "2.39", "2.40"),
        ("tools make", "", "4.3"),
    ]


async def test_an_image_without_a_contract_in_the_release_is_not_compared(released: Registry) -> None:
    assert (await changes(released, "1.0.0", git="2.40")).images.keys() == {"ska-build"}


async def test_without_a_release_nothing_is_compared(released: Registry) -> None:
    assert await changes(released, "", git="2.40") == UNCOMPARED


async def test_a_release_that_is_not_there_is_named(released: Registry) -> None:
    with pytest.raises(ReleaseError, match=r"has no image of 9\.9\.9; check --registry, --line and --since"):
        await changes(released, "9.9.9")


async def test_two_releases_are_compared_by_what_their_images_hold(released: Registry, release: Maker) -> None:
    new = release(version="1.0.1", files={"ska-build": contract("ska-build", make="4.3")})
    await push_release(released, Tags("1.0.1"), new)
    promised = await contracts_of(await find_images(released, "1.0.1", ["ska-build", "ska-python"]))
    found = await contract_changes(released, "1.0.0", promised)
    assert {name: [one.title for one in listed] for name, listed in found.images.items()} == {
        "ska-build": ["tools git", "tools make"]
    }
