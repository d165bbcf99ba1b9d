"""Archives of a base: an image, or a root file system that is made into one.

An image is an OCI layout (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md) or what
`docker save` writes; both can be imported as they are. A root file system is a tarball such as those of mmdebstrap,
debootstrap and Ubuntu's ubuntu-base downloads.
"""

import hashlib
import io
import json
import lzma
import os
import tarfile
import tempfile
import zlib
from enum import Enum, auto
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pipeline.errors import BaseArchiveError

_OCI = "application/vnd.oci.image"
_BLOBS = "blobs/sha256/"
#: What Python's tarfile raises for a file that is damaged or not a tarball.
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError)


class Kind(Enum):
    """What an archive holds."""

    IMAGE = auto()
    ROOT_FILESYSTEM = auto()


def identify(path: Path, name: str) -> Kind:
    """Return what an archive holds.

    Args:
        path: where it is.
        name: of the file that the user gave.

    Raises:
        BaseArchiveError: it is not an archive, or holds neither an image nor a root file system.
    """
    system_files = {"etc/os-release", "usr/lib/os-release"}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                inside = _inside(member.name)
                if inside in ("oci-layout", "manifest.json"):
                    return Kind.IMAGE
                if inside in system_files:
                    return Kind.ROOT_FILESYSTEM
    except _DAMAGED as error:
        raise _damaged(name, error) from error
    raise BaseArchiveError(
        f"The base archive {name} is not an OCI archive, docker archive or root file system (it has no oci-layout, "
        "manifest.json or os-release); make one with `skopeo copy docker://IMAGE oci-archive:FILE`."
    )


def wrap(tarball: Path, name: str, target: Path, platform: str) -> None:
    """Write a root file system into an OCI archive with one uncompressed layer.

    Args:
        tarball: the root file system.
        name: of the file that the user gave.
        target: where the archive is written.
        platform: as in linux/amd64 or linux/arm64/v8.

    Raises:
        BaseArchiveError: the tarball is damaged, or reaches outside its root.
    """
    with tempfile.TemporaryFile(dir=target.parent) as layer, tarfile.open(target, "w") as archive:
        try:
            _copy_members(tarball, name, layer)
        except _DAMAGED as error:
            raise _damaged(name, error) from error
        digest, size = _measure(layer)
        os_name, architecture, *variant = platform.split("/")
        config = {
            "os": os_name,
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _add_blob(archive, config, f"{_OCI}.config.v1+json"),
            "layers": [{"mediaType": f"{_OCI}.layer.v1.tar", "digest": digest, "size": size}],
        }
        index = {"schemaVersion": 2, "manifests": [_add_blob(archive, manifest, f"{_OCI}.manifest.v1+json")]}
        _add(archive, _BLOBS + digest.removeprefix("sha256:"), layer, size)
        _add_bytes(archive, "index.json", json.dumps(index).encode())
        _add_bytes(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')


def _copy_members(tarball: Path, name: str, layer: BinaryIO) -> None:
    with (
        tarfile.open(tarball) as source,
        tarfile.open(fileobj=layer, mode="w", format=tarfile.PAX_FORMAT) as copy,
    ):
        for member in source:
            inside = _inside(member.name)
            _refuse_outside(member, name)
            if inside.startswith("dev/"):
                # Every runtime mounts its own /dev, and a rootless one cannot make devices.
                continue
            if member.isdev():
                raise BaseArchiveError(
                    f"The base archive {name} holds the device {member.name} outside /dev; remove it."
                )
            copy.addfile(member, source.extractfile(member) if member.isreg() else None)


def _refuse_outside(member: tarfile.TarInfo, name: str) -> None:
    paths = [member.name, *([member.linkname] if member.islnk() else [])]
    for path in paths:
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise BaseArchiveError(
                f"The base archive {name} holds {path!r}, which is outside its root; do not use this archive."
            )
    if member.issym() and not member.linkname.startswith("/"):
        target = os.path.normpath(PurePosixPath(_inside(member.name)).parent / member.linkname)
        if target.startswith(".."):
            raise BaseArchiveError(
                f"The base archive {name} holds a link {member.name!r} to {member.linkname!r}, "
                "outside its root; do not use this archive."
            )


def _measure(file: BinaryIO) -> tuple[str, int]:
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
    size = file.tell()
    file.seek(0)
    return f"sha256:{digest.hexdigest()}", size


def _add_blob(archive: tarfile.TarFile, document: object, media_type: str) -> dict[str, object]:
    content = json.dumps(document).encode()
    digest = hashlib.sha256(content).hexdigest()
    _add_bytes(archive, _BLOBS + digest, content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    _add(archive, name, io.BytesIO(content), len(content))


def _add(archive: tarfile.TarFile, name: str, content: BinaryIO, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    archive.addfile(member, content)


def _inside(name: str) -> str:
    return name.removeprefix("./").rstrip("/")


def _damaged(name: str, error: Exception) -> BaseArchiveError:
    # For a file that is not a tarball, tarfile explains each format on further lines.
    first = str(error).partition("\n")[0].rstrip(":")
    return BaseArchiveError(
        f"The base archive {name} cannot be read ({first}); it is truncated, or not a tarball "
        "(plain, gzip, bzip2 or xz): fetch it again, or decompress it first."
    )
