"""Devices of a layer are made where the kernel allows it, and are never in the way where it does not."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from embedded_engine.oci.unpack import apply_layer

from tests.engine.trees import entry, facts, tar

DEVICES = [
    entry("null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666, gid=5, mtime=7),
    entry("disk", tarfile.BLKTYPE, devmajor=259, devminor=300, mode=0o660),
    entry("again", tarfile.LNKTYPE, linkname="disk"),
    entry("fifo", tarfile.FIFOTYPE, mode=0o640),
]


def test_devices_are_made_with_their_numbers_modes_and_owners(root: Path) -> None:
    apply_layer(tar(DEVICES), root)
    found = facts(root)
    assert found[b"null"] == (0o20666, 0, 5, 7, os.makedev(1, 3), None, {})
    assert found[b"disk"] == found[b"again"] == (0o60660, 0, 0, 0, os.makedev(259, 300), None, {})
    assert found[b"//links"] == {(b"again", b"disk")}


def test_in_a_user_namespace_devices_are_left_out_with_their_links(root: Path, tmp_path: Path) -> None:
    for name in ("disk", "null", "kept"):
        (root / name).touch()
    (tmp_path / "layer").write_bytes(tar(DEVICES).read())
    script = "import sys; from pathlib import Path; from embedded_engine.oci.unpack import apply_layer; "
    script += "apply_layer(open(sys.argv[1], 'rb'), Path(sys.argv[2]))"
    subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-c", script, tmp_path / "layer", root], check=True
    )
    assert {path.name for path in root.iterdir()} == {"fifo", "kept"}


def test_the_mark_by_which_overlayfs_deletes_deletes(root: Path) -> None:
    for name in ("gone", "kept"):
        (root / name).touch()
    apply_layer(tar([entry("gone", tarfile.CHRTYPE), entry("block", tarfile.BLKTYPE)]), root)
    assert {path.name for path in root.iterdir()} == {"kept", "block"}
