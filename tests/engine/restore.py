"""An image's layers, restored to a directory by three programs that know nothing of each other."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from embedded_engine.host.rootpath import is_directory
from embedded_engine.oci.archive import write_archive
from embedded_engine.oci.documents import image_documents
from embedded_engine.oci.layer import Layer
from embedded_engine.oci.unpack import apply_layer

from tests.engine.small_image import CONFIG, CREATED

_TAR = (
    *("tar", "--extract", "--gzip", "--same-owner", "--numeric-owner", "--preserve-permissions"),
    *("--delay-directory-restore", "--xattrs", "--xattrs-include=*", "--exclude=.wh.*"),
)


def by_engine(layout: Path, into: Path) -> None:
    """Unpack with the engine's own code."""
    into.mkdir()
    for blob in _blobs(layout):
        with blob.open("rb") as stream:
            apply_layer(stream, into)


def by_umoci(layout: Path, into: Path) -> None:
    """Unpack with `umoci unpack`."""
    bundle = into.with_name(f"{into.name}-bundle")
    run("umoci", "--log=error", "unpack", f"--image={layout}:latest", bundle)
    (bundle / "rootfs").rename(into)


def by_tar(layout: Path, into: Path) -> None:
    """Unpack with GNU tar, one layer after the other; what one takes away or replaces goes before it.

    That a layer's whiteouts come first is the rule of layer.md, https://github.com/opencontainers/image-spec 1.0.
    """
    into.mkdir()
    for blob in _blobs(layout):
        _make_room(blob, into)
        run(*_TAR, f"--file={blob}", f"--directory={into}")


RESTORERS = {"engine": by_engine, "umoci": by_umoci, "tar": by_tar}


def run(*argv: str | Path) -> None:
    """Run a program, and show what it says if it fails.

    Raises:
        AssertionError: it failed.
    """
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, argv))}: {done.stdout.decode(errors='replace')}"


def image_of(layers: Sequence[Layer], blobs: Path, at: Path) -> Path:
    """Write an archive of layers, have skopeo copy it to a layout, and return that.

    Args:
        layers: the lowest first.
        blobs: the directory that has them by the hexadecimal of their digest.
        at: a directory for both.
    """
    documents = image_documents(CONFIG, layers, created=CREATED, history=[""] * len(layers), annotations={})
    paths = {layer.digest: blobs / layer.digest.removeprefix("sha256:") for layer in layers}
    write_archive(at / "image.tar", [documents], paths)
    run("skopeo", "copy", f"oci-archive:{at / 'image.tar'}", f"oci:{at / 'layout'}:latest")
    return at / "layout"


def _blobs(layout: Path) -> list[Path]:
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(_blob(layout, entry["digest"]).read_text())
    return [_blob(layout, layer["digest"]) for layer in manifest["layers"]]


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs/sha256" / digest.removeprefix("sha256:")


def _make_room(blob: Path, root: Path) -> None:
    with tarfile.open(blob, encoding="utf-8", errors="surrogateescape") as archive:
        for entry in archive:
            at = root / entry.name
            if at.name == ".wh..wh..opq":
                for child in at.parent.iterdir() if at.parent.is_dir() else ():
                    _remove(child)
            elif at.name.startswith(".wh."):
                _remove(at.with_name(at.name.removeprefix(".wh.")))
            elif entry.isdir() and is_directory(at):
                _clear(at)
            else:
                _remove(at)


def _clear(directory: Path) -> None:
    """Take a directory's attributes and mode away: the layer says which it has.

    tar only adds attributes, and what it makes below a directory that still is setgid becomes setgid too.
    """
    directory.chmod(0o700)
    for key in os.listxattr(directory):
        os.removexattr(directory, key)


def _remove(path: Path) -> None:
    if is_directory(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
