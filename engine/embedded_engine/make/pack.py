"""Packs file systems into images: each layer once, and an OCI archive of all layers."""

import asyncio
import contextlib
import dataclasses
import json
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from embedded_engine.graph.names import name_of
from embedded_engine.graph.nodes import Change, Exec, ImageRoot, Node, Scratch, StandIn, Tarball, Written, parents
from embedded_engine.host.errors import StoreDamaged
from embedded_engine.make.evaluator import Evaluator, builds
from embedded_engine.oci.archive import write_archive
from embedded_engine.oci.below import Below
from embedded_engine.oci.blob import Compression
from embedded_engine.oci.documents import Documents, ImageConfig, image_documents
from embedded_engine.oci.layer import FORMAT, Layer, write_layer


async def layers_of(evaluator: Evaluator, root: Node, compression: Compression) -> list[tuple[Layer, str]]:
    """Return an image's layers, the lowest first, each with its origin.

    Blobs of a base image stay as they are; a step that changed nothing has no layer.
    """
    await evaluator.made(root)
    packed = await asyncio.gather(*(_layers(evaluator, node, compression) for node in parents(root)))
    return [layer for group in packed for layer in group]


async def _layers(evaluator: Evaluator, node: Node, compression: Compression) -> list[tuple[Layer, str]]:
    if isinstance(node, Scratch):
        return []
    if isinstance(node, ImageRoot):
        meta = await evaluator.meta(node)
        history = [*meta["history"], *[""] * len(meta["layers"])]
        layers = [Layer(**layer) for layer in meta["layers"]]
        for layer in layers:
            if not await evaluator.sound.blob(layer.digest, layer.size):
                evaluator.store.drop(node.key)
                raise StoreDamaged(
                    f"The layer {layer.digest} of the base image was damaged in the store; it is taken away: "
                    "run again, and the image is fetched anew."
                )
        return list(zip(layers, history, strict=False))
    diff, below = evaluator.layer(node), _below(evaluator, node)
    lowest = evaluator.store.root / "empty"
    if not any(diff.iterdir()) and _root(diff) == _root(below[-1].directory if below else lowest):
        return []
    layer = await _packed(evaluator, node, diff, below, compression)
    return [] if layer.is_empty else [(layer, name_of(node))]


def _below(evaluator: Evaluator, node: Node) -> list[Below]:
    """Return the layers below a node's own layer, the lowest first."""
    under = parents(node.parent) if isinstance(node, Change) else []
    return [Below(evaluator.layer(one), _epoch(one)) for one in under if evaluator.adds(one)]


def _epoch(node: Node) -> int | None:
    """Return the latest time in a node's layer."""
    return node.epoch if isinstance(node, (Change, StandIn)) else None


def _root(diff: Path) -> tuple[int, int, int]:
    status = diff.stat()
    return status.st_mode, status.st_uid, status.st_gid


async def _packed(evaluator: Evaluator, node: Node, diff: Path, below: list[Below], compression: Compression) -> Layer:
    record = _record(evaluator, node, compression)
    if found := await _known(evaluator, node, record):
        return found
    async with evaluator.store.lock(f"pack-{node.key}"), evaluator.slots:
        if found := await _known(evaluator, node, record):
            return found
        return await evaluator.with_room(partial(_pack, evaluator, node, diff, below, compression, record))


async def _pack(
    evaluator: Evaluator, node: Node, diff: Path, below: list[Below], compression: Compression, record: Path
) -> Layer:
    pack = partial(write_layer, diff, below=below, epoch=_epoch(node), compression=compression)
    out = evaluator.store.temporary() / "layer"
    try:
        with _told(evaluator, node):
            layer = await asyncio.to_thread(pack, out)
            await asyncio.to_thread(evaluator.store.keep_blob, out, layer.digest)
            await asyncio.to_thread(evaluator.store.write, record, dataclasses.asdict(layer))
            return layer
    finally:
        evaluator.store.discard(out.parent)


def _record(evaluator: Evaluator, node: Node, compression: Compression) -> Path:
    """Return the path of the record of a layer's packing: in its snapshot, so that both are removed together."""
    place, name = evaluator.layer(node).parent, f"packed.{compression}.{FORMAT}.json"
    if isinstance(node, Written):
        return place.with_name(f"{place.name}.{name}")
    return place / name


def _told(evaluator: Evaluator, node: Node) -> AbstractContextManager[object]:
    """Report the packing of a step's layer, unless it is too small to be noticed."""
    if isinstance(node, (Exec, StandIn)):
        return evaluator.events.step(f"{name_of(node).partition(': ')[0]}: pack")
    return nullcontext()


async def _known(evaluator: Evaluator, node: Node, record: Path) -> Layer | None:
    """Return the record of a layer's packing, if the blob, which is about to leave the store, is undamaged."""
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        layer = Layer(**json.loads(record.read_bytes()))
        if await evaluator.sound.blob(layer.digest, layer.size):
            return layer
    if record.exists():
        evaluator.events.notice(f"The packed layer of '{name_of(node)}' was damaged in the store; it is packed again.")
        record.unlink(missing_ok=True)
    return None


def created_of(root: Node) -> str:
    """Return the time of an image, ISO 8601: the last SOURCE_DATE_EPOCH of its steps, or 1970."""
    epochs = [node.epoch for node in parents(root) if isinstance(node, Change) and node.epoch is not None]
    moment = datetime.fromtimestamp(epochs[-1] if epochs else 0, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@builds(Tarball)
async def tarball(evaluator: Evaluator, node: Tarball, directory: Path) -> dict[str, Any]:
    """Write an OCI archive."""
    images, blobs = await _documents_of(evaluator, node)
    await asyncio.to_thread(write_archive, directory / "diff" / "image.tar", images, blobs)
    return {"digest": images[0].digest}


async def _documents_of(evaluator: Evaluator, node: Tarball) -> tuple[list[Documents], dict[str, Path]]:
    """Return the parts of an archive: the documents of each image, and all layers by digest."""
    packed = [(image, await layers_of(evaluator, image.root, node.compression)) for image in node.images]
    images = [
        image_documents(
            ImageConfig.from_json(json.loads(image.config)),
            [layer for layer, _ in layers],
            created=image.created,
            history=[command for _, command in layers],
            annotations=dict(image.annotations),
        )
        for image, layers in packed
    ]
    return images, {layer.digest: evaluator.store.blob(layer.digest) for _, layers in packed for layer, _ in layers}
