"""File systems from outside: images, archives, a stand-in, and files of the host."""

import asyncio
import contextlib
import dataclasses
import fcntl
import glob
import hashlib
import json
import os
import platform as host_platform
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded_engine.graph.nodes import HostTree, ImageRoot
from embedded_engine.graph.patterns import EVERYTHING, Selection
from embedded_engine.host.disk import disk_full_told
from embedded_engine.host.durable import sync
from embedded_engine.host.errors import ArchiveInvalid, BadInput
from embedded_engine.host.rootpath import walk
from embedded_engine.make.copying import copy_tree
from embedded_engine.make.evaluator import Evaluator, builds
from embedded_engine.oci import skopeo
from embedded_engine.oci.documents import ImageConfig
from embedded_engine.oci.layout import read_layout
from embedded_engine.oci.unpack import apply_layer
from embedded_engine.store.survey import file_digest

#: GOARCH by the result of `platform.machine()`.
ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "riscv64": "riscv64",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
}
ARCHITECTURE = ARCHITECTURES.get(host_platform.machine(), host_platform.machine())
PLATFORM = f"linux/{ARCHITECTURE}"


@dataclasses.dataclass(frozen=True)
class Base:
    """A base image with its file system in the store."""

    root: ImageRoot
    config: ImageConfig
    reference: str


async def from_registry(evaluator: Evaluator, address: str, platform: str = PLATFORM) -> Base:
    """Return an image of a registry for a platform, pulled unless the store has it.

    Raises:
        ReferenceInvalid, RegistryUnreachable, RegistryRefused, ImageUnknown: the image cannot be pulled.
    """
    name = skopeo.normalized(address)
    digest = name.partition("@")[2] or await skopeo.resolve_digest(name, evaluator.credentials)
    root = ImageRoot(digest, _foreign(platform))

    async def make(directory: Path) -> Mapping[str, Any]:
        if "@" in name:
            # Look up the registry first: an unreachable one is found in seconds, and not reported as a failed step.
            await skopeo.resolve_digest(name, evaluator.credentials)
        with evaluator.events.step(f"pull {name}"):
            await skopeo.pull(name, digest, directory / "layout", platform, evaluator.credentials)
            return await _unpacked(evaluator, root, directory)

    await evaluator.take_in(root, name, make)
    reference = name if "@" in name else f"{name}@{digest}"
    return Base(root, await config_of(evaluator, root), reference)


def _foreign(platform: str) -> str:
    return "" if platform == PLATFORM else platform


async def from_archive(evaluator: Evaluator, archive: Path, tag: str = "", platform: str = PLATFORM) -> Base:
    """Return the image of an OCI or docker archive for a platform.

    Raises:
        ArchiveInvalid: the file is neither, is damaged, or has paths outside its root.
    """
    digest = await asyncio.to_thread(file_digest, archive)
    root = ImageRoot(f"archive:{digest}:{tag}", _foreign(platform))

    async def make(directory: Path) -> Mapping[str, Any]:
        with evaluator.events.step(f"import {archive.name}"):
            await skopeo.unpack_archive(archive, directory / "layout", tag, platform)
            return await _unpacked(evaluator, root, directory)

    await evaluator.take_in(root, archive.name, make)
    return Base(root, await config_of(evaluator, root), "")


async def config_of(evaluator: Evaluator, root: ImageRoot) -> ImageConfig:
    """Return the configuration of an image in the store."""
    meta = await evaluator.meta(root)
    return ImageConfig.from_json(meta["config"])


async def _unpacked(evaluator: Evaluator, root: ImageRoot, directory: Path) -> Mapping[str, Any]:
    """Unpack the layout's image to `diff`, keep its blobs, and remove the layout."""
    kept = await asyncio.to_thread(_unpack, evaluator, root, directory)
    await asyncio.to_thread(shutil.rmtree, directory / "layout")
    return kept


def _unpack(evaluator: Evaluator, root: ImageRoot, directory: Path) -> Mapping[str, Any]:
    image = read_layout(directory / "layout", root.platform or PLATFORM)
    for layer, blob in zip(image.layers, image.blobs, strict=True):
        with blob.open("rb") as stream:
            found = apply_layer(stream, directory / "diff")
        if found != layer.diff_id:
            raise ArchiveInvalid(
                f"A layer of the image unpacks to {found}, and its configuration says {layer.diff_id}; "
                "get the image anew from a source that you trust."
            )
        evaluator.store.keep_blob(blob, layer.digest)
    return {
        "config": image.config.to_json(),
        "layers": [dataclasses.asdict(layer) for layer in image.layers],
        "history": list(image.history),
    }


@builds(ImageRoot)
async def image_root(evaluator: Evaluator, node: ImageRoot, directory: Path) -> dict[str, Any]:
    """Refuse, because an image is pulled by its name only; its node cannot make it again."""
    raise BadInput(f"The image {node.manifest} is no longer in the store; run the command again.")


async def host_tree(evaluator: Evaluator, path: Path, selection: Selection = EVERYTHING) -> HostTree:
    """Copy a host's file (to /NAME), or the selected part of a directory, into the store under a key of its content.

    Raises:
        BadInput: nothing exists at the path.
    """
    if not path.exists():
        raise BadInput(f"There is no '{path}' on this machine; give the path of a file or directory that exists.")
    place = evaluator.store.temporary()
    try:
        with disk_full_told(evaluator.store.root):
            copied = place / "diff"
            copied.mkdir()
            # In Dagger's engine, too, root owns host files, and a link given as the path is followed.
            wanted = await asyncio.to_thread(selection.paths, path) if path.is_dir() else None
            target = copied if path.is_dir() else copied / path.name
            await asyncio.to_thread(copy_tree, path.resolve(), target, owner=(0, 0), wanted=wanted)
            node = HostTree(await asyncio.to_thread(tree_digest, copied))

        async def make(directory: Path) -> Mapping[str, Any]:
            copied.replace(directory / "diff")
            return {}

        await evaluator.take_in(node, path.name, make)
    finally:
        evaluator.store.discard(place)
    return node


@builds(HostTree)
async def host_tree_made(evaluator: Evaluator, node: HostTree, directory: Path) -> dict[str, Any]:
    """Refuse, because host files are copied when a query names them."""
    raise BadInput("Files copied from this machine are no longer in the store; run the command again.")


def tree_digest(root: Path) -> str:
    """Return the hexadecimal SHA-256 of a tree's names, modes, owners, link targets and contents."""
    found = hashlib.sha256()
    for path in sorted(walk(root)):
        status = path.lstat()
        content = ""
        if stat.S_ISREG(status.st_mode):
            content = file_digest(path)
        elif stat.S_ISLNK(status.st_mode):
            content = str(path.readlink())
        facts = [str(path.relative_to(root)), status.st_mode, status.st_uid, status.st_gid, content]
        found.update(json.dumps(facts).encode(errors="surrogateescape") + b"\n")
    return found.hexdigest()


def atomic_copy(source: Path, target: Path) -> None:
    """Copy a file to the client's path, under another name first; a file with the same size and time stays."""
    status = source.stat()
    if target.is_file():
        there = target.stat()
        if (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return
    _remove_parts(target)
    # Process numbers are not unique: every engine is process 1 of its namespace.
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with disk_full_told(target.parent), beside.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            shutil.copyfile(source, beside)
            shutil.copystat(source, beside)
            os.fsync(file.fileno())
            beside.rename(target)
            sync(target.parent)
    finally:
        beside.unlink(missing_ok=True)


def _remove_parts(target: Path) -> None:
    """Remove the partial copies of killed engines; an engine that still writes holds a lock."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with contextlib.suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
