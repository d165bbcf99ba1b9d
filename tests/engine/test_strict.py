"""What others write is read as one thing only, or refused in one sentence that says why."""

import json
from pathlib import Path
from typing import Any

import pytest
from embedded_engine.host.bounded import DEEPEST, Malformed, decode_json, whole_number
from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.oci.documents import ImageConfig, digest_of
from embedded_engine.oci.layout import LARGEST_DOCUMENT, read_layout

DEEP = 200_000


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b'{"a": [1, -2.5, "\\ud83d\\ude00", null, true]}', {"a": [1, -2.5, "\U0001f600", None, True]}),
        (b"[" * DEEPEST + b"]" * DEEPEST, None),
        (b"18446744073709551615", 2**64 - 1),
    ],
)
def test_json_is_read(document: bytes, value: Any) -> None:
    assert decode_json(document) == (value or json.loads(document))


MALFORMED = {
    b"": "Expecting value",
    b"[" * DEEP: f"nested more than {DEEPEST} levels",
    b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1): f"nested more than {DEEPEST} levels",
    b'{"a":' * DEEP + b"1" + b"}" * DEEP: f"nested more than {DEEPEST} levels",
    b"\xff": "byte 0 is not UTF-8",
    "{}".encode("utf-16"): "is not UTF-8",
    b'{"a": 1, "a": 2}': "the name 'a' twice",
    b"[NaN]": "NaN is not a JSON number",
    b"[-Infinity]": "-Infinity is not a JSON number",
    b"[1e999]": "1e999 is not a JSON number",
    b"9" * 5000: "a number of 5000 digits",
    b'["\\ud800"]': "half of a surrogate pair",
    b'{"\\udc00": 1}': "half of a surrogate pair",
}


@pytest.mark.parametrize("document", MALFORMED, ids=[str(text[:20]) for text in MALFORMED])
def test_malformed_json_is_refused(document: bytes) -> None:
    with pytest.raises(Malformed, match=MALFORMED[document]):
        decode_json(document)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[("0", 0), ("99", 99), ("007", 7), ("100", None), ("-1", None), ("+1", None), (" 1", None), ("1_0", None)],
        *[("", None), ("²", None), ("٣", None), ("1.0", None), ("9" * 5000, None)],
    ],
)
def test_a_number_is_decimal_digits_below_a_limit(text: str, number: int | None) -> None:
    assert whole_number(text, 100) == number


WRONG_TYPES: dict[str, dict[str, Any]] = {
    "'architecture' of the configuration is not a text": {"architecture": 5},
    "'config' is not an object": {"config": "s"},
    "'Env' of 'config' is not a list of texts": {"config": {"Env": "PATH=/bin"}},
    "'Cmd' of 'config' is not a list of texts": {"config": {"Cmd": [5]}},
    "'User' of 'config' is not a text": {"config": {"User": 5}},
    "'WorkingDir' of 'config' is not a text": {"config": {"WorkingDir": "a\0b"}},
    "'Labels' is not an object": {"config": {"Labels": ["a"]}},
    "'a' of 'Labels' is not a text": {"config": {"Labels": {"a": 5}}},
    "'ExposedPorts' is not an object": {"config": {"ExposedPorts": ["80/tcp"]}},
    "'Test' of 'Healthcheck' is not a list of texts": {"config": {"Healthcheck": {"Test": "true"}}},
    "'Interval' of 'Healthcheck' is not a whole number": {"config": {"Healthcheck": {"Interval": "30s"}}},
    "'Retries' of 'Healthcheck' is not a whole number": {"config": {"Healthcheck": {"Retries": True}}},
    "'diff_ids' of 'rootfs' is not a list of texts": {"rootfs": {"diff_ids": [None]}},
    "'created_by' of an entry of 'history' is not a text": {"history": [{"created_by": 5}]},
    "'empty_layer' of an entry of 'history' is not true or false": {"history": [{"empty_layer": "no"}]},
}
EMPTY: dict[str, Any] = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}


def layout(at: Path, config: bytes, manifest: dict[str, Any] | None = None) -> Path:
    """Write a layout of one image without layers."""
    blobs = at / "blobs/sha256"
    blobs.mkdir(parents=True)

    def descriptor(content: bytes) -> dict[str, Any]:
        (blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
        return {"digest": digest_of(content), "size": len(content)}

    document = {"config": descriptor(config), "layers": [], **(manifest or {})}
    index = {"manifests": [descriptor(json.dumps(document).encode())]}
    (at / "index.json").write_text(json.dumps(index))
    return at


@pytest.mark.parametrize("why", WRONG_TYPES)
def test_a_configuration_with_a_field_of_another_type_is_refused(tmp_path: Path, why: str) -> None:
    at = layout(tmp_path, json.dumps(EMPTY | WRONG_TYPES[why]).encode())
    with pytest.raises(
        ArchiveInvalid, match=rf"^The image's documents cannot be read \({why}.*\); get the archive anew\."
    ):
        read_layout(at, "linux/amd64")


@pytest.mark.parametrize(
    "manifest",
    [
        {"layers": {}},
        {"layers": [5]},
        {"layers": [{"digest": 5}]},
        {"config": None},
        {"config": []},
        {"config": {"digest": "sha256:" + "0" * 64, "size": -1}},
        {"config": {"digest": "sha256:" + "0" * 64, "size": "5"}},
        {"config": {"digest": "sha256:../../index.json", "size": 5}},
    ],
)
def test_a_manifest_with_a_field_of_another_type_is_refused(tmp_path: Path, manifest: dict[str, Any]) -> None:
    with pytest.raises(ArchiveInvalid):
        read_layout(layout(tmp_path, json.dumps(EMPTY).encode(), manifest), "linux/amd64")


def test_a_deep_configuration_is_refused(tmp_path: Path) -> None:
    deep = b'{"a":' * DEEP + b"1" + b"}" * DEEP
    with pytest.raises(ArchiveInvalid, match=f"nested more than {DEEPEST} levels"):
        read_layout(layout(tmp_path, deep), "linux/amd64")


@pytest.mark.parametrize("content", [b"[" * DEEP, b" " * (LARGEST_DOCUMENT + 1), b"null", b'{"manifests": {"a": 1}}'])
def test_an_index_that_makes_no_sense_is_refused(tmp_path: Path, content: bytes) -> None:
    (layout(tmp_path, b"{}") / "index.json").write_bytes(content)
    with pytest.raises(ArchiveInvalid, match=r"^The image's document"):
        read_layout(tmp_path, "linux/amd64")


def test_an_index_of_indexes_ends(tmp_path: Path) -> None:
    at = layout(tmp_path, json.dumps(EMPTY).encode())
    for _ in range(10):
        content = (at / "index.json").read_bytes()
        (at / "blobs/sha256" / digest_of(content).removeprefix("sha256:")).write_bytes(content)
        entry = {"digest": digest_of(content), "size": len(content)}
        (at / "index.json").write_text(json.dumps({"manifests": [entry]}))
    with pytest.raises(ArchiveInvalid):
        read_layout(at, "linux/amd64")


def test_a_variable_without_a_value_is_empty() -> None:
    config = ImageConfig.from_json(EMPTY | {"config": {"Env": ["A", "B=", "C=d=e"], "ExposedPorts": {"80/tcp": None}}})
    assert config.env == ("A=", "B=", "C=d=e")
    assert config.exposed_ports == ("80/tcp",)
