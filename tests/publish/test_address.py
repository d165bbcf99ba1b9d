"""Names of registries and images."""

import pytest

from pipeline.errors import SettingsError
from pipeline.registry.address import Address, parse_address, parse_image, parse_reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("artefact.skao.int", "artefact.skao.int", ""),
        ("harbor.skao.int/staging", "harbor.skao.int", "staging"),
        ("localhost/x", "localhost", "x"),
        ("registry:5000/a/b", "registry:5000", "a/b"),
    ],
)
def test_a_registry_has_a_host_and_a_path(text: str, host: str, path: str) -> None:
    assert parse_address(text) == Address(host, path)
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not begin with a host; write HOST"),
        ("team/images", "does not begin with a host"),
        ("/images", "does not begin with a host"),
        ("UPPER.example", "does not begin with a host"),
        ("user@host.example", "does not begin with a host"),
        ("https://host.example/x", r"has a scheme; write it without: 'host\.example/x'"),
        ("host.example/../x", r"The path '\.\./x' of the registry .* is not valid"),
        ("host.example/a/../../b", "is not valid"),
        ("host.example//a", "is not valid"),
        ("host.example/a/", "is not valid"),
        ("host.example/A", "is not valid"),
        ("host.example/a:1", "is not valid"),
        ("host.example/a\n", "is not valid"),
    ],
)
def test_what_is_no_registry_is_refused_with_the_remedy(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        parse_address(text)


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1:5000", True),
        ("localhost", True),
        ("127.1.2.3", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_this_machine_is_known(host: str, is_loopback: bool) -> None:
    assert Address(host).is_loopback == is_loopback


@pytest.mark.parametrize("text", ["h.example/a/b:1.2.3", f"h.example/b@{DIGEST}", f"localhost:5000/b:1@{DIGEST}"])
def test_a_reference_is_read_and_written(text: str) -> None:
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "b:1", "h.example/b", "h.example/b:", "h.example/b@", "h.example/b@sha256:12", "h.example/b:a b"],
)
def test_what_names_no_published_image_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("ubuntu:22.04", "registry-1.docker.io/library/ubuntu:22.04"),
        ("team/image:1", "registry-1.docker.io/team/image:1"),
        ("docker.io/library/ubuntu:22.04", "registry-1.docker.io/library/ubuntu:22.04"),
        (f"ubuntu:22.04@{DIGEST}", f"registry-1.docker.io/library/ubuntu:22.04@{DIGEST}"),
        ("h.example/a/b:1", "h.example/a/b:1"),
    ],
)
def test_a_base_is_completed_as_docker_does(text: str, whole: str) -> None:
    assert str(parse_image(text)) == whole
