"""Layers with absolute names are unpacked as other programs unpack them.

Kaniko writes such layers: an entry "/", and hard links to absolute paths. It cannot be had here, so the test writes a
layer of that form.
"""

import gzip
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from embedded_engine.oci.documents import INDEX, MANIFEST, digest_of
from embedded_engine.oci.layout import read_layout

from tests.engine.restore import by_engine, by_umoci, run
from tests.engine.trees import differences, entry, facts, tar

DIRECTORY, HARD_LINK, SYMLINK = tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE
LAYERS: list[list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]]] = [
    [
        entry("./", DIRECTORY, mode=0o755, mtime=5),
        entry("opt/", DIRECTORY, mode=0o755, mtime=5),
        (entry("opt/old", mode=0o644, mtime=5), b"old"),
        (entry("gone", mtime=5), b"gone"),
        entry("lib", SYMLINK, linkname="/opt", mtime=5),
    ],
    [
        entry("/", DIRECTORY, mode=0o755, mtime=6),
        entry("/opt/", DIRECTORY, mode=0o750, mtime=6),
        (entry("/opt/perl", mode=0o755, mtime=6), b"perl"),
        entry("opt/perl5.34.0", HARD_LINK, linkname="/opt/perl", mode=0o755, mtime=6),
        entry("/lib/old", HARD_LINK, linkname="/lib/perl", mode=0o755, mtime=6),
        entry("/.wh.gone", mtime=6),
    ],
]


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Return a layout of an image with these layers, as skopeo copied it."""
    blobs = tmp_path / "written/blobs/sha256"
    blobs.mkdir(parents=True)

    def kept(content: bytes) -> dict[str, object]:
        (blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
        return {"digest": digest_of(content), "size": len(content)}

    plain = [tar(entries).getvalue() for entries in LAYERS]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in plain]},
    }
    kind = "application/vnd.oci.image.layer.v1.tar+gzip"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **kept(json.dumps(config).encode())},
        "layers": [{"mediaType": kind, **kept(gzip.compress(layer, mtime=0))} for layer in plain],
    }
    image = {"mediaType": MANIFEST, **kept(json.dumps(manifest).encode())}
    image["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    (tmp_path / "written/index.json").write_text(
        json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [image]})
    )
    (tmp_path / "written/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    run("skopeo", "copy", f"oci:{tmp_path / 'written'}:latest", f"oci:{tmp_path / 'layout'}:latest")
    return tmp_path / "layout"


def _by_buildah(layout: Path, into: Path) -> None:
    place = layout.parent
    words: list[str | Path] = [
        "buildah",
        "--root",
        place / "storage",
        "--runroot",
        place / "run",
        "--storage-driver",
        "vfs",
    ]

    def buildah(*argv: str | Path) -> str:
        done = subprocess.run([*words, *argv], check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    container = buildah("from", "--pull-never", buildah("pull", "--quiet", f"oci:{layout}:latest"))
    run("cp", "--archive", buildah("mount", container), into)
    os.utime(into, (6, 6))  # buildah does not date the root directory
    buildah("umount", container)
    buildah("rm", container)


OTHERS = {"umoci": by_umoci, "buildah": _by_buildah}


@pytest.mark.parametrize("other", OTHERS)
def test_a_layer_of_kanikos_form_is_unpacked_as_others_do(layout: Path, tmp_path: Path, other: str) -> None:
    assert len(read_layout(layout, "linux/amd64").layers) == len(LAYERS)
    by_engine(layout, tmp_path / "engine")
    OTHERS[other](layout, tmp_path / other)
    expected, found = facts(tmp_path / other), facts(tmp_path / "engine")
    assert differences(expected, found) == []
    assert found[b"//links"] == {(b"opt/old", b"opt/perl", b"opt/perl5.34.0")}
    assert b"gone" not in found
