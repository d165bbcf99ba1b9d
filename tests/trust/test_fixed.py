"""What Trivy leaves to chance does not reach an SBOM."""

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.gates.sbom.fixed import Described, fixed_cyclonedx, fixed_spdx
from pipeline.gates.sbom.inventory import Package, of_purl

IMAGE = Described("ska-base", f"sha256:{'0' * 64}", "2026-01-31T00:00:00Z", "https://example.org/images")


def _cyclonedx(seed: int) -> str:
    """Write as Trivy does: names, moment, order and place differ from one run to the next."""
    chance = random.Random(seed)
    names = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(5)]
    alike = {"type": "library", "name": "pip", "version": "26.0", "purl": "pkg:pypi/pip@26.0"}
    components: list[dict[str, Any]] = [
        {"bom-ref": names[1], "type": "operating-system", "name": "debian"},
        {"bom-ref": names[2], **alike},
        {"bom-ref": names[3], **alike},
        {"bom-ref": names[4], **alike, "properties": [{"name": "FilePath", "value": "opt"}]},
        {"bom-ref": "pkg:deb/debian/bash@5.2", "type": "library", "name": "bash"},
    ]
    dependencies = [
        {"ref": names[0], "dependsOn": sorted(names[1:])},
        {"ref": names[1], "dependsOn": ["pkg:deb/debian/bash@5.2"]},
    ]
    chance.shuffle(components)
    chance.shuffle(dependencies)
    root = {"bom-ref": names[0], "type": "container", "name": f"/tmp/{seed}"}
    moment = {"timestamp": f"2026-01-{seed + 1:02}T00:00:00Z", "component": root}
    named = {"serialNumber": f"urn:uuid:{names[0]}", "metadata": moment, "vulnerabilities": []}
    return json.dumps({**named, "components": components, "dependencies": dependencies})


def _spdx(seed: int) -> str:
    chance = random.Random(seed)
    image, moment = f"SPDXRef-ContainerImage-{seed}", f"2026-01-{seed + 1:02}T00:00:00Z"
    annotations = [{"annotationDate": moment}]
    packages = [
        {"SPDXID": image, "name": f"/tmp/{seed}", "primaryPackagePurpose": "CONTAINER", "annotations": annotations},
        {"SPDXID": "SPDXRef-Package-1", "name": "bash", "primaryPackagePurpose": "LIBRARY", "annotations": annotations},
    ]
    relationships = [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": image, "relationshipType": "DESCRIBES"},
        {"spdxElementId": image, "relatedSpdxElement": "SPDXRef-Package-1", "relationshipType": "CONTAINS"},
    ]
    chance.shuffle(packages)
    chance.shuffle(relationships)
    named = {
        "name": f"/tmp/{seed}",
        "documentNamespace": f"http://trivy.dev/{seed}",
        "creationInfo": {"created": moment},
    }
    return json.dumps({**named, "packages": packages, "relationships": relationships})


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif value:
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


@pytest.mark.parametrize("seed", range(1, 6))
def test_cyclonedx_does_not_depend_on_chance(seed: int) -> None:
    assert fixed_cyclonedx(_cyclonedx(seed), IMAGE) == fixed_cyclonedx(_cyclonedx(0), IMAGE)


@pytest.mark.parametrize("seed", range(1, 6))
def test_spdx_does_not_depend_on_chance(seed: int) -> None:
    assert fixed_spdx(_spdx(seed), IMAGE) == fixed_spdx(_spdx(0), IMAGE)


def test_components_keep_names_of_their_own() -> None:
    document = json.loads(fixed_cyclonedx(_cyclonedx(0), IMAGE))
    names = [one["bom-ref"] for one in (document["metadata"]["component"], *document["components"])]
    assert len(set(names)) == 6
    assert {on for one in document["dependencies"] for on in (one["ref"], *one["dependsOn"])} == set(names)


def test_nothing_is_said_of_vulnerabilities_that_nobody_looked_for() -> None:
    assert "vulnerabilities" not in json.loads(fixed_cyclonedx(_cyclonedx(0), IMAGE))


def test_another_image_has_other_names() -> None:
    other = Described("ska-base", f"sha256:{'1' * 64}", IMAGE.created, IMAGE.source)
    for fixed, text in ((fixed_cyclonedx, _cyclonedx(0)), (fixed_spdx, _spdx(0))):
        one, two = (json.loads(fixed(text, image)) for image in (IMAGE, other))
        key = "serialNumber" if "serialNumber" in one else "documentNamespace"
        assert one[key] != two[key]


def test_an_sbom_names_its_image_by_digest() -> None:
    purl = f"pkg:oci/ska-base@sha256:{'0' * 64}"
    for fixed, text in ((fixed_cyclonedx, _cyclonedx(0)), (fixed_spdx, _spdx(0))):
        assert purl in set(_strings(json.loads(fixed(text, IMAGE))))


@pytest.mark.parametrize(
    ("purl", "package"),
    [
        (
            "pkg:deb/debian/bash@5.2.15-2%2Bb13?arch=amd64&distro=debian-12",
            Package("deb", "bash", "5.2.15-2+b13", "amd64"),
        ),
        ("pkg:deb/ubuntu/libstdc%2B%2B6@12.3?arch=amd64&epoch=1", Package("deb", "libstdc++6", "1:12.3", "amd64")),
        ("pkg:pypi/jaraco.classes@3.4.0", Package("pypi", "jaraco-classes", "3.4.0")),
        ("pkg:golang/example.org/x@v1", Package("golang", "x", "v1")),
    ],
)
def test_a_package_url_names_a_package(purl: str, package: Package) -> None:
    assert of_purl(purl) == package
