"""From chains to results: images that are built, packed and checked when somebody asks."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagger

from pipeline.build.chain import chain, lists_of_line
from pipeline.build.inputs import Build
from pipeline.build.labelling import OCI
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import checks_of, find, select, the_only
from pipeline.checks import Check, CheckResult, Subject
from pipeline.checks.together import results_of
from pipeline.concurrency import Shared
from pipeline.errors import SkaError
from pipeline.steps.install import package_lists

_TARBALL = "/mnt/image.tar"
_ROOT = "/mnt/image"
_FACTS = "/tmp/facts"  # noqa: S108  in a container that is discarded
# The size of all files, the digest in index.json, and the manifest that it names.
_READ_ARCHIVE = """
exec >"$3"
du --summarize --one-file-system --apparent-size --block-size=1 "$2" | cut -f1
digest=$(tar -xOf "$1" index.json | tr -d ' \\n' | sed 's/.*"digest":"\\(sha256:[0-9a-f]*\\)".*/\\1/')
echo "$digest"
tar -xOf "$1" "blobs/sha256/${digest#sha256:}"
"""


@dataclass(frozen=True)
class Archive:
    """What an image's archive holds.

    Args:
        digest: of the manifest.
        size: of all layers as they are packed, in bytes.
        unpacked_size: of all files, in bytes.
        layers: their digests, the lowest first.
        layer_sizes: of each as it is packed, in bytes.
    """

    digest: str
    size: int
    unpacked_size: int
    layers: tuple[str, ...]
    layer_sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class BuiltImage:
    """An image of a run; each part is made when somebody first asks for it, and once.

    Args:
        image: its entry in the catalogue.
        build: that it is of.
        container: its finished chain, evaluated; checks and tools examine it.
        packed: the same with all annotations of its manifest, as its archive holds it.
        archive: what its archive holds; packs the image.
        checks: what each of its checks found, by the check's name.
    """

    image: Image
    build: Build
    container: Shared[dagger.Container]
    packed: Shared[dagger.Container]
    archive: Shared[Archive]
    checks: Mapping[str, Shared[CheckResult]]

    @property
    def name(self) -> str:
        """The name of the image."""
        return self.image.name

    async def tarball(self) -> dagger.File:
        """Return its OCI archive.

        Raises:
            dagger.ExecError: the image cannot be built.
        """
        return (await self.packed.get()).as_tarball()


def open_images(names: Iterable[str], build: Build) -> list[BuiltImage]:
    """Return images that are built from the catalogue, parents before children.

    Args:
        names: of images, or of families for their images on each line of the build; none for all.
        build: the settings and the bases.

    Raises:
        UnknownImageError: no line of the build has such an image.
    """
    opened: dict[str, BuiltImage] = {}
    return [_open(image, build, opened) for image in select(names, build.bases)]


async def only(name: str, build: Build) -> dagger.Container:
    """Return an image, or that of a family in the only line of a build, with all annotations of its manifest.

    Its parent is packed for that, because one of them is the digest of the parent's manifest.

    Raises:
        UnknownImageError: the lines of the build do not have exactly one such image.
        dagger.ExecError: the image cannot be built.
    """
    return await _open(the_only(name, build.bases), build, {}).packed.get()


def open_containers(containers: Mapping[str, dagger.Container], build: Build) -> list[BuiltImage]:
    """Return images that exist already, as in a registry.

    Args:
        containers: by the images' names.
        build: the settings that they were built with.
    """
    opened = []
    for name, container in containers.items():
        evaluated = Shared(container.sync)
        lists = package_lists(container, name)
        opened.append(_opened(find(name), evaluated, evaluated, build, checks_of(find(name)), lists))
    return opened


def open_image(image: Image, container: dagger.Container, build: Build, checks: Iterable[Check]) -> BuiltImage:
    """Return an image that the catalogue does not have, as an application's.

    Args:
        image: the entry that gates know it by.
        container: its finished chain, with all annotations of its manifest.
        build: the settings that it is built with.
        checks: its checks.
    """
    evaluated = Shared(container.sync)
    return _opened(image, evaluated, evaluated, build, checks, package_lists(container, image.name))


def _open(image: Image, build: Build, opened: dict[str, BuiltImage]) -> BuiltImage:
    """Open an image and those that it is built on, each once."""
    if image.name in opened:
        return opened[image.name]
    parent = None if image.parent is None else _open(find(image.parent), build, opened)
    # What follows names the finished image by its ID, and not by the whole chain; and the error of a step that fails
    # comes once, and not from every check.
    container = Shared(chain(image.name, build).sync)

    async def annotate() -> dagger.Container:
        built = await container.get()
        if parent is None:
            return built
        return built.with_annotation(f"{OCI}base.digest", (await parent.archive.get()).digest)

    lists = lists_of_line(image, build)
    opened[image.name] = _opened(image, container, Shared(annotate), build, checks_of(image), lists)
    return opened[image.name]


def _opened(
    image: Image,
    container: Shared[dagger.Container],
    packed: Shared[dagger.Container],
    build: Build,
    checks: Iterable[Check],
    lists: dagger.Directory,
) -> BuiltImage:
    async def read() -> Archive:
        return await _read(image, await packed.get(), build.workbench.container)

    async def subject() -> Subject:
        return _subject(image, await container.get(), build, lists)

    return BuiltImage(image, build, container, packed, Shared(read), results_of(checks, Shared(subject)))


def _subject(image: Image, container: dagger.Container, build: Build, lists: dagger.Directory) -> Subject:
    return Subject(
        image=image.name,
        container=container,
        size_budget=image.size_budget,
        package_lists=lists,
        distribution=build.base_of(image).distribution,
        unwanted=image.line.unwanted,
        sibling=lambda family: chain(family + image.line.suffix, build),
    )


async def _read(image: Image, container: dagger.Container, base: dagger.Container) -> Archive:
    # In the base, because an image that a release brings may lack any program.
    command = ["sh", "-euc", _READ_ARCHIVE, f"{image.name}: read the archive", _TARBALL, _ROOT, _FACTS]
    mounted = base.with_mounted_file(_TARBALL, container.as_tarball()).with_mounted_directory(_ROOT, container.rootfs())
    done = mounted.with_exec(command)
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
