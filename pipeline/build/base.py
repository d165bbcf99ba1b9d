"""The base of a build: a pinned image, a stand-in, or an archive for an air-gapped site."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
import dagger
from dagger import dag

from pipeline.build.base_reference import ANY_STAND_IN
from pipeline.build.inputs import Base
from pipeline.build.rootfs import Kind, identify, wrap
from pipeline.build.settings import Settings, in_a_module
from pipeline.checksum import sha256
from pipeline.steps.step import EPOCH


async def select_base(settings: Settings, archive: dagger.File | None) -> Base:
    """Return the base of a build.

    Args:
        settings: `base` is read.
        archive: an OCI or docker archive or a root file system tarball, used instead of `base`.

    Raises:
        BaseArchiveError: the archive has another format, or is damaged.
    """
    if archive is not None:
        return await _from_archive(archive)
    # A stand-in is made now, and its files are dated like those of the steps; `chain` removes the variable again.
    container = dag.container().with_env_variable(EPOCH, settings.epoch).from_(settings.base)
    if settings.base == ANY_STAND_IN:
        return Base(container, await container.image_ref())
    return Base(container, settings.base)


async def _from_archive(archive: dagger.File) -> Base:
    name = await archive.name()
    with tempfile.TemporaryDirectory(prefix="ska-base-archive-") as directory:
        local = Path(directory, "archive")
        await archive.export(str(local))
        reference = f"archive:{name}@sha256:{await anyio.to_thread.run_sync(sha256, local)}"
        kind = await anyio.to_thread.run_sync(identify, local, name)
        if kind is Kind.IMAGE:
            return Base(dag.container().import_(archive), reference)
        async with _wrapped(local, name) as image:
            # The file is gone when the chain is evaluated, so it is imported now.
            return Base(await dag.container().import_(image).sync(), reference)


@asynccontextmanager
async def _wrapped(tarball: Path, name: str) -> AsyncIterator[dagger.File]:
    """Write a root file system into an OCI archive that the engine can read.

    The engine can read the working directory of a module's container, and all files of a client outside a module.
    """
    platform = await dag.default_platform()
    inside = in_a_module()
    directory = Path.cwd() if inside else tarball.parent
    with tempfile.NamedTemporaryFile(prefix=".ska-base-", suffix=".tar", dir=directory) as file:
        await anyio.to_thread.run_sync(wrap, tarball, name, Path(file.name), str(platform))
        yield dag.current_module().workdir_file(Path(file.name).name) if inside else dag.host().file(file.name)
