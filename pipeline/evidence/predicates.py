"""What the statements on a release must say: that it passed every gate, of this very image, without contradiction.

Each statement is read as the pipeline writes it (gates, `provenance`), so that a word that it never writes counts
as a failure.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from pipeline.build.severity import SEVERITIES
from pipeline.errors import VerificationError
from pipeline.evidence.provenance import BUILD_TYPE, OWN_MACHINE, PREDICATE
from pipeline.evidence.results import OF_A_RELEASE
from pipeline.gates.definition import PASSED, TEST_RESULT
from pipeline.gates.sbom.gate_sbom import CYCLONEDX, SPDX
from pipeline.gates.scan.exemptions import JUSTIFICATIONS
from pipeline.gates.scan.findings import Policy
from pipeline.gates.scan.scanned import VULNERABILITIES
from pipeline.registry.address import DIGEST
from pipeline.signing.attestation import Attestation
from pipeline.statement import digest_set
from pipeline.strict import list_of, object_of, parse_json, text_of, texts_of

T = TypeVar("T")

_RUNNER = re.compile(r"https://\S+/-/runners/[0-9]+")

#: How the rules of an audit are named among tools.TOOLS.
RULES = "ssg-"


@dataclass(frozen=True)
class Expected:
    """What the statements on an image have to agree with.

    Args:
        image: its name.
        digest: of its manifest, sha256:….
        version: of the release.
        created: the moment of its build, ISO 8601, UTC.
        tags: of the image, the version among them.
        source: where its source code is, a URL.
        parent: the name of its parent; None for the first image.
        built_from: the reference of its parent or base.
        policy: which vulnerabilities stop a release.
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
    """From what an image was built, as its provenance states.

    Args:
        base: the reference of the base, with its digest where it has one.
        parent: the digest of the parent's manifest; empty for the first image.
        builder: what built it, a URI.
    """

    base: str
    parent: str
    builder: str


def judge(attestations: Sequence[Attestation], expected: Expected) -> Origins:
    """Hold the statements on an image against what a release must be; return its origins.

    Args:
        attestations: all that is signed of the image, with the URIs of their types.
        expected: what they have to agree with.

    Raises:
        VerificationError: one is missing, stands twice, is about something else, or says that a gate was not passed.
    """
    found: dict[str, list[Any]] = {type_: [] for type_ in OF_A_RELEASE}
    for one in attestations:
        # Other types may be signed beside these; nothing is concluded from them.
        found.setdefault(one.type, []).append(_read(one))
    _held("test result", lambda: _test_results(found[TEST_RESULT]))
    _held("scan", lambda: _scan(_only(found[VULNERABILITIES]), expected.policy))
    _held("SBOM in CycloneDX", lambda: _cyclonedx(_only(found[CYCLONEDX]), expected))
    _held("SBOM in SPDX", lambda: _spdx(_only(found[SPDX]), expected))
    return _held("provenance", lambda: _provenance(_only(found[PREDICATE]), expected))


def origins_of(attestations: Sequence[Attestation], expected: Expected) -> Origins:
    """Return an image's origins alone, from its one statement of provenance.

    Raises:
        VerificationError: it is missing, stands twice, or is about something else.
    """
    found = [_read(one) for one in attestations if one.type == PREDICATE]
    return _held("provenance", lambda: _provenance(_only(found), expected))


def _held(title: str, look: Callable[[], T]) -> T:
    try:
        return look()
    except (ValueError, KeyError) as error:
        # Of a KeyError the text is the name of the field, quoted.
        reason = f"it has no field {error}" if isinstance(error, KeyError) else str(error)
        raise VerificationError(f"its {title} is not valid: {reason}") from error


def _read(attestation: Attestation) -> Any:
    return _held(f"attestation {attestation.type}", lambda: parse_json(attestation.predicate))


def _only(found: Sequence[Any]) -> Any:
    if len(found) != 1:
        raise ValueError(f"{len(found)} statements are signed, and one counts")
    return found[0]


def _agree(what: str, stated: Any, wanted: object) -> None:
    if stated != wanted:
        raise ValueError(f"{what} is {stated!r}, and {wanted!r} in the image")


def _test_results(found: Sequence[Any]) -> None:
    """Read the results of the checks and of the audit: one of each, and both without a failure."""
    kinds = []
    for one in found:
        result = object_of(one, "result", "configuration", "passedTests", "warnedTests", "failedTests")
        configuration = [object_of(used, "name") for used in list_of(result["configuration"])]
        kinds.append("audit" if any(str(used.get("name")).startswith(RULES) for used in configuration) else "checks")
        failed = texts_of(result["failedTests"])
        if result["result"] != PASSED or failed:
            raise ValueError(f"the {kinds[-1]} ended with {result['result']!r}: {', '.join(failed) or 'no test named'}")
        if not texts_of(result["passedTests"]):
            raise ValueError(f"the {kinds[-1]} passed no test at all")
    if sorted(kinds) != ["audit", "checks"]:
        raise ValueError(f"one of the checks and one of the audit count, and these are signed: {', '.join(kinds)}")


def _scan(found: Any, policy: Policy) -> None:
    """Read what a scan found: nothing that stops a release, unless it was excepted on the day of the scan."""
    scan = object_of(found, "scanner", "metadata")
    scanner, metadata = object_of(scan["scanner"], "result", "db"), object_of(scan["metadata"], "scanFinishedOn")
    day = date.fromisoformat(text_of(metadata["scanFinishedOn"])[:10])
    for one in list_of(scanner["result"]):
        finding = object_of(one, "id", "severity", "annotations")
        severities = [text_of(object_of(given)["score"]) for given in list_of(finding["severity"])]
        notes = _notes(list_of(finding["annotations"]))
        if not severities or not set(severities) <= set(SEVERITIES):
            raise ValueError(f"the severity of {finding['id']!r} is {severities!r}, which is none of {SEVERITIES!r}")
        fixed = notes.get("fixedVersion", "")
        if any(policy.stops(severity, fixed) for severity in severities) and not _is_excepted(notes, day):
            raise ValueError(f"{finding['id']!r} of severity {'/'.join(severities)} stops a release")


def _is_excepted(notes: Mapping[str, str], day: date) -> bool:
    return notes.get("justification") in JUSTIFICATIONS and date.fromisoformat(notes["expires"]) >= day


def _notes(annotations: Sequence[Any]) -> Mapping[str, str]:
    pairs = [pair for one in annotations for pair in object_of(one).items()]
    notes = {key: text_of(value) for key, value in pairs}
    if len(notes) != len(pairs):
        raise ValueError("a finding is annotated with two values of one name")
    return notes


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
    """Return what built an image: a runner of GitLab's, or a machine of one's own (docs/build-type.md)."""
    if found != f"{source}/-/blob/main/{OWN_MACHINE}" and not _RUNNER.fullmatch(found):
        raise ValueError(f"its builder is {found!r}, which is neither a runner of GitLab nor a machine of one's own")
    return found


def _parent(dependencies: Sequence[Mapping[str, Any]], base: str, expected: Expected) -> str:
    """Return the digest of the parent; that of the first image is the base."""
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
        raise ValueError(f"it names {len(found)} dependencies {name!r}, and one counts")
    return found[0]


def _pinned(reference: str) -> Mapping[str, str]:
    digest = reference.partition("@")[2]
    return digest_set(digest) if digest else {}
