"""The whole way of a release through the real command line: published, used, promoted, verified, described."""

import asyncio
import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.gates.definition import TEST_RESULT
from pipeline.gates.scan.scanned import VULNERABILITIES
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.push import published_digests, push_release
from pipeline.release.tags import Tags
from tests.built_images import OF_ONE_LINE
from tests.conftest import Built
from tests.consumers.conftest import Client, call
from tests.consumers.releaser import LOGIN, Releaser, by_digest
from tests.consumers.test_dockerfiles import COMMANDS, DOCKERFILES
from tests.publish.small_release import Recipe, make
from tests.publish.test_login import HTPASSWD, PASSWORD, USER
from tests.registry import running
from tests.trust.authority import Authority
from tests.trust.databases import CRITICAL, NOT_HERE
from tests.trust.databases import make as make_database
from tests.trust.signing import PASSWORD as KEY_PASSWORD
from tests.trust.signing import KeyPair, Program, cosign, keys
from tests.trust.test_sign import CLOSED

__all__ = ["cosign", "keys"]

ROOT = Path(__file__).parents[2]
NAMES = list(OF_ONE_LINE)
#: Of every program of a client: who it is.
CREDENTIALS = f"{USER}:{PASSWORD}"


@pytest.fixture(scope="module")
def releaser(
    built: Built, store: Path, tools: Path, keys: KeyPair, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Releaser]:
    """The checkout and the registry."""
    directory = tmp_path_factory.mktemp("releases")
    checkout = directory / "checkout"
    shutil.copytree(ROOT / "pipeline", checkout / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", checkout)
    version, created = built.report["version"], built.report["created"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    (checkout / "CHANGELOG.md").write_text(changelog.replace(f"[{version}] - unreleased", f"[{version}] - 2026-01-31"))
    (directory / "htpasswd").write_text(HTPASSWD)
    with running(directory, f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n") as host:
        database = make_database(directory / "database", *NOT_HERE)
        authority = Authority(directory / "authority", "Observatory")
        signers = (keys, authority.issue("Releases"), authority.root.certificate)
        yield Releaser(checkout, store, host, version, created, tools, database, *signers)


@pytest.fixture(scope="module")
def published(releaser: Releaser) -> dict[str, Any]:
    """The document of the release, published by the command."""
    output = releaser.checkout / "release.json"
    done = releaser.publish("-o", output)
    document = json.loads(output.read_text())
    lines = [image["reference"] for image in document["images"]]
    closing = f"{len(NAMES)} of {len(NAMES)} images published as {releaser.version}."
    assert done.stdout.splitlines() == [*lines, "", closing]
    return dict(document)


def digests(document: dict[str, Any]) -> dict[str, str]:
    return {image["name"]: image["digest"] for image in document["images"]}


def test_what_is_published_is_what_was_built(published: dict[str, Any], built: Built) -> None:
    assert digests(published) == {image["name"]: image["digest"] for image in built.report["images"]}


@pytest.mark.parametrize("name", NAMES)
def test_skopeo_pulls_an_image_by_the_reference_of_the_document(
    releaser: Releaser, published: dict[str, Any], name: str, tmp_path: Path
) -> None:
    (image,) = [image for image in published["images"] if image["name"] == name]
    call(
        "skopeo",
        "copy",
        "--quiet",
        "--src-tls-verify=false",
        f"--src-creds={CREDENTIALS}",
        f"docker://{by_digest(image['reference'])}",
        f"oci:{tmp_path}:x",
    )
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["manifests"][0]["digest"] == image["digest"]


@pytest.mark.parametrize("name", NAMES)
def test_buildah_pulls_an_image_and_starts_it(
    releaser: Releaser, published: dict[str, Any], client: Client, name: str
) -> None:
    reference = f"{releaser.host}/ska/{name}:{releaser.version}"
    client.buildah("pull", "--quiet", "--tls-verify=false", f"--creds={CREDENTIALS}", reference)
    assert client.run(reference, "nonroot", "id", "-u") == "65532\n"


def test_an_application_is_built_from_the_registry(
    releaser: Releaser, published: dict[str, Any], client: Client
) -> None:
    registry = f"{releaser.host}/ska"
    for name in ("ska-build-python", "ska-python"):
        reference = f"{registry}/{name}:{releaser.version}"
        client.buildah("pull", "--quiet", "--tls-verify=false", f"--creds={CREDENTIALS}", reference)
        client.configure(name, reference)
    project = DOCKERFILES / "python-poetry"
    arguments = ("--build-arg", f"REGISTRY={registry}", "--build-arg", f"VERSION={releaser.version}")
    client.build(project / "Dockerfile", project, "from-registry", *arguments)
    command, printed = COMMANDS[project.name]
    assert client.run("from-registry", "nonroot", "sh", "-c", command) == printed


@pytest.fixture
def source(tmp_path: Path) -> tuple[str | Path, ...]:
    """The words that build an application."""
    project = shutil.copytree(DOCKERFILES / "python-poetry", tmp_path / "project")
    keys = ("team", "url", "source")
    with (project / "pyproject.toml").open("a") as file:
        file.write("\n".join(("", "[tool.ska-images.app]", *(f'{key} = "https://readings.example"' for key in keys))))
    return ("--source", project, "--entrypoint", "python -m my_project", "--allow-stand-in-base")


@pytest.mark.usefixtures("published")
def test_no_application_stands_on_a_release_of_another_key(
    releaser: Releaser, source: tuple[str | Path, ...], tmp_path: Path
) -> None:
    private, public = tmp_path / "other.key", tmp_path / "other.pub"
    call("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private)
    call("openssl", "ec", "-in", private, "-pubout", "-out", public)
    release = ("--registry", f"{releaser.host}/ska", "--release", releaser.version, "--key", public)
    done = releaser.run("build-app", *source, *release, *LOGIN, "-o", tmp_path / "app.tar", code=2)
    assert "failed verification (signature" in done.stderr
    assert not (tmp_path / "app.tar").exists()


@pytest.mark.usefixtures("published")
def test_no_application_stands_on_a_release_of_which_a_required_kind_of_signature_is_not_verified(
    releaser: Releaser, source: tuple[str | Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKA_REQUIRE_SIGNATURES", "notation")
    release = ("--registry", f"{releaser.host}/ska", "--release", releaser.version, "--key", releaser.keys.public)
    done = releaser.run("build-app", *source, *release, *LOGIN, "-o", tmp_path / "app.tar", code=2)
    assert "a signature of notation is required" in done.stderr
    assert not (tmp_path / "app.tar").exists()


def test_what_a_gate_refuses_is_not_published(releaser: Releaser, tmp_path: Path) -> None:
    database = make_database(tmp_path / "database", CRITICAL)
    place = ("--to", f"{releaser.host}/refused", "--vulnerability-db-directory", database)
    done = releaser.publish(*place, code=2)
    assert CRITICAL.id in done.stderr
    assert not (releaser.checkout.parent / "blobs/docker/registry/v2/repositories/refused").exists()


def test_all_that_was_found_is_attested(releaser: Releaser, published: dict[str, Any], cosign: Program) -> None:
    login = ("--registry-username", USER, "--registry-password", PASSWORD)
    for kind in ("cyclonedx", "spdxjson", "slsaprovenance1", TEST_RESULT, VULNERABILITIES):
        for image in published["images"]:
            target = by_digest(image["reference"])
            done = cosign("verify-attestation", "--key", releaser.keys.public, CLOSED, *login, "--type", kind, target)
            assert done.returncode == 0, done.stderr


def test_publishing_again_changes_nothing_and_says_so(releaser: Releaser, published: dict[str, Any]) -> None:
    done = releaser.publish()
    last = done.stdout.splitlines()[-1]
    assert last == f"Nothing to publish: {releaser.version} exists with the same content."


async def test_another_content_under_the_version_is_refused(
    releaser: Releaser, published: dict[str, Any], tmp_path: Path
) -> None:
    others = make(tmp_path, Recipe(f"{releaser.host}/other", releaser.version, created=releaser.created))
    access = Access(USER, SecretStr(PASSWORD))
    async with open_registry(parse_address(f"{releaser.host}/other"), access) as registry:
        await push_release(registry, Tags(releaser.version), others)
        done = await asyncio.to_thread(releaser.publish, "--to", f"{releaser.host}/other", code=2)
        assert f"is published as {others[0].digest}, but this build" in done.stderr
        assert digests(published)["ska-base"] in done.stderr
        assert await published_digests(registry, releaser.version, NAMES) == {one.name: one.digest for one in others}


@pytest.fixture(scope="module")
def promoted(releaser: Releaser, published: dict[str, Any]) -> dict[str, Any]:
    """The document of the same release in another place."""
    places = ("--from", f"{releaser.host}/ska", "--to", f"{releaser.host}/production", "--allow-stand-in-base")
    logins = [word for side in ("from", "to") for word in (f"--{side}-username", USER, f"--{side}-password", LOGIN[-1])]
    done = releaser.run("--json", "promote", "--tag", releaser.version, *places, *logins, *releaser.signer)
    return dict(json.loads(done.stdout))


def test_promoting_keeps_the_digests(promoted: dict[str, Any], published: dict[str, Any]) -> None:
    assert digests(promoted) == digests(published)


@pytest.mark.parametrize("name", NAMES)
def test_a_promoted_image_is_verified(releaser: Releaser, promoted: dict[str, Any], name: str) -> None:
    reference = f"{releaser.host}/production/{name}:{releaser.version}"
    done = releaser.run("verify", "--reference", reference, "--allow-stand-in-base", *LOGIN, *releaser.trusted)
    first, *facts = done.stdout.splitlines()
    assert first == f"{reference}@{digests(promoted)[name]}"
    assert [fact.split()[0] for fact in facts] == ["verified"] * 7


@pytest.fixture
def application(releaser: Releaser, promoted: dict[str, Any], source: tuple[str | Path, ...]) -> str:
    """An application on the promoted release, published."""
    reference = f"{releaser.host}/apps/my-project:0.1.0"
    release = ("--registry", f"{releaser.host}/production", "--release", releaser.version, *releaser.trusted)
    login = ("--address", reference, "--username", USER, "--secret", LOGIN[-1])
    built = ("build-app", *source, *release, *LOGIN)
    return releaser.run(*built, "with-registry-auth", *login, "publish", "--address", reference).stdout.strip()


def stale(releaser: Releaser, application: str, code: int) -> dict[str, Any]:
    """Return what `stale` says of an application."""
    production = ("--registry", f"{releaser.host}/production")
    done = releaser.run("--json", *production, "stale", "--reference", application, *LOGIN, code=code)
    (found,) = json.loads(done.stdout)["images"]
    return dict(found)


def test_an_application_on_a_release_is_fresh_until_there_is_a_newer_one(
    releaser: Releaser, promoted: dict[str, Any], application: str
) -> None:
    digest = digests(promoted)["ska-python"]
    target = f"docker://{by_digest(application)}"
    labels = json.loads(call("skopeo", "inspect", "--tls-verify=false", f"--creds={CREDENTIALS}", target))["Labels"]
    assert labels["org.opencontainers.image.base.digest"] == digest
    assert labels["int.skao.image.baseImage"].startswith(f"{releaser.host}/production/ska-python")
    fresh = stale(releaser, application, 0)
    stands_on = f"{releaser.host}/production/ska-python:{releaser.version}@{digest}"
    assert (fresh["state"], fresh["stands_on"]) == ("fresh", stands_on)
    newer = releaser.next_version()
    done = newer.publish("--to", f"{releaser.host}/production")
    references = done.stdout.splitlines()[: len(NAMES)]
    found = stale(releaser, application, 10)
    assert (found["state"], found["reasons"]) == ("stale", [f"{newer.version} is newer than {releaser.version}"])
    assert [(one["package"], one["before"]) for one in found["packages"]] == [("fonts-dejavu-core", "")]
    for reference in references:
        newer.run("verify", "--reference", reference, "--allow-stand-in-base", *LOGIN, *releaser.trusted)


def test_an_image_on_a_stand_in_base_is_not_verified_unasked(releaser: Releaser, promoted: dict[str, Any]) -> None:
    reference = f"{releaser.host}/production/ska-python:{releaser.version}"
    done = releaser.run("verify", "--reference", reference, *LOGIN, code=2)
    assert "FAILED        base          bootstrap:" in done.stderr


def test_the_packages_of_real_images_are_compared(releaser: Releaser, promoted: dict[str, Any]) -> None:
    places = ("--registry", f"{releaser.host}/production", "--from", releaser.version, "--to", releaser.version)
    done = releaser.run("release-notes", *places, *LOGIN)
    assert done.stdout.startswith(f"# From {releaser.version} to {releaser.version}\n")
    assert done.stdout.count("\nNothing.\n") == len(NAMES)


def test_no_command_line_log_document_or_file_holds_a_password_or_the_key(
    releaser: Releaser, published: dict[str, Any], promoted: dict[str, Any]
) -> None:
    assert any(b"embedded_engine" in command for command in releaser.commands)
    keys = [path.read_text().splitlines()[1] for path in (releaser.keys.private, releaser.certificate.key)]
    secrets = [PASSWORD, base64.b64encode(CREDENTIALS.encode()).decode(), KEY_PASSWORD, *keys]
    for secret in secrets:
        assert not [command for command in releaser.commands if secret.encode() in command]
        assert secret not in "".join(releaser.output)
    # The registry's log is no place of ours; what was built before has the digests that it had.
    changed = ("-type", "f", "-cnewer", releaser.checkout / "CHANGELOG.md")
    patterns = [word for secret in secrets for word in ("-e", secret)]
    search = ("-exec", "grep", "--files-with-matches", "--fixed-strings", *patterns, "{}", "+")
    assert call("find", releaser.store, releaser.checkout, *changed, "-name", "*.json", "-print")
    found = subprocess.run(
        ["find", releaser.store, releaser.checkout, *changed, *search], capture_output=True, check=False
    )
    assert found.stdout == b""


def test_a_password_as_plain_text_is_refused_and_not_repeated(releaser: Releaser) -> None:
    words = ("publish", "--tag", releaser.version, "--registry", f"{releaser.host}/no", "--username", USER)
    done = releaser.run(*words, "--password", "a-plain-password", code=2)
    assert done.stderr.splitlines()[-1] == (
        "Error: --password takes a secret as env://NAME or file://PATH, never as plain text."
    )
    assert "a-plain-password" not in done.stdout + done.stderr
