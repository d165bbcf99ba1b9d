"""The policies: skopeo holds itself to its own, and the others say the same to clusters."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import ruamel.yaml
from embedded_engine.session import Session

from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import by_name
from pipeline.errors import SettingsError
from pipeline.registry.registry import Registry
from pipeline.release.push import Candidate, push_release
from pipeline.signing.policy import policies, policy_directory
from tests.conftest import CACHES
from tests.publish.conftest import Maker
from tests.trust.signing import TAGS, KeyPair, file, publish_signed, reference, replay
from tests.trust.skopeo import Skopeo, fetch

REGISTRY = "registry.example:5000/ska"
KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


@pytest.fixture(scope="session")
def skopeo(tmp_path_factory: pytest.TempPathFactory) -> Skopeo:
    """skopeo with Sigstore."""
    return fetch(CACHES, tmp_path_factory.mktemp("skopeo"))


@dataclass(frozen=True)
class Consumer:
    """A machine with the policy of a registry."""

    skopeo: Skopeo
    directory: Path
    registry: Registry

    def pull(self, image: str) -> str:
        """Pull an image; return why it was refused, and nothing where it was not."""
        policy = ("--policy", self.directory / "policy.json", "--registries.d", self.directory / "registries.d")
        source, target = f"docker://{self.registry.address}/{image}", f"dir:{self.directory / 'pulled'}"
        done = self.skopeo(*policy, "copy", "--quiet", "--src-tls-verify=false", source, target)
        return done.stderr if done.returncode else ""


@pytest.fixture
async def consumer(engine: Session, skopeo: Skopeo, registry: Registry, keys: KeyPair, tmp_path: Path) -> Consumer:
    """A machine that trusts the release's key."""
    made = await policy_directory(file(keys.public), {"registry": str(registry.address)})
    await made.export(str(tmp_path / "policy"))
    return Consumer(skopeo, tmp_path / "policy", registry)


@pytest.fixture
def images(release: Maker) -> list[Candidate]:
    """A release, not yet published."""
    return release()


async def test_what_is_signed_is_pulled(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair, consumer: Consumer
) -> None:
    await publish_signed(workbench, registry, images[:1], keys.signer, {})
    assert consumer.pull("ska-base:1.0.0") == ""
    assert consumer.pull(f"ska-base@{images[0].digest}") == ""


async def test_what_is_not_signed_is_not_pulled(
    registry: Registry, images: list[Candidate], consumer: Consumer
) -> None:
    await push_release(registry, TAGS, images[:1])
    assert "A signature was required, but no signature exists" in consumer.pull("ska-base:1.0.0")


async def test_what_another_key_signed_is_not_pulled(
    workbench: Build, registry: Registry, images: list[Candidate], other_keys: KeyPair, consumer: Consumer
) -> None:
    await publish_signed(workbench, registry, images[:1], other_keys.signer, {})
    assert "cryptographic signature verification failed" in consumer.pull("ska-base:1.0.0")


async def test_what_was_signed_under_another_name_is_not_pulled(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair, consumer: Consumer
) -> None:
    base = images[0]
    await publish_signed(workbench, registry, images[:1], keys.signer, {})
    elsewhere = Candidate("ska-python", None, base.digest, base.content)
    await push_release(registry, TAGS, [elsewhere])
    await replay(registry, reference(registry, base), reference(registry, elsewhere), "sig")
    assert "is not accepted" in consumer.pull("ska-python:1.0.0")


async def test_what_is_none_of_these_images_is_pulled_as_before(
    registry: Registry, images: list[Candidate], consumer: Consumer
) -> None:
    foreign = Candidate("foreign", None, images[0].digest, images[0].content)
    await push_release(registry, TAGS, [foreign])
    assert consumer.pull("foreign:1.0.0") == ""


@pytest.fixture
def documents() -> dict[str, Any]:
    """The policies of clusters, read."""
    yaml = ruamel.yaml.YAML(typ="safe")
    written = policies(REGISTRY, list(by_name()), KEY)
    return {name: yaml.load(text) for name, text in written.items() if name.endswith(".yaml")}


def test_kyverno_asks_a_signature_of_every_image(documents: dict[str, Any]) -> None:
    policy = documents["kyverno.yaml"]
    (rule,) = policy["spec"]["rules"]
    (verified,) = rule["verifyImages"]
    assert verified["imageReferences"] == [f"{REGISTRY}/{name}{how}" for name in by_name() for how in (":*", "@*")]
    (attestor,) = verified["attestors"]
    assert attestor["entries"][0]["keys"]["publicKeys"] == KEY.strip()
    assert (verified["required"], policy["spec"]["validationFailureAction"]) == (True, "Enforce")


def test_policy_controller_asks_a_signature_of_every_image(documents: dict[str, Any]) -> None:
    spec = documents["policy-controller.yaml"]["spec"]
    assert spec["images"] == [{"glob": f"{REGISTRY}/{name}*"} for name in by_name()]
    assert spec["authorities"][0]["key"]["data"] == KEY


@pytest.mark.parametrize(
    "key", ["", "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n", f"{KEY}x: y\n", "ssh-ed25519 AAAA"]
)
def test_what_is_no_public_key_is_refused(key: str) -> None:
    with pytest.raises(
        SettingsError, match=r"does not hold a public key in PEM; give cosign\.pub, and keep cosign\.key secret"
    ):
        policies(REGISTRY, ["ska-base"], key)
