"""Files of an image, read from its layers: what a container of it would see."""

import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.index import Platform
from pipeline.registry.registry import Registry
from pipeline.release.content import read_archive
from pipeline.release.files import FileReader
from pipeline.release.published import Configuration, Published
from tests.publish.proxy import Proxy, other_content, reset_in_answer
from tests.publish.small_release import layer, write_archive


async def pushed(registry: Registry, directory: Path, *layers: bytes) -> Published:
    """Push an image of some layers, the lowest first, under no tag."""
    write_archive(directory / "image.tar", list(layers), {}, "2026-01-31T00:00:00Z")
    image = read_archive(directory / "image.tar")
    repository = registry.repository("image")
    for blob in image.manifest.blobs:
        await repository.push_blob(blob, image.blobs[blob.digest])
    return Published(repository, image.manifest, Configuration(Platform("linux", "amd64"), {}, ()))


@pytest.mark.parametrize(
    ("lower", "upper", "seen"),
    [
        ({"a": b"1"}, {"b": b"2"}, {"a": b"1", "b": b"2"}),
        ({"a": b"1"}, {"a": b"2"}, {"a": b"2"}),
        ({"d/a": b"1", "d/b": b"2"}, {"d/.wh.a": b""}, {"d/b": b"2"}),
        ({"d/a": b"1", "d/e/b": b"2"}, {".wh.d": b""}, {}),
        ({"d/a": b"1", "d/e/b": b"2", "x": b"3"}, {"d/.wh..wh..opq": b"", "d/c": b"4"}, {"d/c": b"4", "x": b"3"}),
        ({"d/a": b"1"}, {"d": b"2"}, {"d": b"2"}),
        ({"d": b"1"}, {"d/": b"", "d/a": b"2"}, {"d/a": b"2"}),
        ({"d/a": b"1"}, {"d/": b""}, {"d/a": b"1"}),
        ({"./d/a": b"1"}, {"d/.wh.a": b""}, {}),
    ],
)
async def test_an_upper_layer_covers_a_lower_one(
    registry: Registry,
    tmp_path: Path,
    lower: Mapping[str, bytes],
    upper: Mapping[str, bytes],
    seen: Mapping[str, bytes],
) -> None:
    image = await pushed(registry, tmp_path, layer(lower), layer(upper))
    assert await FileReader(lambda _: True).read(image) == seen


async def test_only_what_is_wanted_is_read(registry: Registry, tmp_path: Path) -> None:
    image = await pushed(registry, tmp_path, layer({"a": b"1", "b": b"2"}))
    assert await FileReader(lambda path: path == "b").read(image) == {"b": b"2"}


async def test_layers_below_what_was_looked_for_are_not_fetched(behind: Registry, proxy: Proxy, tmp_path: Path) -> None:
    image = await pushed(behind, tmp_path, layer({"a": b"1"}), layer({"b": b"2"}))
    proxy.seen.clear()
    await FileReader(lambda path: path == "b").read(image, enough=bool)
    assert len(proxy.seen) == 1


async def test_a_layer_of_two_images_is_fetched_once(behind: Registry, proxy: Proxy, tmp_path: Path) -> None:
    image = await pushed(behind, tmp_path, layer({"a": b"1"}))
    reader = FileReader(lambda _: True)
    proxy.seen.clear()
    assert await reader.read(image) == await reader.read(image)
    assert len(proxy.seen) == 1


async def test_a_layer_that_breaks_off_is_read_again(behind: Registry, proxy: Proxy, tmp_path: Path) -> None:
    image = await pushed(behind, tmp_path, layer({"a": bytes(1 << 20)}))
    proxy.plan(reset_in_answer, "GET", "/blobs/", times=2)
    assert await FileReader(lambda _: True).read(image) == {"a": bytes(1 << 20)}
    assert proxy.is_done


async def test_a_layer_that_the_registry_changed_is_refused(behind: Registry, proxy: Proxy, tmp_path: Path) -> None:
    image = await pushed(behind, tmp_path, layer({"a": b"1"}))
    proxy.plan(other_content, "GET", "/blobs/", times=99)
    with pytest.raises(RegistryError, match=r"sent content|cannot be read"):
        await FileReader(lambda _: True).read(image)


@pytest.mark.parametrize("damaged", [b"", b"no layer", layer({"a": bytes(1 << 20)})[:-20], layer({"a": b"1"})[:30]])
async def test_a_layer_that_is_none_is_refused(registry: Registry, tmp_path: Path, damaged: bytes) -> None:
    image = await pushed(registry, tmp_path, damaged)
    with pytest.raises(RegistryError, match=r"The layer sha256:\S+ of \S+ cannot be read"):
        await FileReader(lambda _: True).read(image)


async def test_an_uncompressed_layer_and_one_by_xz_are_read_too(registry: Registry, tmp_path: Path) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        member = tarfile.TarInfo("a")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"1"))
    for packed in (plain.getvalue(), lzma.compress(plain.getvalue())):
        image = await pushed(registry, tmp_path, packed)
        assert await FileReader(lambda _: True).read(image) == {"a": b"1"}
