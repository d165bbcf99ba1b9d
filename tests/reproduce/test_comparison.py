"""Two archives of an image: whatever differs is named, and nothing else."""

import dataclasses
import gzip
import hashlib
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from embedded_engine.oci.archive import write_archive
from embedded_engine.oci.documents import ImageConfig, image_documents
from embedded_engine.oci.layer import Layer, write_layer

from dev.reproduce.__main__ import main
from dev.reproduce.archive import ArchiveError
from dev.reproduce.comparison import compare
from dev.reproduce.table import SHOWN

CONFIG = ImageConfig(architecture="amd64", env=("PATH=/usr/bin",), labels=(("team", "one"),))
LONG_AGO = 1_600_000_000


def trees(directory: Path) -> list[Path]:
    """Make what two layers hold."""
    lower, upper = directory / "lower", directory / "upper"
    (lower / "etc").mkdir(parents=True)
    (lower / "etc/issue").write_text("one\n")
    (lower / "etc/mtab").symlink_to("../proc/mounts")
    (lower / os.fsdecode(b"latin1-\xe9")).touch()
    upper.mkdir()
    (upper / "tool").write_bytes(bytes(3_000_000))
    for path in [*lower.rglob("*"), *upper.rglob("*")]:
        os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)
    return [lower, upper]


def write(archive: Path, layers: list[Path], config: ImageConfig = CONFIG, **options: Any) -> Path:
    """Write the archive of an image with these layers."""
    archive.parent.mkdir(exist_ok=True)
    compress: Callable[[Layer, Path], Layer] = options.pop("compress", lambda layer, _: layer)
    blobs, made = {}, []
    for number, tree in enumerate(layers):
        os.utime(tree, (LONG_AGO, LONG_AGO))
        blob = archive.parent / f"blob-{number}"
        made.append(compress(write_layer(tree, blob, epoch=None), blob))
        blobs[made[-1].digest] = blob
    history = ["base", "tool"][: len(layers)]
    options = {"created": "2026-01-01T00:00:00Z", "history": history, "annotations": {}} | options
    write_archive(archive, [image_documents(config, made, **options)], blobs)
    return archive


def python_s_gzip(layer: Layer, blob: Path) -> Layer:
    """Compress a layer again, as another program would."""
    blob.write_bytes(gzip.compress(gzip.decompress(blob.read_bytes()), mtime=0))
    digest = f"sha256:{hashlib.sha256(blob.read_bytes()).hexdigest()}"
    return dataclasses.replace(layer, digest=digest, size=blob.stat().st_size)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """The archive that the others are compared with."""
    return write(tmp_path / "first/image.tar", trees(tmp_path / "one"))


Change = Callable[[Path, Path], object]


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, (LONG_AGO, LONG_AGO))


def retarget(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)
    os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)
    os.utime(path.parent, (LONG_AGO, LONG_AGO))


CHANGES: dict[str, tuple[Change, str]] = {
    "content": (
        lambda lower, _: rewrite(lower / "etc/issue", "two\n"),
        r"layer 1: /etc/issue: content sha256:\w{12} and sha256:\w{12}",
    ),
    "size": (
        lambda lower, _: rewrite(lower / "etc/issue", "three\n"),
        r"layer 1: /etc/issue: size 4 and 6; content .*",
    ),
    "mtime": (
        lambda _, upper: os.utime(upper / "tool", (LONG_AGO, LONG_AGO + 1)),
        r"layer 2: /tool: mtime 2020-09-13T12:26:40Z and 2020-09-13T12:26:41Z",
    ),
    "mode": (lambda lower, _: (lower / "etc").chmod(0o700), r"layer 1: /etc: mode 0755 and 0700"),
    "owner": (lambda _, upper: os.chown(upper / "tool", 7, 8), r"layer 2: /tool: owner 0:0 and 7:8"),
    "xattr": (
        lambda _, upper: os.setxattr(upper / "tool", "trusted.note", b"\xff"),
        r"layer 2: /tool: xattr trusted\.note none and ff",
    ),
    "target": (
        lambda lower, _: retarget(lower / "etc/mtab", "/proc/mounts"),
        r"layer 1: /etc/mtab: target \.\./proc/mounts and /proc/mounts",
    ),
    "more": (lambda _, upper: (upper / "log").touch(), r"layer 2: /log: only the second has it"),
    "less": (lambda _, upper: (upper / "tool").unlink(), r"layer 2: /tool: only the first has it"),
    "odd name": (
        lambda lower, _: (lower / os.fsdecode(b"latin1-\xe9")).chmod(0o600),
        r"layer 1: /latin1-\\udce9: mode 0644 and 0600",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_entry_and_the_field_that_differ_are_named(first: Path, tmp_path: Path, change: str) -> None:
    layers = trees(tmp_path / "two")
    make, expected = CHANGES[change]
    make(*layers)
    (found,) = compare(first, write(tmp_path / "second/image.tar", layers)).differences
    assert re.fullmatch(expected, str(found))


def test_equal_images_have_no_difference(first: Path, tmp_path: Path) -> None:
    assert compare(first, write(tmp_path / "second/image.tar", trees(tmp_path / "two"))).differences == ()


def test_layers_in_another_order_are_named(first: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "second/image.tar", trees(tmp_path / "two")[::-1])
    (found,) = compare(first, other).differences
    assert str(found) == "the layers: stand in another order: those of the first are the second's 2 1"


def test_a_layer_that_one_lacks_is_named(first: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "second/image.tar", trees(tmp_path / "two")[:1])
    assert "layer 2: the layer: only the first has it" in map(str, compare(first, other).differences)


def test_the_same_tar_in_another_compression_is_named(first: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "second/image.tar", trees(tmp_path / "two"), compress=python_s_gzip)
    assert [str(one) for one in compare(first, other).differences] == [
        f"layer {number}: the blob: the same tar, compressed in another way (by another version?)" for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        (
            dataclasses.replace(CONFIG, labels=(("team", "two"),)),
            {},
            'configuration.config.Labels.team: "one" and "two"',
        ),
        (dataclasses.replace(CONFIG, cmd=("sh",)), {}, 'configuration.config.Cmd: null and ["sh"]'),
        (CONFIG, {"history": ["base", "tools"]}, 'configuration.history[1].created_by: "tool" and "tools"'),
        (CONFIG, {"annotations": {"note": "x"}}, 'manifest.annotations: null and {"note": "x"}'),
    ],
)
def test_a_value_of_the_documents_is_named(
    first: Path, tmp_path: Path, config: ImageConfig, options: dict[str, Any], expected: str
) -> None:
    other = write(tmp_path / "second/image.tar", trees(tmp_path / "two"), config, **options)
    assert [str(one) for one in compare(first, other).differences] == [expected]


def test_what_differs_is_kept_for_a_closer_look(first: Path, tmp_path: Path) -> None:
    layers = trees(tmp_path / "two")
    rewrite(layers[0] / "etc/issue", "two\n")
    compare(first, write(tmp_path / "second/image.tar", layers), tmp_path / "kept")
    contents = {}
    for path in (tmp_path / "kept").iterdir():
        with tarfile.open(path) as tar:
            contents[path.name] = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    assert contents == {
        "image.layer-1.first.tar": {"etc/issue": b"one\n"},
        "image.layer-1.second.tar": {"etc/issue": b"two\n"},
    }


def test_a_manifest_that_is_not_its_digest_s_is_refused(first: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(first.read_bytes().replace(b'"schemaVersion":2', b'"schemaVersion":3'))
    with pytest.raises(ArchiveError, match=r"damaged\.tar is damaged .*something else"):
        compare(first, damaged)


def test_a_damaged_layer_is_refused(first: Path, tmp_path: Path) -> None:
    layers = trees(tmp_path / "two")
    rewrite(layers[0] / "etc/issue", "two\n")
    damaged = write(tmp_path / "second/image.tar", layers)
    content = bytearray(damaged.read_bytes())
    start = content.index((damaged.parent / "blob-0").read_bytes())
    content[start + 20 : start + 40] = bytes(20)
    damaged.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"image\.tar is damaged"):
        compare(first, damaged)


def test_the_table_says_which_image_is_another_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = trees(tmp_path / "trees")
    for side in ("one", "two"):
        write(tmp_path / side / "ska-base.tar", layers)
        if side == "two":
            rewrite(layers[0] / "etc/issue", "two\n")
        write(tmp_path / side / "ska-python.tar", layers)
    assert (
        main(["--directory", str(tmp_path), "--against", str(tmp_path / "one"), "--built", str(tmp_path / "two")]) == 1
    )
    output = capsys.readouterr().out
    assert re.search(r"^ska-base +sha256:(\w{12})  sha256:\1  yes$", output, re.MULTILINE)
    assert re.search(r"^ska-python +sha256:(\w{12})  sha256:(?!\1)\w{12}  NO$", output, re.MULTILINE)
    assert re.search(r"^ska-python\n  layer 1: /etc/issue: content ", output, re.MULTILINE)


def test_many_differences_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for side in ("one", "two"):
        tree = tmp_path / f"{side}-tree"
        tree.mkdir()
        for number in range(SHOWN + 3):
            (tree / str(number)).write_text(side)
        write(tmp_path / side / "ska-base.tar", [tree], history=[""])
    assert (
        main(["--directory", str(tmp_path), "--against", str(tmp_path / "one"), "--built", str(tmp_path / "two")]) == 1
    )
    assert capsys.readouterr().out.endswith("\n  … and 3 more\n")


def test_the_same_images_end_with_0(first: Path) -> None:
    assert main(["--against", str(first.parent), "--built", str(first.parent)]) == 0


def test_nothing_to_compare_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--against", str(tmp_path), "--built", str(tmp_path)]) == 2
    assert "hold no archives" in capsys.readouterr().err


def test_an_image_that_only_one_directory_has_is_an_error(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--against", str(first.parent), "--built", str(tmp_path)]) == 2
    assert "lacks image.tar; give two directories with the same images." in capsys.readouterr().err
