"""The finished images, packed, and their SBOMs: made once by the real functions."""

from functools import partial
from pathlib import Path

import pytest_asyncio
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.assembly import BuiltImage, open_images
from pipeline.build.base import select_bases
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.concurrency import concurrently
from pipeline.gates.sbom.gate_sbom import Sbom, describe
from pipeline.gates.trivy import Trivy, open_trivy
from tests.conftest import Built
from tests.trust.notary import authority, notation, releases, stamps
from tests.trust.signing import cosign, keys, other_keys, path, production, registry, release, server, workbench

__all__ = [
    "authority",
    "cosign",
    "keys",
    "notation",
    "other_keys",
    "path",
    "production",
    "registry",
    "release",
    "releases",
    "server",
    "stamps",
    "workbench",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trusting(engine: Session, built: Built, tools: Path) -> Build:
    """The build that made the archives, with the tools of the gates."""
    settings = Settings(base=built.report["lines"][0]["base"], created=built.report["created"])
    return Build(settings, await select_bases(settings, None), tools=dag.host().directory(str(tools)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def images(trusting: Build) -> list[BuiltImage]:
    """The images, parents before children."""
    return open_images((), trusting)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trivy(trusting: Build) -> Trivy:
    """Trivy, without a database."""
    return await open_trivy(trusting)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sboms(images: list[BuiltImage], trivy: Trivy) -> dict[str, Sbom]:
    """The SBOMs of all images by their names."""
    return {one.image: one for one in await concurrently([partial(describe, image, trivy) for image in images])}
