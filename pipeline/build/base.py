"""The bases of a build: pinned images, stand-ins, or an archive for an air-gapped site."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio.to_thread
import dagger
from dagger import dag

from pipeline.build.base_reference import ANY_STAND_IN, STAND_IN, BaseReference
from pipeline.build.inputs import Base
from pipeline.build.rootfs import Kind, identify, wrap
from pipeline.build.settings import Settings, in_a_module
from pipeline.catalogue.lines import Line, find_line
from pipeline.checks.distribution import Distribution, distribution_named, read_os_release
from pipeline.checksum import sha256
from pipeline.concurrency import concurrently
from pipeline.errors import BaseArchiveError, SettingsError
from pipeline.steps.step import EPOCH


async def select_bases(settings: Settings, archive: dagger.File | None) -> dict[str, Base]:
    """Return the bases of a build by the names of their lines.

    Args:
        settings: `lines` and `base` are read.
        archive: an OCI or docker archive or a root file system tarball, used instead of `base`.

    Raises:
        SettingsError: the archive is given for several lines.
        BaseArchiveError: the archive has another format, is damaged, or is not of the line's distribution.
    """
    lines = [find_line(name) for name in settings.lines]
    if archive is None:
        found = await concurrently([partial(_selected, line, settings) for line in lines])
        return dict(zip(settings.lines, found, strict=True))
    if len(lines) > 1:
        raise SettingsError(
            f"An archive is the base of one line, and {', '.join(settings.lines)} are built; build each with --line "
            "and its own --base-archive."
        )
    return {lines[0].name: await _from_archive(lines[0], archive)}


def distribution_of(line: Line, reference: str) -> Distribution:
    """Return the distribution of a line's base: that of a stand-in, or else the line's.

    Args:
        line: the line.
        reference: the reference of its base, which is not an archive.

    Raises:
        CatalogueError: nothing is known about the distribution of the stand-in.
    """
    is_stand_in = BaseReference(reference).is_stand_in
    return distribution_named(reference.removeprefix(STAND_IN) if is_stand_in else line.distribution)


async def stand_in_of(line: Line) -> str:
    """Return the reference of the stand-in that this machine can make for a line, as in bootstrap:debian-12.

    Raises:
        dagger.QueryError: the engine makes none.
    """
    machine = (await dag.container().from_(ANY_STAND_IN).image_ref()).removeprefix(STAND_IN)
    # Ubuntu's sources hold the line's own distribution.
    is_ubuntu = distribution_named(line.distribution).id == machine.partition("-")[0]
    return STAND_IN + (line.distribution if is_ubuntu else line.stand_in)


async def _selected(line: Line, settings: Settings) -> Base:
    reference = settings.base_of(line)
    if reference == ANY_STAND_IN:
        reference = await stand_in_of(line)
    # A stand-in is made now, and its files are dated like those of the steps; `chain` removes the variable again.
    container = dag.container().with_env_variable(EPOCH, settings.epoch).from_(reference)
    return Base(container, reference, distribution_of(line, reference))


async def _from_archive(line: Line, archive: dagger.File) -> Base:
    name = await archive.name()
    with tempfile.TemporaryDirectory(prefix="ska-base-archive-") as directory:
        local = Path(directory, "archive")
        await archive.export(str(local))
        reference = f"archive:{name}@sha256:{await anyio.to_thread.run_sync(sha256, local)}"
        kind = await anyio.to_thread.run_sync(identify, local, name)
        if kind is Kind.IMAGE:
            container = dag.container().import_(archive)
        else:
            async with _wrapped(local, name) as image:
                # The file is gone when the chain is evaluated, so it is imported now.
                container = await dag.container().import_(image).sync()
    return Base(container, reference, await _distribution_inside(line, container, name))


async def _distribution_inside(line: Line, container: dagger.Container, name: str) -> Distribution:
    """Return the distribution of an archive, which must be that of the line, or that of its stand-in."""
    try:
        found = read_os_release(await container.rootfs().file("etc/os-release").contents())
    except dagger.QueryError as error:
        raise BaseArchiveError(
            f"The base archive {name} has no readable /etc/os-release, so its distribution is not known; give an "
            f"archive of {line.distribution}."
        ) from error
    allowed = [distribution_named(line.distribution), distribution_named(line.stand_in)]
    for one in allowed:
        if one.os_release == found:
            return one
    raise BaseArchiveError(
        f"The base archive {name} is {found} by its /etc/os-release, and {line.name} is built on "
        f"{line.distribution}, or on {line.stand_in} in its place; give an archive of that, or build another --line."
    )


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
