"""The floor: the same commands on overlay mounts and runc alone, which no builder on this machine can beat.

All packages are at hand, the children of one parent run side by side, and nothing is keyed, packed or checked.
"""

import contextlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from embedded_engine.make.bundle import DEFAULT_PATH, FILESYSTEMS, capabilities_of

from dev.bench.dockerfiles import Host
from dev.bench.measure import run
from dev.bench.others import IMAGES, Builder, side_by_side
from dev.reproduce.archive import open_archive
from pipeline.build.settings import Settings
from pipeline.catalogue.image import Image
from pipeline.steps.install import CACHE, LISTS, OWN_FILES
from pipeline.steps.step import EPOCH

ROW = "the floor: the same commands in overlay mounts and runc"
_NAMESPACES = ("pid", "ipc", "uts", "mount")


@contextlib.contextmanager
def floor(directory: Path, context: Path, base: Path, *, host: Host) -> Iterator[Builder]:
    """Unpack the base and fetch all packages; what the builder does then is the floor.

    Args:
        directory: an empty directory on a disk.
        context: the build context.
        base: the archive of the base.
        host: the host's contribution to steps.
    """
    root = directory / "base"
    _unpack(base, root)

    def build(output: Path) -> None:
        # Parents come first, so each image finds its parent's layers.
        lower: dict[str | None, tuple[Path, ...]] = {None: (root,)}
        for image in IMAGES.values():
            lower[image.name] = (output / image.name / "upper", *lower[image.parent])

        def one(name: str, parent: str | None) -> None:
            with _mounted(output / name, lower[parent]) as (merged, before):
                own = {CACHE: directory / "packages" / name, LISTS: directory / "lists" / name, OWN_FILES: before}
                files = {path: context / f"host{path}" for path in host.files}
                files |= {path: context / f"{name}{path}" for path in IMAGES[name].install.files}
                _run(output / name, merged, own | files, IMAGES[name], host)

        side_by_side(one)

    with tempfile.TemporaryDirectory(dir=directory) as first:
        build(Path(first))
    yield Builder(build)


def _unpack(base: Path, root: Path) -> None:
    root.mkdir()
    with open_archive(base) as archive:
        for digest in archive.layers:
            with tarfile.open(fileobj=archive.blob(digest), mode="r|*") as layer:
                # Builds start from the same base, with its owners and setuid bits.
                layer.extractall(root, numeric_owner=True, filter="fully_trusted")  # noqa: S202


@contextlib.contextmanager
def _mounted(layer: Path, lower: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield the root file system that a step changes, and the one before it."""
    places = [layer / name for name in ("upper", "work", "merged", "before", "empty")]
    upper, work, merged, before, empty = places
    for path in places:
        path.mkdir(parents=True)
    below = ":".join(map(str, lower))
    with contextlib.ExitStack() as mounts:
        for options, place in (
            (f"lowerdir={below},upperdir={upper},workdir={work}", merged),
            (f"lowerdir={empty}:{below}", before),
        ):
            run(["mount", "-t", "overlay", "-o", options, "overlay", place], cwd=layer)
            mounts.callback(run, ["umount", place], cwd=layer)
        yield merged, before


def _run(bundle: Path, root: Path, bound: Mapping[str, Path], image: Image, host: Host) -> None:
    for source in bound.values():
        if not source.exists():
            source.mkdir(parents=True)
    variables = {**_inherited(image), EPOCH: Settings().epoch, **host.environment}
    binds = {**bound, "/etc/resolv.conf": Path("/etc/resolv.conf")}
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": str(root)},
        "process": {
            "user": {"uid": 0, "gid": 0},
            "cwd": "/",
            "args": image.install.argv(image.name),
            "env": [DEFAULT_PATH, *(f"{name}={value}" for name, value in variables.items())],
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), capabilities_of(False)),
        },
        "mounts": [
            *FILESYSTEMS,
            *(
                {"destination": place, "type": "bind", "source": str(source), "options": ["bind"]}
                for place, source in sorted(binds.items())
            ),
        ],
        "linux": {"namespaces": [{"type": kind} for kind in _NAMESPACES]},
    }
    (bundle / "config.json").write_text(json.dumps(config))
    run(["runc", "--root", bundle / "runc", "run", "--bundle", bundle, f"floor-{os.getpid()}-{image.name}"], cwd=bundle)


def _inherited(image: Image) -> dict[str, str]:
    """Return the variables of an image's parents."""
    if image.parent is None:
        return {}
    parent = IMAGES[image.parent]
    return {**_inherited(parent), **parent.install.environment}
