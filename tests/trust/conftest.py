"""The finished images, packed, and their SBOMs: made once by the real functions."""

from pathlib import Path

import pytest_asyncio
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.assembly import Finished, Packed, finish_images, pack_images
from pipeline.build.base import select_base
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.gates.sbom import gate_sbom
from pipeline.gates.sbom.gate_sbom import Sbom
from tests.conftest import Built
from tests.trust.signing import cosign, keys, other_keys, path, registry, release, server, workbench

__all__ = ["cosign", "keys", "other_keys", "path", "registry", "release", "server", "workbench"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trusting(engine: Session, built: Built, tools: Path) -> Build:
    """The build that made the archives, with the tools of the gates."""
    settings = Settings(base=built.report["base"], created=built.report["created"])
    return Build(settings, await select_base(settings, None), tools=dag.host().directory(str(tools)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def packed(trusting: Build) -> list[Packed]:
    """The images, parents before children, with the check of security updates."""
    return await pack_images((), trusting, ["security-updates"])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def finished(trusting: Build) -> dict[str, Finished]:
    """The images, built and packed, by their names."""
    return {one.image.name: one for one in await finish_images((), trusting)}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sboms(finished: dict[str, Finished], trusting: Build) -> dict[str, Sbom]:
    """The SBOMs of all images by their names."""
    return {one.image: one for one in await gate_sbom.gate(finished.values(), trusting)}
