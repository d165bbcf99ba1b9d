"""The finished images, through the SDK, for tests that change and check them."""

from functools import partial

import dagger
import pytest
import pytest_asyncio
from embedded_engine.session import Session

from pipeline.build.base import select_base
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import by_name
from pipeline.checks import Subject
from tests.conftest import Built


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def build(engine: Session, built: Built) -> Build:
    """The build that made the archives: the same steps, so that all of them are in the store."""
    settings = Settings(base=built.report["base"], created=built.report["created"])
    return Build(settings, await select_base(settings, None))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def images(build: Build) -> dict[str, dagger.Container]:
    """The finished images by their names."""
    return {name: await (await chain(name, build)).sync() for name in by_name()}


@pytest.fixture
def subject(request: pytest.FixtureRequest, images: dict[str, dagger.Container], build: Build) -> Subject:
    """The image that a test names by `indirect` parametrisation."""
    image = by_name()[request.param]
    return Subject(image.name, images[image.name], image.size_budget, "", partial(chain, build=build))
