"""Verifies the statements about an image of a release: it passed every gate, and the statements agree.

Each statement must have the form in which the pipeline writes it (gates, `provenance`); anything else is a failure.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from pipeline.errors import VerificationError
from pipeline.evidence.provenance import BUILD_TYPE, OWN_MACHINE, PREDICATE
from pipeline.evidence.results import OF_A_RELEASE
from pipeline.gates.audit.audited import NO_PROFILE
from pipeline.gates.definition import PASSED, TEST_RESULT, WARNED
from pipeline.gates.sbom.gate_sbom import CYCLONEDX, SPDX
from pipeline.gates.scan.findings import Policy
from pipeline.gates.scan.scan_statement import read_scan
from pipeline.gates.scan.scanned import VULNERABILITIES
from pipeline.registry.address import DIGEST
from pipeline.signing.attestation import Attestation
from pipeline.statement import digest_set
from pipeline.strict import list_of, object_of, parse_json, text_of, texts_of

T = TypeVar("T")

_RUNNER = re.compile(r"https://\S+/-/runners/[0-9]+")

#: The prefix of an audit's rules in tools.TOOLS.
RULES = "ssg-"


@dataclass(frozen=True)
class Expected:
    """The facts that an image's statements must agree with.

    Args:
        image: the image's name.
        digest: the digest of its manifest, sha256:….
        version: the release's version.
        created: the time of its build, ISO 8601, UTC.
        tags: the image's tags, including the version.
        source: the URL of its source code.
        parent: the name of its parent; None for the first image.
        built_from: the reference of its parent or base.
        policy: decides which vulnerabilities block a release.
    """

    image: str
    digest: str
    version: str
    created: str
    tags: tuple[str, ...]
    source: str
    parent: str | None
    built_from: str
    policy: Policy


@dataclass(frozen=True)
class Origins:
    """An image's origins by its provenance.

    Args:
        base: the reference of the base, with its digest if it has one.
        parent: the digest of the parent's manifest; empty for the first image.
        builder: the URI of the builder.
    """

    base: str
    parent: str
    builder: str


def judge(attestations: Sequence[Attestation], expected: Expected) -> Origins:
    """Verify the statements about an image of a release, and return its origins.

    Args:
        attestations: all signed statements about the image.
        expected: the facts that they must agree with.

    Raises:
        VerificationError: a statement is missing, duplicate, about something else, or states a failure.
    """
    found: dict[str, list[Any]] = {type_: [] for type_ in OF_A_RELEASE}
    for attestation in attestations:
        # Further types may be signed; nothing is concluded from them.
        found.setdefault(attestation.type, []).append(_read(attestation))
    _held("test result", lambda: _test_results(found[TEST_RESULT], expected.created))
    _held("scan", lambda: _scan(_only(found[VULNERABILITIES]), expected.policy))
    _held("SBOM in CycloneDX", lambda: _cyclonedx(_only(found[CYCLONEDX]), expected))
    _held("SBOM in SPDX", lambda: _spdx(_only(found[SPDX]), expected))
    return _held("provenance", lambda: _provenance(_only(found[PREDICATE]), expected))


def origins_of(attestations: Sequence[Attestation], expected: Expected) -> Origins:
    """Return an image's origins from its provenance alone.

    Raises:
        VerificationError: the provenance is missing, duplicate, or about something else.
    """
    found = [_read(attestation) for attestation in attestations if attestation.type == PREDICATE]
    return _held("provenance", lambda: _provenance(_only(found), expected))


def _held(title: str, look: Callable[[], T]) -> T:
    try:
        return look()
    except (ValueError, KeyError) as error:
        # The text of a KeyError is the quoted name of the field.
        reason = f"it has no field {error}" if isinstance(error, KeyError) else str(error)
        raise VerificationError(f"its {title} is not valid: {reason}") from error


def _read(attestation: Attestation) -> Any:
    return _held(f"attestation {attestation.type}", lambda: parse_json(attestation.predicate))


def _only(found: Sequence[Any]) -> Any:
    if len(found) != 1:
        raise ValueError(f"{len(found)} statements are signed; there must be one")
    return found[0]


def _agree(what: str, stated: Any, wanted: object) -> None:
    if stated != wanted:
        raise ValueError(f"{what} is {stated!r}, but {wanted!r} in the image")


def _test_results(found: Sequence[Any], created: str) -> None:
    """Verify the results of the checks and of the audit: one of each, both without failures.

    Where no CIS profile exists, the audit states that, and until which day that was accepted.
    """
    kinds = []
    for one in found:
        result = object_of(one, "result", "configuration", "passedTests", "warnedTests", "failedTests")
        configuration = [object_of(used, "name", "annotations") for used in list_of(result["configuration"])]
        is_audit = any(str(used.get("name")).startswith(RULES) for used in configuration)
        is_unaudited = any(used.get("name") == NO_PROFILE for used in configuration)
        kinds.append("audit" if is_audit or is_unaudited else "checks")
        failed = texts_of(result["failedTests"])
        if is_unaudited and result["result"] == WARNED and not failed:
            _accepted(configuration, created)
            continue
        if result["result"] != PASSED or failed:
            raise ValueError(f"the {kinds[-1]} ended with {result['result']!r}: {', '.join(failed) or 'no test named'}")
        if not texts_of(result["passedTests"]):
            raise ValueError(f"the {kinds[-1]} passed no test at all")
    if sorted(kinds) != ["audit", "checks"]:
        raise ValueError(f"there must be one of the checks and one of the audit, not: {', '.join(kinds)}")


def _accepted(configuration: Sequence[Mapping[str, Any]], created: str) -> None:
    (stated,) = (used for used in configuration if used.get("name") == NO_PROFILE)
    until = text_of(object_of(stated["annotations"], "acceptedUntil")["acceptedUntil"])
    if not until or date.fromisoformat(created[:10]) > date.fromisoformat(until):
        raise ValueError(f"no CIS profile exists, and that was accepted until {until or 'no day'!r}, before {created}")


def _scan(found: Any, policy: Policy) -> None:
    """Verify a scan's findings: those that block a release must have been excepted on the day of the scan."""
    scan = read_scan(found)
    for one in scan.findings:
        if any(policy.stops(severity, one.fixed) for severity in one.severities) and not one.is_excepted(scan.day):
            raise ValueError(f"{one.vulnerability!r} of severity {'/'.join(one.severities)} blocks a release")


def _cyclonedx(found: Any, expected: Expected) -> None:
    document = object_of(found, "bomFormat", "metadata", "components")
    component = object_of(object_of(document["metadata"], "component")["component"], "name", "version")
    _agree("bomFormat", document["bomFormat"], "CycloneDX")
    _agree("its subject", component["name"], expected.image)
    _agree("the digest of its subject", component["version"], expected.digest)
    if not list_of(document["components"]):
        raise ValueError("it lists no package")


def _spdx(found: Any, expected: Expected) -> None:
    document = object_of(found, "spdxVersion", "name", "packages")
    packages = [object_of(one, "name", "versionInfo", "primaryPackagePurpose") for one in list_of(document["packages"])]
    subject = _only([one for one in packages if one.get("primaryPackagePurpose") == "CONTAINER"])
    if not text_of(document["spdxVersion"]).startswith("SPDX-"):
        raise ValueError(f"its version is {document['spdxVersion']!r}")
    _agree("its subject", subject["name"], expected.image)
    _agree("the digest of its subject", subject["versionInfo"], expected.digest)
    if len(packages) == 1:
        raise ValueError("it lists no package")


def _provenance(found: Any, expected: Expected) -> Origins:
    predicate = object_of(found, "buildDefinition", "runDetails")
    fields = ("buildType", "externalParameters", "internalParameters", "resolvedDependencies")
    definition = object_of(predicate["buildDefinition"], *fields)
    builder = object_of(object_of(predicate["runDetails"], "builder")["builder"], "id")
    _agree("the type of its build", definition["buildType"], f"{expected.source}/-/blob/main/{BUILD_TYPE}")
    names = ("image", "version", "created", "source", "tags", "base")
    parameters = object_of(definition["externalParameters"], *names)
    for name in names[:4]:
        _agree(f"its parameter {name}", parameters[name], getattr(expected, name))
    _agree("its parameter tags", texts_of(parameters["tags"]), expected.tags)
    dependencies = [object_of(one, "name", "uri", "digest") for one in list_of(definition["resolvedDependencies"])]
    base = text_of(_dependency(dependencies, "base")["uri"])
    _agree("its parameter base", parameters["base"], base)
    _agree("the digest of its base", _dependency(dependencies, "base").get("digest", {}), _pinned(base))
    if not text_of(_dependency(dependencies, "source")["uri"]).startswith(f"git+{expected.source}"):
        raise ValueError(f"its source is {_dependency(dependencies, 'source')['uri']!r}")
    return Origins(base, _parent(dependencies, base, expected), _builder(text_of(builder["id"]), expected.source))


def _builder(found: str, source: str) -> str:
    """Return the builder of an image: a GitLab runner or another machine (docs/build-type.md)."""
    if found != f"{source}/-/blob/main/{OWN_MACHINE}" and not _RUNNER.fullmatch(found):
        raise ValueError(f"its builder is {found!r}, which is neither a GitLab runner nor {OWN_MACHINE}")
    return found


def _parent(dependencies: Sequence[Mapping[str, Any]], base: str, expected: Expected) -> str:
    """Return the digest of the parent; empty for the first image, whose parent is the base."""
    if expected.parent is None:
        _agree("its base", base, expected.built_from)
        return ""
    parent = _dependency(dependencies, expected.parent)
    _agree("its parent", parent["uri"], expected.built_from)
    digests = object_of(parent["digest"])
    digest = f"sha256:{text_of(digests['sha256'])}"
    if not DIGEST.fullmatch(digest) or len(digests) != 1:
        raise ValueError(f"the digest of its parent is {dict(digests)!r}")
    return digest


def _dependency(dependencies: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    found = [one for one in dependencies if one.get("name") == name]
    if len(found) != 1:
        raise ValueError(f"it names {len(found)} dependencies {name!r}; there must be one")
    return found[0]


def _pinned(reference: str) -> Mapping[str, str]:
    digest = reference.partition("@")[2]
    return digest_set(digest) if digest else {}
