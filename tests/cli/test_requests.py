"""What the command line asks an engine that is not its own."""

import asyncio
import io
import tarfile
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from pipeline.engine.session import Session
from tests.cli.test_run import cli
from tests.engine_proxy import Traffic, allow, engine_proxy, refuse_current_module


@pytest.fixture
def root_filesystem(tmp_path: Path) -> Path:
    """A tarball of a root file system, as small as one can be."""
    archive = tmp_path / "base.tar"
    content = b"ID=debian\n"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo("etc/os-release")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive


async def metadata(traffic: Traffic, engine: Session, archive: Path, **variables: str) -> CompletedProcess[str]:
    session = {"DAGGER_SESSION_PORT": str(traffic.port), "DAGGER_SESSION_TOKEN": engine.token}
    words = ("--base-archive", archive, "metadata", "--image=ska-base")
    return await asyncio.to_thread(partial(cli, *words, **session, **variables))


async def test_outside_a_module_a_root_filesystem_is_a_file_of_the_host(engine: Session, root_filesystem: Path) -> None:
    with engine_proxy(engine, refuse_current_module) as traffic:
        run = await metadata(traffic, engine, root_filesystem)
    assert (run.returncode, run.stderr) == (0, "")
    assert "archive:base.tar@sha256:" in run.stdout
    assert [query for query in traffic.queries if "currentModule" in query] == []


async def test_inside_a_module_it_is_a_file_of_the_module(engine: Session, root_filesystem: Path) -> None:
    with engine_proxy(engine, allow) as traffic:
        run = await metadata(traffic, engine, root_filesystem, DAGGER_MAIN_OBJECT="SkaBaseImages")
    assert (run.returncode, run.stderr) == (0, "")
    assert [query for query in traffic.queries if "currentModule" in query]
    assert list(Path.cwd().glob(".ska-base-*")) == []
