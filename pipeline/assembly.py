"""From chains to results: checks run, archives packed and read."""

import hashlib
import json
from collections.abc import Iterable
from functools import partial

import dagger
from dagger import dag

from pipeline.build import Build
from pipeline.checks import Subject
from pipeline.concurrency import concurrently
from pipeline.errors import SkaError
from pipeline.image import Image
from pipeline.images import by_name, chain, checks_of, find
from pipeline.report import Archive, CheckedImage, build_report, file_name, require_passed

REPORT = "build-report.json"
_TARBALL = "/mnt/image.tar"
# The digest in index.json, the manifest that it names, and the size of the files.
_READ_ARCHIVE = """
digest=$(tar -xOf "$1" index.json | tr -d ' \\n' | sed 's/.*"digest":"\\(sha256:[0-9a-f]*\\)".*/\\1/')
du --summarize --one-file-system --apparent-size --block-size=1 / | cut -f1
echo "$digest"
tar -xOf "$1" "blobs/sha256/${digest#sha256:}"
"""


async def check_images(names: Iterable[str], build: Build) -> list[CheckedImage]:
    """Build images and run their checks side by side; no failure hides another's result.

    Args:
        names: of the images; all, where there are none.
        build: the settings and the base.

    Raises:
        UnknownImageError: there is no such image.
        dagger.ExecError: an image cannot be built.
    """
    images = [find(name) for name in names] or list(by_name().values())
    return await concurrently([partial(_check, image, build) for image in images])


async def build_all(build: Build) -> dagger.Directory:
    """Build and check all images.

    Returns:
        An OCI archive of each, NAME.tar, and build-report.json.

    Raises:
        ChecksFailedError: an image is not what it should be.
        dagger.ExecError: an image cannot be built.
    """
    images = list(by_name().values())
    tarballs = [chain(image.name, build).as_tarball() for image in images]
    # Packing needs no check's result, and most of the checks wait for one thing or another.
    checked, archives = await _side_by_side(images, tarballs, build)
    require_passed(checked)
    directory = dag.directory()
    for image, tarball in zip(images, tarballs, strict=True):
        directory = directory.with_file(file_name(image), tarball)
    return directory.with_new_file(REPORT, build_report(build, zip(checked, archives, strict=True)))


async def _side_by_side(
    images: list[Image], tarballs: list[dagger.File], build: Build
) -> tuple[list[CheckedImage], list[Archive]]:
    checked: list[CheckedImage] = []
    archives: list[Archive] = []

    async def check() -> None:
        checked.extend(await check_images([], build))

    async def read() -> None:
        pairs = zip(images, tarballs, strict=True)
        archives.extend(await concurrently([partial(_read, image, build, tar) for image, tar in pairs]))

    await concurrently([check, read])
    return checked, archives


async def _check(image: Image, build: Build) -> CheckedImage:
    subject = Subject(
        image=image.name,
        container=chain(image.name, build),
        size_budget=image.size_budget,
        poetry=build.settings.poetry,
        sibling=partial(chain, build=build),
    )
    # Without it the error of a step that fails would come from each of the checks.
    await subject.container.sync()
    results = await concurrently([partial(check.run, subject) for check in checks_of(image)])
    return CheckedImage(image, tuple(results))


async def _read(image: Image, build: Build, tarball: dagger.File) -> Archive:
    container = chain(image.name, build).with_mounted_file(_TARBALL, tarball)
    command = ["sh", "-euc", _READ_ARCHIVE, f"{image.name}: read the archive", _TARBALL]
    unpacked, digest, text = (await container.with_exec(command).stdout()).split("\n", 2)
    if f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" != digest:
        raise SkaError(f"The archive of {image.name} holds no manifest with the digest {digest!r} of its index.")
    layers = json.loads(text)["layers"]
    return Archive(
        digest=digest,
        size=sum(layer["size"] for layer in layers),
        unpacked_size=int(unpacked),
        layers=tuple(layer["digest"] for layer in layers),
    )
