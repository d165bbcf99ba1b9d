"""What the command line asks an engine that is not its own."""

import asyncio
import io
import tarfile
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.settings import Settings
from pipeline.concurrency import bound_requests
from tests.cli.test_run import cli
from tests.conftest import Built
from tests.engine_proxy import Traffic, allow, engine_proxy, gather, refuse_current_module


@pytest.fixture
def root_filesystem(tmp_path: Path) -> Path:
    """A tarball of a root file system, as small as one can be."""
    archive = tmp_path / "base.tar"
    content = b"ID=debian\nVERSION_ID=12\n"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo("etc/os-release")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive


async def through(traffic: Traffic, engine: Session, *words: object, **variables: str) -> CompletedProcess[str]:
    """Run the command line on the engine behind a proxy."""
    session = {"DAGGER_SESSION_PORT": str(traffic.port), "DAGGER_SESSION_TOKEN": engine.token}
    return await asyncio.to_thread(partial(cli, *words, **session, **variables))


async def metadata(traffic: Traffic, engine: Session, archive: Path, **variables: str) -> CompletedProcess[str]:
    return await through(traffic, engine, "--base-archive", archive, "metadata", "--image=ska-base", **variables)


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


async def test_a_build_has_as_many_requests_under_way_as_the_setting_allows_and_no_more(
    engine: Session, built: Built, tmp_path: Path
) -> None:
    given = ("--base", built.report["lines"][0]["base"], "--created", built.report["created"])
    with engine_proxy(engine, gather(3, "withExec")) as traffic:
        run = await through(
            traffic, engine, *given, "build-all", "-o", tmp_path / "dist", SKA_MAX_CONCURRENT_REQUESTS="3"
        )
    assert run.returncode == 0, run.stderr
    assert len(traffic.queries) > 60
    assert traffic.peak == 3


async def test_a_request_that_needs_another_one_first_does_not_wait_for_itself(engine: Session) -> None:
    bound_requests(1)
    try:
        made = [dag.directory().with_new_file(name, name) for name in "abc"]
        below = dag.directory().with_directory("below", made[0].with_directory("/", made[1]))
        assert await below.with_directory("/", made[2]).file("below/b").contents() == "b"
    finally:
        bound_requests(Settings().max_concurrent_requests)
