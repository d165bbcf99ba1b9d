"""A tree that is packed and unpacked again is the same tree."""

import os
import subprocess
from pathlib import Path

import pytest
from embedded_engine.oci.below import Below
from embedded_engine.oci.blob import Compression
from embedded_engine.oci.layer import write_layer
from embedded_engine.oci.unpack import apply_layer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.trees import facts, make_tree

EPOCH = 1_700_000_000


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    """Return an empty upper directory."""
    made = tmp_path / "upper"
    made.mkdir()
    return made


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_gnu_tar_unpacks_a_layer_to_the_same_tree(upper: Path, tmp_path: Path, compression: Compression) -> None:
    make_tree(upper)
    write_layer(upper, tmp_path / "layer", epoch=EPOCH, compression=compression)
    (tmp_path / "out").mkdir()
    command = ["tar", "--extract", "--same-owner", "--preserve-permissions", "--xattrs", "--xattrs-include=*"]
    done = subprocess.run(
        [*command, f"--{compression}", "--file", tmp_path / "layer", "--directory", tmp_path / "out"],
        check=True,
        capture_output=True,
    )
    assert done.stderr == b""
    assert facts(tmp_path / "out") == facts(upper)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_apply_layer_unpacks_a_layer_to_the_same_tree(upper: Path, tmp_path: Path, compression: Compression) -> None:
    make_tree(upper)
    layer = write_layer(upper, tmp_path / "layer", epoch=EPOCH, compression=compression)
    (tmp_path / "out").mkdir()
    with (tmp_path / "layer").open("rb") as blob:
        assert apply_layer(blob, tmp_path / "out") == layer.diff_id
    assert facts(tmp_path / "out") == facts(upper)


OVERLAY = """
set -eu
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=off,metacopy=off,index=off merged
cd merged
rm file
rm -r tree && mkdir tree && echo new >tree/new
rm -r kept && echo file >kept
chmod 0700 etc
ln etc/hosts etc/again
"""


def test_a_layer_of_a_real_overlay_turns_the_lower_tree_into_the_merged_one(tmp_path: Path) -> None:
    for name in ("lower", "upper", "work", "merged", "flat"):
        (tmp_path / name).mkdir()
    for root in (tmp_path / "lower", tmp_path / "flat"):
        for name in ("file", "tree/old", "kept/deep/file", "etc/hosts"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)
        for path in root.rglob("*"):
            os.utime(path, (EPOCH, EPOCH))
    script = OVERLAY + "cp -a . ../expected"
    subprocess.run(["unshare", "--mount", "sh", "-c", script], cwd=tmp_path, check=True)
    write_layer(tmp_path / "upper", tmp_path / "layer", below=[Below(tmp_path / "lower")], epoch=None)
    with (tmp_path / "layer").open("rb") as blob:
        apply_layer(blob, tmp_path / "flat")
    assert facts(tmp_path / "flat") == facts(tmp_path / "expected")


NAMES = st.binary(min_size=1, max_size=120).map(lambda name: name.replace(b"/", b"-").replace(b"\0", b"0"))
FILES = st.dictionaries(
    NAMES.filter(lambda name: name not in (b".", b"..") and not name.startswith(b".wh.")),
    st.tuples(
        st.binary(max_size=2000),
        st.integers(0, 0o7777),
        st.integers(0, 2**32 - 2),
        st.integers(-(2**33), 2**34),
        st.dictionaries(st.sampled_from(["trusted.a", "trusted.b=c%3D", "security.note"]), st.binary(max_size=300)),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES)
def test_any_files_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, files: dict[bytes, tuple[bytes, int, int, int, dict[str, bytes]]]
) -> None:
    base = tmp_path_factory.mktemp("any")
    for name in ("upper", "out"):
        (base / name).mkdir()
    for raw, (content, mode, owner, mtime, xattrs) in files.items():
        path = base / "upper" / os.fsdecode(raw)
        path.write_bytes(content)
        os.chown(path, owner, owner)
        path.chmod(mode)
        for key, value in xattrs.items():
            os.setxattr(path, key, value)
        os.utime(path, (mtime, mtime))
    write_layer(base / "upper", base / "layer", epoch=None)
    with (base / "layer").open("rb") as blob:
        apply_layer(blob, base / "out")
    assert facts(base / "out") == facts(base / "upper")
