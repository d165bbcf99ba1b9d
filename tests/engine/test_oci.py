"""Images are documents of the OCI image spec that skopeo and umoci take."""

import dataclasses
import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from embedded_engine.host.errors import EngineError
from embedded_engine.oci.archive import write_archive
from embedded_engine.oci.blob import Compression
from embedded_engine.oci.documents import ImageConfig, canonical_json, image_documents
from embedded_engine.oci.layer import Layer, write_layer

from tests.engine.small_image import CONFIG, CREATED, Made, make, run
from tests.engine.trees import facts

#: As docker and buildah write them: null where there is nothing, and fields that this engine does not know.
FOREIGN = {
    "architecture": "arm64",
    "os": "linux",
    "variant": "v8",
    "author": "someone",
    "config": {"Env": None, "Cmd": ["sh"], "Entrypoint": None, "Labels": None, "ArgsEscaped": True, "OnBuild": None},
    "rootfs": {"type": "layers", "diff_ids": []},
}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Return an image with gzip layers."""
    return make(tmp_path / "made")


# Documents


def test_a_config_comes_back_from_json_as_it_was() -> None:
    assert ImageConfig.from_json(json.loads(json.dumps(CONFIG.to_json()))) == CONFIG


def test_a_config_is_a_value_that_can_be_a_key() -> None:
    assert {CONFIG: 1}[dataclasses.replace(CONFIG)] == 1


def test_a_config_of_another_builder_is_read() -> None:
    assert ImageConfig.from_json(FOREIGN) == ImageConfig("arm64", "linux", cmd=("sh",))


def test_documents_are_canonical_json(made: Made) -> None:
    for document in (made.documents.config, made.documents.manifest):
        assert canonical_json(json.loads(document)).encode() == document
    assert made.documents.digest == "sha256:" + hashlib.sha256(made.documents.manifest).hexdigest()


def test_every_moment_in_a_config_is_the_given_one(made: Made) -> None:
    config = json.loads(made.documents.config)
    assert config["created"] == CREATED
    assert config["history"] == [
        {"created": CREATED, "created_by": "base"},
        {"created": CREATED, "created_by": "RUN x"},
    ]


def test_each_layer_needs_its_history() -> None:
    layer = Layer("sha256:a", "sha256:b", 1, "x")
    with pytest.raises(ValueError, match="0 entries of history for 1 layers"):
        image_documents(CONFIG, [layer], created=CREATED, history=[], annotations={})


# Archives


def test_the_same_image_gives_the_same_archive(tmp_path: Path) -> None:
    a, b = (make(tmp_path / each) for each in "ab")
    assert a.archive.read_bytes() == b.archive.read_bytes()


def test_an_archive_is_a_layout_in_which_everything_is_named_by_its_digest(made: Made) -> None:
    with tarfile.open(made.archive) as archive:
        entries = archive.getmembers()
        for each in entries:
            content = archive.extractfile(each)
            if content and each.name.startswith("blobs/"):
                assert each.name == "blobs/sha256/" + hashlib.sha256(content.read()).hexdigest()
    names = [each.name for each in entries]
    assert [name for name in names if not name.startswith("blobs/sha256/")] == [
        "blobs",
        "blobs/sha256",
        "index.json",
        "manifest.json",
        "oci-layout",
    ]
    assert names == sorted(names)
    assert {(each.mtime, each.uid, each.gid) for each in entries} == {(0, 0, 0)}


def test_a_layer_that_an_image_has_twice_is_stored_once(tmp_path: Path) -> None:
    (tmp_path / "upper").mkdir()
    layer = write_layer(tmp_path / "upper", tmp_path / "blob", epoch=0)
    documents = image_documents(CONFIG, [layer] * 2, created=CREATED, history=["a", "b"], annotations={})
    write_archive(tmp_path / "image.tar", [documents], {layer.digest: tmp_path / "blob"})
    with tarfile.open(tmp_path / "image.tar") as archive:
        names = archive.getnames()
    assert len(names) == len(set(names))
    assert len(json.loads(run("skopeo", "inspect", f"oci-archive:{tmp_path / 'image.tar'}"))["Layers"]) == 2


def test_a_layer_of_another_size_is_an_error(made: Made, tmp_path: Path) -> None:
    blob = next(iter(made.blobs.values()))
    blob.write_bytes(blob.read_bytes() + b"x")
    with pytest.raises(EngineError, match=r"bytes instead of \d+; remove it and run the build again"):
        write_archive(tmp_path / "again.tar", [made.documents], made.blobs)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_skopeo_inspects_an_archive(tmp_path: Path, compression: Compression) -> None:
    image = make(tmp_path, compression)
    seen = json.loads(run("skopeo", "inspect", f"oci-archive:{image.archive}"))
    assert seen["Digest"] == image.documents.digest
    assert seen["Layers"] == list(image.blobs)
    assert seen["Labels"] == dict(CONFIG.labels)
    assert seen["Env"] == list(CONFIG.env)
    assert seen["Created"] == CREATED


def test_skopeo_reads_an_archive_as_docker_does(made: Made) -> None:
    config = json.loads(run("skopeo", "inspect", "--config", f"docker-archive:{made.archive}"))
    assert config["rootfs"] == json.loads(made.documents.config)["rootfs"]
    assert config["config"]["Entrypoint"] == list(CONFIG.entrypoint or ())


def test_a_copy_by_skopeo_keeps_the_digest(made: Made, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    run("skopeo", "copy", "--quiet", f"oci-archive:{made.archive}", f"oci:{layout}:latest")
    assert json.loads(run("skopeo", "inspect", f"oci:{layout}:latest"))["Digest"] == made.documents.digest


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_umoci_unpacks_an_archive_to_the_same_tree(tmp_path: Path, compression: Compression) -> None:
    image = make(tmp_path / "made", compression)
    layout = tmp_path / "layout"
    # umoci of Debian 12 knows no zstd.
    run("skopeo", "copy", "--quiet", "--dest-compress-format=gzip", f"oci-archive:{image.archive}", f"oci:{layout}:v1")
    run("umoci", "unpack", "--image", f"{layout}:v1", str(tmp_path / "bundle"))
    unpacked, expected = facts(tmp_path / "bundle" / "rootfs"), facts(image.tree)
    assert unpacked.pop(b"added")[0] == 0o40755
    for path, fact in expected.items():
        if path == b"//links":
            assert unpacked[path] == fact
        else:
            assert unpacked[path][:3] + unpacked[path][4:] == fact[:3] + fact[4:]
            assert unpacked[path][3] == 0
    process = json.loads((tmp_path / "bundle" / "config.json").read_text())["process"]
    assert process["args"] == ["/bin/sh", "-c", "true"]
    assert process["cwd"] == "/src"
