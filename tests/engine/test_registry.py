"""Images from a real registry: Debian's docker-registry on the loopback."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagger
import pytest
from dagger import dag
from embedded_engine.host.errors import ReferenceInvalid
from embedded_engine.oci.skopeo import normalized

from tests.registry import running

#: bcrypt of the password "right", of this test's own user.
HTPASSWD = "user:$2b$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC\n"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that asks for no login."""
    with running(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="module")
async def pushed(engine: object, registry: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image in the registry, by tag."""
    image = dag.container().from_("bootstrap:auto").with_label("made", "here").with_env_variable("A", "1")
    image = image.with_exec(["sh", "-c", "echo kept >/kept"])
    return await _push(image, f"{registry}/team/image:1", tmp_path_factory.mktemp("pushed"))


async def _push(image: dagger.Container, reference: str, directory: Path, *options: str) -> str:
    """Put an image into a registry by skopeo, with options of its `copy`."""
    await image.export(str(directory / "image.tar"))
    argv = ["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false", *options]
    subprocess.run([*argv, f"oci-archive:{directory}/image.tar", f"docker://{reference}"], check=True)
    return reference


async def test_a_pulled_image_has_its_files_labels_and_variables(pushed: str) -> None:
    pulled = dag.container().from_(pushed)
    assert await pulled.with_exec(["cat", "/kept"]).stdout() == "kept\n"
    assert (await pulled.label("made"), await pulled.env_variable("A")) == ("here", "1")


async def test_a_tag_is_resolved_to_the_digest_that_the_registry_names(pushed: str) -> None:
    inspect = ["skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", f"docker://{pushed}"]
    digest = subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.strip()
    assert await dag.container().from_(pushed).image_ref() == f"{pushed}@{digest}"


async def test_an_image_in_the_store_needs_no_registry_when_it_is_named_by_digest(
    engine: object, pushed: str, tmp_path: Path
) -> None:
    reference = await dag.container().from_(pushed).image_ref()
    digest = reference.partition("@")[2]
    gone = f"127.0.0.1:1/team/image@{digest}"
    assert await dag.container().from_(gone).with_exec(["cat", "/kept"]).stdout() == "kept\n"


async def test_the_layers_of_a_pulled_image_are_exported_as_they_are(pushed: str, tmp_path: Path) -> None:
    child = dag.container().from_(pushed).with_new_file("/child", "x")
    await child.export(str(tmp_path / "child.tar"))
    layers = [_layers(f"docker://{pushed}"), _layers(f"oci-archive:{tmp_path / 'child.tar'}")]
    assert layers[1][: len(layers[0])] == layers[0]
    assert len(layers[1]) == len(layers[0]) + 1


def _layers(image: str) -> list[str]:
    inspect = ["skopeo", "inspect", "--tls-verify=false", "--format", "{{range .Layers}}{{println .}}{{end}}", image]
    return subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.split()


async def test_an_unknown_image_is_a_definite_no(pushed: str, registry: str) -> None:
    with pytest.raises(dagger.QueryError, match="The registry has no image") as caught:
        await dag.container().from_(f"{registry}/team/other:1").sync()
    assert caught.value.error.extensions["code"] == "IMAGE_UNKNOWN"


async def test_a_registry_that_wants_a_login_is_a_refusal(engine: object, tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    login = f"auth: {{htpasswd: {{realm: test, path: {tmp_path}/htpasswd}}}}\n"
    with running(tmp_path, login) as address, pytest.raises(dagger.QueryError, match="requires a login") as caught:
        await dag.container().from_(f"{address}/team/image:1").sync()
    assert caught.value.error.extensions["code"] == "REGISTRY_REFUSED"


@pytest.fixture
def locked(engine: object, tmp_path: Path) -> Iterator[str]:
    """A registry that requires a login."""
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    with running(tmp_path, f"auth: {{htpasswd: {{realm: test, path: {tmp_path}/htpasswd}}}}\n") as address:
        yield address


async def test_a_login_is_used_for_its_registry_and_forgotten_when_told(locked: str, tmp_path: Path) -> None:
    password = dag.set_secret("registry", "right")
    made = dag.container().with_new_file("/f", "x")
    for name in ("a/b:1", "a/b:2"):
        await _push(made, f"{locked}/{name}", tmp_path, "--dest-creds=user:right")
    image = dag.container().with_registry_auth(locked, "user", password)
    assert await image.from_(f"{locked}/a/b:1").file("/f").contents() == "x"
    with pytest.raises(dagger.QueryError, match="requires a login"):
        await image.without_registry_auth(locked).from_(f"{locked}/a/b:2").sync()


async def test_a_wrong_password_is_a_refusal_that_does_not_repeat_it(locked: str) -> None:
    password = dag.set_secret("registry-wrong", "wr0ng-password")
    with pytest.raises(dagger.QueryError, match="requires a login") as caught:
        await dag.container().with_registry_auth(locked, "user", password).from_(f"{locked}/a/b:1").sync()
    assert "wr0ng" not in str(caught.value)


async def test_of_an_image_for_several_platforms_the_one_that_is_asked_for_is_pulled(
    engine: object, registry: str, tmp_path: Path
) -> None:
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7")
    made = {each: dag.container(platform=dagger.Platform(each)).with_new_file("/arch", each) for each in platforms}
    await dag.container().export(str(tmp_path / "image.tar"), platform_variants=list(made.values()))
    name = f"{registry}/team/many:1"
    argv = ["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false"]
    subprocess.run([*argv, f"oci-archive:{tmp_path}/image.tar", f"docker://{name}"], check=True)
    for platform in platforms:
        pulled = dag.container(platform=dagger.Platform(platform)).from_(name)
        assert await pulled.file("/arch").contents() == platform
        assert await pulled.platform() == platform


async def test_of_two_variants_for_one_platform_the_last_one_is_taken(engine: object) -> None:
    one = dag.container().with_new_file("/f", "x")
    tarball = dag.container().as_tarball(platform_variants=[one, one.with_label("a", "b")])
    assert await dag.container().import_(tarball).label("a") == "b"


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ("ubuntu:22.04", "docker.io/library/ubuntu:22.04"),
        ("alpine:3", "docker.io/library/alpine:3"),
        ("team/image", "docker.io/team/image:latest"),
        ("localhost/image:1", "localhost/image:1"),
        ("registry.example:5000/a/b:1", "registry.example:5000/a/b:1"),
    ],
)
def test_a_reference_is_completed_as_docker_does(given: str, whole: str) -> None:
    assert normalized(given) == whole


@pytest.mark.parametrize("given", ["", "UPPER/case", "a b", "a:b:c", "image@sha256:123", "https://host/image", "../x"])
def test_what_is_no_reference_is_refused(given: str) -> None:
    with pytest.raises(ReferenceInvalid, match="is not an image reference"):
        normalized(given)
