"""Makes SBOMs reproducible: the same image has the same SBOM, byte for byte.

Trivy writes the time, random names and the archive's path into an SBOM; here they are replaced by values of the image.
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
    """The image that an SBOM describes.

    Args:
        name: the image's name.
        digest: the digest of the image's manifest.
        created: the time of the build, ISO 8601, UTC.
        source: the URL of the image's source code.
    """

    name: str
    digest: str
    created: str
    source: str

    @property
    def purl(self) -> str:
        """https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md"""
        return PackageURL("oci", None, self.name, self.digest).to_string()

    def uuid(self, element: str) -> str:
        """Return the UUID of an element of the SBOM, always the same for the same image."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.purl} {self.created} {element}"))


def fixed_cyclonedx(text: str, image: Described) -> str:
    """Return Trivy's SBOM in CycloneDX, made reproducible: https://cyclonedx.org/docs/1.7/json/"""
    document = json.loads(text)
    document["serialNumber"] = f"urn:uuid:{image.uuid('CycloneDX')}"
    document["metadata"]["timestamp"] = image.created
    # Trivy looked for no vulnerability here; an empty list would claim that it found none.
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
                "ref": names.get(entry["ref"], entry["ref"]),
                "dependsOn": sorted(names.get(name, name) for name in entry["dependsOn"]),
            }
            for entry in document["dependencies"]
        ),
        key=lambda entry: entry["ref"],
    )
    return _written(document)


def fixed_spdx(text: str, image: Described) -> str:
    """Return Trivy's SBOM in SPDX, made reproducible: https://spdx.github.io/spdx-spec/v2.3/"""
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
    document["relationships"].sort(key=lambda relationship: sorted(relationship.items()))
    for field in ("packages", "files"):
        document.get(field, []).sort(key=lambda element: element["SPDXID"])
    return _written(document)


def _names(components: Iterable[Mapping[str, Any]], image: Described) -> dict[str, str]:
    """Return a name for each component with a random one, made from its other fields and a number if two are alike."""
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
