"""A file system may have as many layers as Linux mounts over each other, and one more is refused in one sentence."""

import tempfile
from pathlib import Path

import dagger
import pytest
from dagger import dag
from embedded_engine.host.errors import BadInput
from embedded_engine.make import overlay
from embedded_engine.make.overlay import MOST_LAYERS
from embedded_engine.session import Session
from embedded_engine.store.store import Store

from pipeline.build.inputs import Build
from tests.conftest import SCRATCH
from tests.ordinary_user import OrdinaryUser

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: The options of mount(2) have no room for so many names of layers in the store.
MANY = 120
#: More calls than one request may nest.
TOO_MANY_AT_ONCE = 300


def files(client: dagger.Client, names: range) -> dagger.Directory:
    """Return a directory with an empty file for each number."""
    directory = client.directory()
    for name in names:
        directory = directory.with_new_file(f"{name}", "")
    return directory


async def test_each_of_120_files_may_be_a_layer(engine: Session) -> None:
    assert {*await files(dag, range(MANY)).entries()} == {f"{name}" for name in range(MANY)}


async def test_each_of_120_files_may_be_a_layer_of_an_ordinary_user(user: OrdinaryUser, user_store: Path) -> None:
    async with user.client(user_store) as client:
        assert {*await files(client, range(MANY)).entries()} == {f"{name}" for name in range(MANY)}


async def test_a_step_sees_and_changes_each_of_120_layers(engine: Session, build: Build) -> None:
    container = build.workbench.container.with_workdir("/many")
    for name in range(MANY):
        container = container.with_new_file(f"{name}", "")
    changed = container.with_exec(["sh", "-euc", "ls | wc -l; rm 0 60 119"])
    assert await changed.stdout() == f"{MANY}\n"
    assert {*await changed.directory(".").entries()} == {f"{name}" for name in range(MANY)} - {"0", "60", "119"}


async def test_500_layers_are_mounted_and_one_more_is_refused() -> None:
    with tempfile.TemporaryDirectory(dir=SCRATCH) as directory:
        store = Store(Path(directory))
        store.begin(print)
        layers = [store.temporary() for _ in range(MOST_LAYERS + 1)]
        for number, layer in enumerate(layers):
            (layer / f"{number}").touch()
        async with overlay.writable(store, layers[:-1], store.temporary()) as root:
            assert len([*root.iterdir()]) == MOST_LAYERS
        with pytest.raises(BadInput, match="has 501 layers, but Linux mounts at most 500 over each other"):
            overlay.mount(store, layers, store.temporary())
        await store.end()


async def test_a_longer_chain_than_a_request_may_nest_is_told_to_use_sync(engine: Session) -> None:
    with pytest.raises(dagger.QueryError, match="nested too deeply; make a shorter chain, with `sync` in between"):
        await files(dag, range(TOO_MANY_AT_ONCE)).sync()
