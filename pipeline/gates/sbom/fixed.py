"""SBOMs without chance: the same image has the same SBOM, byte for byte.

Trivy writes the moment, random names and the place of the archive into each; here they follow from the image.
"""

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packageurl import PackageURL

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IMAGE = "SPDXRef-ContainerImage"


@dataclass(frozen=True)
class Described:
    """The image that an SBOM is of.

    Args:
        name: of the image.
        digest: of its manifest.
        created: the moment of its build, ISO 8601, UTC.
        source: where its source code is, a URL.
    """

    name: str
    digest: str
    created: str
    source: str

    @property
    def purl(self) -> str:
        """https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md"""
        return PackageURL("oci", None, self.name, self.digest).to_string()

    def uuid(self, what: str) -> str:
        """Return the UUID of something in its SBOM: always the same one."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.purl} {self.created} {what}"))


def fixed_cyclonedx(text: str, image: Described) -> str:
    """Return Trivy's SBOM in CycloneDX as it always is for this image: https://cyclonedx.org/docs/1.7/json/"""
    document = json.loads(text)
    document["serialNumber"] = f"urn:uuid:{image.uuid('CycloneDX')}"
    document["metadata"]["timestamp"] = image.created
    # Nothing was looked for, and an empty list would read as if nothing had been found.
    document.pop("vulnerabilities", None)
    root = document["metadata"]["component"]
    names = {root["bom-ref"]: image.purl, **_names(document["components"], image)}
    root |= {"name": image.name, "version": image.digest, "purl": image.purl}
    for component in (root, *document["components"]):
        component["bom-ref"] = names.get(component["bom-ref"], component["bom-ref"])
    document["components"].sort(key=lambda component: component["bom-ref"])
    document["dependencies"] = sorted(
        (
            {
                "ref": names.get(one["ref"], one["ref"]),
                "dependsOn": sorted(names.get(on, on) for on in one["dependsOn"]),
            }
            for one in document["dependencies"]
        ),
        key=lambda one: one["ref"],
    )
    return _written(document)


def fixed_spdx(text: str, image: Described) -> str:
    """Return Trivy's SBOM in SPDX as it always is for this image: https://spdx.github.io/spdx-spec/v2.3/"""
    document = json.loads(text)
    document["name"] = image.name
    document["documentNamespace"] = f"{image.source}/sbom/{image.name}-{image.uuid('SPDX')}"
    document["creationInfo"]["created"] = image.created
    for package in document["packages"]:
        if package["primaryPackagePurpose"] == "CONTAINER":
            names = {package["SPDXID"]: _IMAGE}
            package |= {"name": image.name, "SPDXID": _IMAGE, "versionInfo": image.digest, **_reference(image)}
        for annotation in package.get("annotations", ()):
            annotation["annotationDate"] = image.created
    for relationship in document["relationships"]:
        for end in ("spdxElementId", "relatedSpdxElement"):
            relationship[end] = names.get(relationship[end], relationship[end])
    document["relationships"].sort(key=lambda one: sorted(one.items()))
    for listed in ("packages", "files"):
        document.get(listed, []).sort(key=lambda one: one["SPDXID"])
    return _written(document)


def _names(components: Iterable[Mapping[str, Any]], image: Described) -> dict[str, str]:
    """Return a name for each that has a random one: from all else that it holds, and a number where two are alike."""
    alike = defaultdict(list)
    for component in components:
        if _UUID.fullmatch(component["bom-ref"]):
            facts = {key: value for key, value in component.items() if key != "bom-ref"}
            alike[json.dumps(facts, sort_keys=True)].append(component["bom-ref"])
    return {
        name: image.uuid(f"{number} {facts}") for facts, names in alike.items() for number, name in enumerate(names)
    }


def _reference(image: Described) -> dict[str, Any]:
    kind = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl"}
    return {"externalRefs": [{**kind, "referenceLocator": image.purl}]}


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
