"""An image, small and complete, for the tests of its documents."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.oci.archive import write_archive
from embedded_engine.oci.blob import Compression
from embedded_engine.oci.documents import Documents, ImageConfig, image_documents
from embedded_engine.oci.layer import write_layer

from tests.engine.trees import make_tree

CREATED = "2026-04-01T00:00:00Z"
CONFIG = ImageConfig(
    architecture="amd64",
    env=("PATH=/usr/bin", "QUOTE=\"é'"),
    entrypoint=("/bin/sh", "-c"),
    cmd=("true",),
    user="65532:65532",
    workdir="/src",
    labels=(("int.skao.image.team", "Système"), ("org.opencontainers.image.title", "x")),
    exposed_ports=("80/tcp",),
    volumes=("/data",),
    stop_signal="SIGINT",
    healthcheck='{"Interval":30000000000,"Test":["CMD","true"]}',
)


@dataclass(frozen=True)
class Made:
    """An image of two layers, and the archive of it."""

    documents: Documents
    blobs: dict[str, Path]
    archive: Path
    tree: Path


def make(directory: Path, compression: Compression = "gzip") -> Made:
    """Write an image of two layers."""
    directory.mkdir(exist_ok=True)
    tree, second = directory / "tree", directory / "second"
    make_tree(tree)
    (second / "added").mkdir(parents=True)
    blobs: dict[str, Path] = {}
    layers = []
    for upper in (tree, second):
        layers.append(write_layer(upper, directory / "out", epoch=0, compression=compression))
        blobs[layers[-1].digest] = (directory / "out").rename(directory / layers[-1].digest.removeprefix("sha256:"))
    documents = image_documents(
        CONFIG, layers, created=CREATED, history=["base", "RUN x"], annotations={"org.opencontainers.image.title": "x"}
    )
    write_archive(directory / "image.tar", [documents], blobs)
    return Made(documents, blobs, directory / "image.tar", tree)


def run(*command: str) -> str:
    """Run a client of images, and return what it says."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
