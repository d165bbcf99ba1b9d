"""A platform has one name, whoever writes it."""

import pytest
from embedded_engine.oci.documents import ImageConfig
from embedded_engine.oci.platforms import normalized


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (("amd64",), ("amd64", "")),
        (("amd64", "v1"), ("amd64", "")),
        (("amd64", "v3"), ("amd64", "v3")),
        (("x86_64",), ("amd64", "")),
        (("x86-64",), ("amd64", "")),
        (("i386",), ("386", "")),
        (("arm64", "v8"), ("arm64", "")),
        (("aarch64", "8"), ("arm64", "")),
        (("arm64", "v9"), ("arm64", "v9")),
        (("arm",), ("arm", "v7")),
        (("arm", "v6"), ("arm", "v6")),
        (("armhf",), ("arm", "v7")),
        (("armel",), ("arm", "v6")),
        (("riscv64",), ("riscv64", "")),
    ],
)
def test_a_platform_is_known_by_one_name(given: tuple[str, ...], known: tuple[str, str]) -> None:
    assert normalized(*given) == known


def test_an_image_for_a_variant_that_all_processors_have_runs_on_all() -> None:
    config = ImageConfig.from_json({"architecture": "arm64", "os": "linux", "variant": "v8"})
    assert config.platform == "linux/arm64"
    assert config.to_json() == {"architecture": "arm64", "os": "linux", "config": {}}
