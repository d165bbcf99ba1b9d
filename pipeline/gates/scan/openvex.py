"""The exceptions with which images passed, as OpenVEX for scanners of derived images.

Source: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md (version 0.2.0)
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pipeline.build.inputs import Build
from pipeline.gates.definition import GateResult
from pipeline.gates.scan.exemptions import Exemption
from pipeline.gates.scan.findings import ScanResult
from pipeline.statement import Predicate

#: The type of the predicate, and the document's context.
OPENVEX = "https://openvex.dev/ns/v0.2.0"
#: The name of the document of all images in the report's directory.
OPENVEX_FILE = "openvex.json"

#: A vulnerability in a package: its identifier, and the package URL with the version that was found.
_Place = tuple[str, str]


def openvex(scanned: Sequence[ScanResult], build: Build) -> dict[str, Any]:
    """Return the exceptions of some images as one document.

    A package is named with its version, so that no statement hides what a later version has. What one of the images
    has without an exception is left out, since a scanner cannot tell which of them an image is derived from.

    Args:
        scanned: the results of the images' scans.
        build: the settings of the build.
    """
    findings = [finding for result in scanned for finding in result.findings]
    open_places = {(one.vulnerability, one.purl) for one in findings if one.exemption is None}
    excepted: dict[Exemption, set[_Place]] = {}
    for one in findings:
        place = (one.vulnerability, one.purl)
        if one.exemption and place not in open_places:
            excepted.setdefault(one.exemption, set()).add(place)
    statements = [_statement(exemption, places) for exemption, places in excepted.items()]
    statements.sort(key=lambda statement: json.dumps(statement, sort_keys=True))
    settings = build.settings
    digest = hashlib.sha256(json.dumps(statements, sort_keys=True).encode()).hexdigest()
    return {
        "@context": OPENVEX,
        "@id": f"{settings.source}/-/releases/{settings.version}#openvex-{digest[:16]}",
        "author": settings.vendor or settings.team,
        "timestamp": settings.created,
        "version": 1,
        "statements": statements,
    }


def with_exceptions(result: GateResult, scanned: ScanResult, build: Build) -> GateResult:
    """Add the statement about an image's exceptions to the result of its scan; an image without any has none."""
    document = openvex([scanned], build)
    if not document["statements"]:
        return result
    return replace(result, predicates=(*result.predicates, Predicate(OPENVEX, document)))


def _statement(exemption: Exemption, places: Iterable[_Place]) -> dict[str, Any]:
    return {
        "vulnerability": {"name": exemption.vulnerability},
        "products": [{"@id": purl} for purl in sorted({purl for _, purl in places})],
        "status": "not_affected",
        "justification": exemption.justification,
        "status_notes": exemption.notes,
    }
