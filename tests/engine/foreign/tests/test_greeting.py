"""The module's unit tests, as its author writes them."""

from collections.abc import AsyncIterator
from pathlib import Path

import dagger
import pytest
from dagger import dag
from greeting import Greeting

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def module(anyio_backend: str) -> AsyncIterator[Greeting]:
    async with dagger.connection():
        yield Greeting(base="bootstrap:auto")


def words() -> dagger.Directory:
    return dag.directory().with_new_file("hello", "Hello, ")


async def test_it_greets(module: Greeting) -> None:
    assert await module.greet(words(), "you") == "Hello, you\n"


async def test_a_failing_command_raises_what_it_printed(module: Greeting) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await module.container(words()).with_exec(["sh", "-c", "echo why >&2; exit 3"]).sync()
    assert (caught.value.exit_code, caught.value.stderr) == (3, "why")


async def test_the_image_is_an_archive(module: Greeting, tmp_path: Path) -> None:
    await module.container(words()).export(str(tmp_path / "image.tar"))
    assert (tmp_path / "image.tar").stat().st_size > 0


async def test_what_the_engine_does_not_serve_names_its_field(module: Greeting) -> None:
    served = module.served(words())
    with pytest.raises(dagger.QueryError, match=r"does not serve Container\.asService") as caught:
        await served.start()
    assert caught.value.error.extensions["code"] == "NOT_SERVED"
