"""The policies that demand notation's signatures: notation holds itself to its own."""

import json
import os
import subprocess
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
from pipeline.signing.policy import policy_directory
from pipeline.signing.trust_store import NotationTrust
from tests.publish.conftest import Maker
from tests.trust.authority import Authority, Issued, Stamps
from tests.trust.notary import Notary, publish_with_notation
from tests.trust.signing import TAGS, KeyPair, file, reference

REGISTRY = "registry.example:5000/ska"


async def written(directory: Path, trust: NotationTrust, registry: str = REGISTRY) -> Path:
    """Write the policies into a directory."""
    await (await policy_directory(None, {"registry": registry}, trust)).export(str(directory))
    return directory


def accepts(notation: Notary, policies: Path, target: str) -> str:
    """Verify an image as a consumer with these policies does; return why it was refused, and nothing if it was not."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(policies), "XDG_CONFIG_HOME": str(policies)}
    command = [str(notation.binary), "verify", "--verbose", "--insecure-registry", target]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


async def test_notation_accepts_what_is_signed_and_nothing_else(
    workbench: Build,
    registry: Registry,
    release: Maker,
    authority: Authority,
    releases: Issued,
    notation: Notary,
    tmp_path: Path,
) -> None:
    policies = await written(tmp_path / "policies", authority.trust(releases), str(registry.address))
    images = release()
    await publish_with_notation(workbench, registry, images[:1], releases.signer)
    assert accepts(notation, policies, str(reference(registry, images[0]))) == ""
    await publish_with_notation(workbench, registry, images[1:2], authority.issue("Somebody").signer)
    assert "Error: signature verification failed" in accepts(notation, policies, str(reference(registry, images[1])))
    await push_release(registry, TAGS, images[2:3])
    assert "no signature is associated with" in accepts(notation, policies, str(reference(registry, images[2])))
    foreign = Candidate("foreign", None, images[0].digest, images[0].content)
    await push_release(registry, TAGS, [foreign])
    assert "no applicable" in accepts(notation, policies, str(reference(registry, foreign)))


async def test_kyverno_demands_the_root_for_every_image(
    engine: Session, authority: Authority, releases: Issued, tmp_path: Path
) -> None:
    policy = _read((await written(tmp_path, authority.trust(releases))) / "kyverno-notation.yaml")[0]
    (rule,) = policy["spec"]["rules"]
    (verified,) = rule["verifyImages"]
    assert verified["type"] == "Notary"
    assert verified["imageReferences"] == [f"{REGISTRY}/{name}{how}" for name in by_name() for how in (":*", "@*")]
    (attestor,) = verified["attestors"]
    root = authority.root.certificate.read_text().strip()
    assert attestor["entries"][0]["certificates"]["cert"] == root
    assert (verified["required"], policy["spec"]["validationFailureAction"]) == (True, "Enforce")


async def test_ratify_has_notations_own_policy_and_certificates(
    engine: Session, authority: Authority, releases: Issued, stamps: Stamps, tmp_path: Path
) -> None:
    directory = await written(tmp_path, authority.trust(releases, stamps))
    verifier, *providers = _read(directory / "ratify.yaml")
    parameters = verifier["spec"]["parameters"]
    assert parameters["trustPolicyDoc"] == json.loads((directory / "notation/trustpolicy.json").read_text())
    named = [name for stores in parameters["verificationCertStores"].values() for name in stores["ska-base-images"]]
    assert named == [provider["metadata"]["name"] for provider in providers]
    values = [provider["spec"]["parameters"]["value"].strip() for provider in providers]
    assert values == [path.read_text().strip() for path in (authority.root.certificate, stamps.root)]


async def test_both_kinds_are_written_together(
    engine: Session, authority: Authority, releases: Issued, keys: KeyPair, tmp_path: Path
) -> None:
    made = await policy_directory(file(keys.public), {"registry": REGISTRY}, authority.trust(releases))
    await made.export(str(tmp_path))
    names = {path.name for path in tmp_path.iterdir()}
    assert {"cosign.pub", "kyverno.yaml", "notation", "kyverno-notation.yaml", "ratify.yaml"} <= names


async def test_a_policy_of_nobody_is_refused(engine: Session) -> None:
    with pytest.raises(SettingsError, match="give --key FILE for cosign, or --notation-root FILE and --notation-ident"):
        await policy_directory(None, {"registry": REGISTRY})


def _read(path: Path) -> list[dict[str, Any]]:
    return list(ruamel.yaml.YAML(typ="safe").load_all(path.read_text()))
