"""Archives of a base: what is taken, what is refused, and the image that is made of a root filesystem."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from pipeline.build.rootfs import Kind, identify, wrap
from pipeline.errors import BaseArchiveError

RELEASE = "./etc/os-release"


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "base.tar"


def pack(path: Path, *members: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for info in members:
            tar.addfile(info, io.BytesIO(b"x" * info.size) if info.isreg() else None)
    return path


def wrapped(source: Path) -> dict[str, bytes]:
    target = source.with_name("wrapped.tar")
    wrap(source, "base.tar", target, "linux/arm64/v8")
    with tarfile.open(target) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def manifest_of(files: dict[str, bytes]) -> dict[str, object]:
    digest = json.loads(files["index.json"])["manifests"][0]["digest"]
    found: dict[str, object] = json.loads(files["blobs/sha256/" + digest.removeprefix("sha256:")])
    return found


def layer_names(files: dict[str, bytes]) -> list[str]:
    digest = manifest_of(files)["layers"][0]["digest"]  # type: ignore[index]
    with tarfile.open(fileobj=io.BytesIO(files["blobs/sha256/" + digest.removeprefix("sha256:")])) as layer:
        return layer.getnames()


@pytest.mark.parametrize("name", ["oci-layout", "./manifest.json"])
def test_an_image_s_archive_is_told_by_its_index(archive: Path, name: str) -> None:
    assert identify(pack(archive, member(name)), "base.tar") is Kind.IMAGE


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_root_filesystem_is_told_by_its_release(archive: Path, mode: str) -> None:
    assert identify(pack(archive, member(RELEASE), mode=mode), "base.tar") is Kind.ROOT_FILESYSTEM


def test_an_archive_of_something_else_is_refused(archive: Path) -> None:
    with pytest.raises(
        BaseArchiveError, match=r"The base archive base.tar is not an OCI archive, docker archive or root"
    ):
        identify(pack(archive, member("README")), "base.tar")


def test_what_is_no_archive_is_refused(archive: Path) -> None:
    archive.write_text("nothing\n" * 100)
    with pytest.raises(BaseArchiveError, match=r"The base archive base.tar cannot be read"):
        identify(archive, "base.tar")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_truncated_archive_is_refused(archive: Path, mode: str) -> None:
    big = member("./bin/big")
    big.size = 100_000
    pack(archive, member(RELEASE), big, mode=mode)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(BaseArchiveError, match=r"The base archive base.tar cannot be read"):
        wrapped(archive)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (member("/etc/passwd"), "'/etc/passwd', which is outside"),
        (member("./a/../../etc/passwd"), r"'./a/../../etc/passwd', which is outside"),
        (member("./a", tarfile.LNKTYPE, "../b"), r"'../b', which is outside"),
        (member("./a/b", tarfile.SYMTYPE, "../../b"), r"a link './a/b' to '../../b', outside"),
        (member("./a", tarfile.BLKTYPE), r"the device ./a outside /dev"),
    ],
    ids=["absolute", "parent", "hard link", "symbolic link", "device"],
)
def test_what_reaches_outside_of_the_root_is_refused(archive: Path, bad: tarfile.TarInfo, sentence: str) -> None:
    with pytest.raises(BaseArchiveError, match=sentence):
        wrapped(pack(archive, member(RELEASE), bad))


def test_absolute_symbolic_links_are_kept(archive: Path) -> None:
    files = wrapped(pack(archive, member(RELEASE), member("./etc/mtab", tarfile.SYMTYPE, "/proc/mounts")))
    assert "./etc/mtab" in layer_names(files)


def test_devices_in_dev_are_left_out(archive: Path) -> None:
    files = wrapped(pack(archive, member(RELEASE), member("./dev/null", tarfile.CHRTYPE)))
    assert layer_names(files) == [RELEASE]


def test_every_blob_has_the_digest_of_its_name(archive: Path) -> None:
    files = wrapped(pack(archive, member(RELEASE)))
    blobs = {name: content for name, content in files.items() if name.startswith("blobs/")}
    assert [name.rpartition("/")[2] for name in blobs] == [
        hashlib.sha256(content).hexdigest() for content in blobs.values()
    ]


def test_the_configuration_names_the_platform(archive: Path) -> None:
    files = wrapped(pack(archive, member(RELEASE)))
    config = manifest_of(files)["config"]["digest"]  # type: ignore[index]
    found = json.loads(files["blobs/sha256/" + config.removeprefix("sha256:")])
    assert (found["os"], found["architecture"], found["variant"]) == ("linux", "arm64", "v8")
