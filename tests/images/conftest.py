"""The finished images, through the SDK, for tests that change and check them."""

from functools import partial

import dagger
import pytest
import pytest_asyncio
from embedded_engine.session import Session

from pipeline.build.base import select_bases
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.checks import Subject
from tests.built_images import OF_ONE_LINE
from tests.conftest import Built


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def build(engine: Session, built: Built) -> Build:
    """The build that made the archives: the same steps, so that all of them are in the store."""
    settings = Settings(base=built.report["lines"][0]["base"], created=built.report["created"])
    return Build(settings, await select_bases(settings, None))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def images(build: Build) -> dict[str, dagger.Container]:
    """The finished images by their names."""
    return {name: await chain(name, build).sync() for name in OF_ONE_LINE}


@pytest.fixture
def subject(request: pytest.FixtureRequest, images: dict[str, dagger.Container], build: Build) -> Subject:
    """The image that a test names by `indirect` parametrisation."""
    image = OF_ONE_LINE[request.param]
    return Subject(
        image=image.name,
        container=images[image.name],
        size_budget=image.size_budget,
        snapshot="",
        distribution=build.base_of(image).distribution,
        unwanted=image.line.unwanted,
        sibling=partial(chain, build=build),
    )
