"""Fields of Container that make archives of it and publish it, and that set logins to registries."""

import asyncio
import json
import shutil
from typing import get_args

from embedded_engine.api.fields import Engine, serves
from embedded_engine.graph.nodes import Image, Scratch, Tarball
from embedded_engine.graph.values import Container, File, Secret
from embedded_engine.host.errors import BadInput, NotServed
from embedded_engine.make.bases import atomic_copy
from embedded_engine.make.pack import created_of
from embedded_engine.oci import skopeo
from embedded_engine.oci.blob import Compression
from embedded_engine.oci.layer import FORMAT

#: The compressions by Dagger's names, in lower case.
COMPRESSIONS: dict[str, Compression] = {one.lower(): one for one in get_args(Compression)}


@serves("Container.asTarball")
async def as_tarball(
    engine: Engine,
    this: Container,
    platform_variants: list[str] | None = None,
    forced_compression: str | None = None,
) -> File:
    return File(_tarball(engine, this, platform_variants, forced_compression), "/image.tar")


@serves("Container.export")
async def export(
    engine: Engine,
    this: Container,
    path: str,
    platform_variants: list[str] | None = None,
    forced_compression: str | None = None,
    expand: bool = False,
) -> str:
    made = await engine.evaluator.made(_tarball(engine, this, platform_variants, forced_compression))
    target = engine.client / (this.expanded(path) if expand else path)
    target.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(atomic_copy, made / "diff/image.tar", target)
    return str(target)


@serves("Container.publish")
async def publish(
    engine: Engine,
    this: Container,
    address: str,
    platform_variants: list[str] | None = None,
    forced_compression: str | None = None,
) -> str:
    name = skopeo.normalized(address)
    if "@" in name:
        raise BadInput(f"'{address}' names a digest, which only the published image decides; give a tag.")
    made = await engine.evaluator.made(_tarball(engine, this, platform_variants, forced_compression))
    temporary = engine.evaluator.store.temporary()
    try:
        with engine.evaluator.events.step(f"publish {name}"):
            digest = await skopeo.push(made / "diff/image.tar", name, temporary, engine.evaluator.credentials)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return f"{name}@{digest}"


@serves("Container.withRegistryAuth")
async def with_registry_auth(engine: Engine, this: Container, address: str, username: str, secret: str) -> Container:
    value: Secret = engine.value(secret)
    engine.evaluator.credentials.add(address, username, engine.evaluator.secrets[value.name])
    return this


@serves("Container.withoutRegistryAuth")
async def without_registry_auth(engine: Engine, this: Container, address: str) -> Container:
    engine.evaluator.credentials.remove(address)
    return this


def _tarball(engine: Engine, this: Container, variants: list[str] | None, forced_compression: str | None) -> Tarball:
    compression = COMPRESSIONS.get((forced_compression or "gzip").lower())
    if compression is None:
        raise NotServed(f"the compression '{forced_compression}'")
    # Like Dagger, leave out an empty container that only carries platform variants.
    containers = [one for one in (this, *map(engine.value, variants or ())) if not (variants and one.root == Scratch())]
    if not containers:
        raise BadInput("All containers are empty, so there is no image; put something into one.")
    # As in Dagger, the last variant of a platform wins: core/container.go, getVariantRefs.
    by_platform = {one.config.platform: one for one in containers}
    return Tarball(tuple(map(_image, by_platform.values())), compression, FORMAT)


def _image(this: Container) -> Image:
    config = json.dumps(this.config.to_json(), sort_keys=True)
    return Image(this.root, config, this.annotations, created_of(this.root))
