"""JSON that two readers could take for two things is refused."""

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.manifest import DOCKER_IMAGE, DOCKER_INDEX, IMAGE, INDEX, Manifest
from pipeline.strict import list_of, object_of, parse_json, text_of, texts_of

BLOB = f'{{"mediaType": "a", "digest": "sha256:{"0" * 64}", "size": 1}}'
DOCKER_CONFIG = BLOB.replace('"a"', '"application/vnd.docker.container.image.v1+json"')
LAYERS = f'"config": {BLOB}, "layers": [{BLOB}]'
MANIFESTS = '"manifests": []'


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b"{",
        b"[" * 200_000,
    ],
)
def test_what_is_not_plain_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(raw)


@pytest.mark.parametrize("name", ["Layers", "LAYERS", "layer\u017f"])
def test_a_field_that_go_takes_for_another_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="another spelling"):
        object_of({"layers": [], name: []}, "layers")


def test_names_that_are_not_fields_may_be_alike() -> None:
    assert object_of({"label": "a", "Label": "b"}) == {"label": "a", "Label": "b"}


@pytest.mark.parametrize("value", [None, 1, True, [], {}])
def test_a_text_is_nothing_else(value: object) -> None:
    with pytest.raises(ValueError, match="where a text should be"):
        text_of(value)
    with pytest.raises(ValueError, match="where a"):
        texts_of([value])


@pytest.mark.parametrize("value", [None, "ab", {"a": 1}, 1])
def test_a_list_is_nothing_else(value: object) -> None:
    with pytest.raises(ValueError, match="where a list should be"):
        list_of(value)


@pytest.mark.parametrize(
    ("fields", "content_type", "media_type"),
    [
        (f'"mediaType": "{IMAGE}", {LAYERS}', "", IMAGE),
        (f'"mediaType": "{IMAGE}", {LAYERS}', IMAGE, IMAGE),
        (f'"mediaType": "{IMAGE}", {LAYERS}', "text/plain", IMAGE),
        (LAYERS, f"{IMAGE}; charset=utf-8", IMAGE),
        (LAYERS, DOCKER_IMAGE, DOCKER_IMAGE),
        (LAYERS, "", IMAGE),
        (LAYERS, "application/json", IMAGE),
        (LAYERS.replace(BLOB, DOCKER_CONFIG), "", DOCKER_IMAGE),
        (MANIFESTS, INDEX, INDEX),
        (MANIFESTS, DOCKER_INDEX, DOCKER_INDEX),
        (MANIFESTS, "", INDEX),
    ],
)
def test_the_type_of_a_manifest_is_its_own_then_the_headers_then_that_of_its_fields(
    fields: str, content_type: str, media_type: str
) -> None:
    assert Manifest(f'{{"schemaVersion": 2, {fields}}}'.encode(), content_type).media_type == media_type


@pytest.mark.parametrize(
    ("fields", "content_type"),
    [
        (f"{LAYERS}, {MANIFESTS}", ""),
        (f'"mediaType": "{IMAGE}", {LAYERS}, {MANIFESTS}', IMAGE),
        (f'"mediaType": "{INDEX}", {LAYERS}', ""),
        (f'"mediaType": "{IMAGE}", {MANIFESTS}', ""),
        (f'"mediaType": "{IMAGE}", {LAYERS}', INDEX),
        (f'"mediaType": "{IMAGE}", {LAYERS}', DOCKER_IMAGE),
        (LAYERS, INDEX),
        (MANIFESTS, IMAGE),
        (f'"mediaType": "{IMAGE}", {LAYERS}, "Layers": []', ""),
        (f'"mediaType": "{IMAGE}", {LAYERS}, "layers": []', ""),
        (f'"mediaType": ["{IMAGE}"], {LAYERS}', ""),
        ('"fsLayers": [], "history": []', "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ('"mediaType": "application/vnd.example"', ""),
        ("", ""),
    ],
)
def test_a_manifest_that_clients_could_take_for_something_else_is_refused(fields: str, content_type: str) -> None:
    comma = ", " if fields else ""
    with pytest.raises(RegistryError, match=r"is neither an image nor an index|is not a valid manifest"):
        _ = Manifest(f'{{"schemaVersion": 2{comma}{fields}}}'.encode(), content_type).media_type
