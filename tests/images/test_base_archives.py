"""Bases that come as archives: each kind starts a chain, and the metadata say which archive it was."""

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.assembly import open_images
from pipeline.build.base import select_bases
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.errors import BaseArchiveError
from tests.built_images import LINE


def oci_archive(image: Path, target: Path) -> None:
    target.symlink_to(image)


def docker_archive(image: Path, target: Path) -> None:
    subprocess.run(["skopeo", "copy", f"oci-archive:{image}", f"docker-archive:{target}:base:1"], check=True)


def root_filesystem(image: Path, target: Path) -> None:
    """Take the lowest layer: the base, in one tarball."""
    with tarfile.open(image) as tar:

        def blob(digest: str) -> bytes:
            file = tar.extractfile("blobs/sha256/" + digest.removeprefix("sha256:"))
            assert file is not None
            return file.read()

        index = tar.extractfile("index.json")
        assert index is not None
        manifest = json.loads(blob(json.load(index)["manifests"][0]["digest"]))
        target.write_bytes(blob(manifest["layers"][0]["digest"]))


@pytest.mark.parametrize("make", [oci_archive, docker_archive, root_filesystem], ids=lambda make: make.__name__)
async def test_an_archive_is_a_base(
    engine: Session, archives: dict[str, Path], tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    archive = tmp_path / "base.tar"
    make(archives["ska-base"].resolve(), archive)
    base = (await select_bases(Settings(), dag.host().file(str(archive))))[LINE]
    system = await base.container.with_exec(["sh", "-euc", ". /etc/os-release; echo $ID", "probe"]).stdout()
    assert system.strip() in ("debian", "ubuntu")


async def test_the_metadata_name_the_archive_and_its_digest(
    engine: Session, archives: dict[str, Path], tmp_path: Path
) -> None:
    archive = tmp_path / "base.tar"
    archive.write_bytes(archives["ska-base"].read_bytes())
    base = (await select_bases(Settings(), dag.host().file(str(archive))))[LINE]
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert base.reference == f"archive:base.tar@sha256:{digest}"


async def test_a_wrapped_root_filesystem_leaves_nothing_in_the_working_directory(
    engine: Session, archives: dict[str, Path], tmp_path: Path
) -> None:
    root_filesystem(archives["ska-base"], tmp_path / "base.tar")
    await select_bases(Settings(), dag.host().file(str(tmp_path / "base.tar")))
    assert list(Path.cwd().glob(".ska-base-*")) == []


async def test_what_is_no_base_is_refused_by_name(engine: Session, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing\n")
    with pytest.raises(BaseArchiveError, match=r"The base archive notes\.txt cannot be read"):
        await select_bases(Settings(), dag.host().file(str(tmp_path / "notes.txt")))


#: What Ubuntu's images lack of the smallest Debian, as its packages of 22.04, 24.04 and 26.04 show:
#: https://github.com/docker-library/repo-info/tree/master/repos/ubuntu/local
LACKING = """
sed -i '/^Package: apt$/,/^$/s/adduser, //' /var/lib/dpkg/status
dpkg --purge --force-remove-protected --force-depends adduser tzdata
"""


async def test_what_ubuntu_lacks_of_debian_s_smallest_system_is_installed(build: Build) -> None:
    small = build.workbench.container.with_exec(["sh", "-euc", LACKING, "make it as small as Ubuntu"])
    settings = build.settings.model_copy(update={"snapshot": "off"})
    bases = await select_bases(settings, (await small.sync()).as_tarball())
    (image,) = open_images(["ska-base"], replace(build, settings=settings, bases=bases))
    results = [await check.get() for check in image.checks.values()]
    assert [result for result in results if not result.passed] == []
