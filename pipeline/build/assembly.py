"""Images built, checked, packed and measured."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import dagger
from dagger import dag

from pipeline.build.build_report import Archive, CheckedImage, build_report, file_name, require_passed
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import by_name, checks_of, find
from pipeline.checks import Subject
from pipeline.concurrency import both, concurrently
from pipeline.errors import SkaError

REPORT = "build-report.json"
_TARBALL = "/mnt/image.tar"
_FACTS = "/tmp/facts"  # noqa: S108  in a container that is discarded
# The size of all files, the digest in index.json, and the manifest that it names.
_READ_ARCHIVE = """
exec >"$2"
du --summarize --one-file-system --apparent-size --block-size=1 / | cut -f1
digest=$(tar -xOf "$1" index.json | tr -d ' \\n' | sed 's/.*"digest":"\\(sha256:[0-9a-f]*\\)".*/\\1/')
echo "$digest"
tar -xOf "$1" "blobs/sha256/${digest#sha256:}"
"""


@dataclass(frozen=True)
class Finished:
    """A built image: its finished chain, its archive as a file, and the archive's contents."""

    image: Image
    container: dagger.Container
    tarball: dagger.File
    archive: Archive


@dataclass(frozen=True)
class Packed(Finished):
    """A built image, and the results of its checks."""

    checked: CheckedImage


async def check_images(names: Iterable[str], build: Build) -> list[CheckedImage]:
    """Build images and run their checks side by side; no failure hides another's result.

    Args:
        names: of the images; none for all.
        build: the settings and the base.

    Raises:
        UnknownImageError: the catalogue has no such image.
        dagger.ExecError: an image cannot be built.
    """

    async def one(image: Image) -> CheckedImage:
        return await _check(image, await _finish(image, build), build)

    return await concurrently([partial(one, image) for image in _listed(names)])


async def finish_images(names: Iterable[str], build: Build) -> list[Finished]:
    """Build and pack images side by side, without their checks.

    Args:
        names: of the images; none for all.
        build: the settings and the base.

    Raises:
        UnknownImageError: the catalogue has no such image.
        dagger.ExecError: an image cannot be built.
    """

    async def one(image: Image) -> Finished:
        container = await _finish(image, build)
        tarball = container.as_tarball()
        return Finished(image, container, tarball, await _read(image, container, tarball))

    return await concurrently([partial(one, image) for image in _listed(names)])


async def build_all(build: Build) -> dagger.Directory:
    """Build and check all images.

    Returns:
        An OCI archive of each, NAME.tar, and build-report.json.

    Raises:
        ChecksFailedError: a check failed.
        dagger.ExecError: an image cannot be built.
    """
    packed = await pack_all(build)
    directory = dag.directory()
    for one in packed:
        directory = directory.with_file(file_name(one.checked.image), one.tarball)
    return directory.with_new_file(REPORT, build_report(build, ((one.checked, one.archive) for one in packed)))


async def pack_all(build: Build) -> list[Packed]:
    """Build, check and pack all images, parents before children.

    Raises:
        ChecksFailedError: a check failed.
        dagger.ExecError: an image cannot be built.
    """
    packed = await pack_images((), build)
    require_passed(one.checked for one in packed)
    return packed


async def pack_images(names: Iterable[str], build: Build, only: Collection[str] | None = None) -> list[Packed]:
    """Build and pack images, and run checks; a failed check is a result.

    Args:
        names: of the images; none for all.
        build: the settings and the base.
        only: the names of the checks to run; None for all.

    Raises:
        UnknownImageError: the catalogue has no such image.
        dagger.ExecError: an image cannot be built.
    """

    async def one(image: Image) -> Packed:
        return await _pack(image, await _finish(image, build), build, only)

    return await concurrently([partial(one, image) for image in _listed(names)])


async def pack_containers(containers: Mapping[str, dagger.Container], build: Build) -> list[Packed]:
    """Pack and check existing containers.

    Args:
        containers: by the images' names.
        build: the settings that they were built with.
    """
    jobs = [partial(_pack, find(name), container, build, None) for name, container in containers.items()]
    return await concurrently(jobs)


async def _pack(image: Image, container: dagger.Container, build: Build, only: Collection[str] | None) -> Packed:
    tarball = container.as_tarball()
    # Packing a large layer takes longest, so it starts first.
    read, check = partial(_read, image, container, tarball), partial(_check, image, container, build, only)
    archive, checked = await both(read, check)
    return Packed(image, container, tarball, archive, checked)


def _listed(names: Iterable[str]) -> list[Image]:
    return [find(name) for name in names] or list(by_name().values())


async def _finish(image: Image, build: Build) -> dagger.Container:
    # Later requests then refer to the finished image by its ID instead of the whole chain, and a failed step is
    # reported once instead of by every check.
    return await chain(image.name, build).sync()


async def _check(
    image: Image, container: dagger.Container, build: Build, only: Collection[str] | None = None
) -> CheckedImage:
    subject = Subject(
        image=image.name,
        container=container,
        size_budget=image.size_budget,
        snapshot=build.settings.snapshot_id,
        sibling=partial(chain, build=build),
    )
    # The image's own checks take longest, so they start first.
    checks = [check for check in checks_of(image) if only is None or check.name in only]
    results = await concurrently([partial(check.run, subject) for check in reversed(checks)])
    return CheckedImage(image, tuple(reversed(results)))


async def _read(image: Image, container: dagger.Container, tarball: dagger.File) -> Archive:
    command = ["sh", "-euc", _READ_ARCHIVE, f"{image.name}: read the archive", _TARBALL, _FACTS]
    done = container.with_mounted_file(_TARBALL, tarball).with_exec(command)
    unpacked, digest, text = (await done.file(_FACTS).contents()).split("\n", 2)
    if f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" != digest:
        raise SkaError(
            f"The archive of {image.name} has no manifest with the digest {digest!r} of its index; build it again."
        )
    layers = json.loads(text)["layers"]
    return Archive(
        digest=digest,
        size=sum(layer["size"] for layer in layers),
        unpacked_size=int(unpacked),
        layers=tuple(layer["digest"] for layer in layers),
        layer_sizes=tuple(layer["size"] for layer in layers),
    )
