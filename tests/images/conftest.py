"""The finished images, through the SDK, for tests that change and check them."""

from functools import partial

import dagger
import pytest
import pytest_asyncio

from pipeline.build.chain import chain, lists_of_line
from pipeline.build.inputs import Build
from pipeline.checks import Subject
from tests.built_images import OF_ONE_LINE


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
        package_lists=lists_of_line(image, build),
        distribution=build.base_of(image).distribution,
        unwanted=image.line.unwanted,
        sibling=partial(chain, build=build),
    )
