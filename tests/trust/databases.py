"""Hand-made databases of Trivy's: few vulnerabilities, all of them known.

Source: https://github.com/aquasecurity/trivy-db, schema 2
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dagger import dag

from pipeline.gates.scan.database import DatabaseOrder
from tests.trust.bolt import Bucket, write

#: The distributions of the images, and of their stand-ins.
DISTRIBUTIONS = {"debian 12": "debian", "ubuntu 22.04": "ubuntu"}
_PIP = "pip::GitHub Security Advisory Pip"
#: A version after all others, and one before them.
LATER, EARLIER = "99:1", "0~1"
NOW = datetime.now(timezone.utc)


@dataclass(frozen=True)
class Planted:
    """A vulnerability.

    Args:
        id: its identifier.
        severity: LOW, MEDIUM, HIGH or CRITICAL.
        package: the source package that has it.
        fixed: the version with the fix; empty where there is none.
    """

    id: str
    severity: str
    package: str
    fixed: str = ""


CRITICAL = Planted("CVE-2026-0001", "CRITICAL", "glibc", LATER)
HIGH_FIXED = Planted("CVE-2026-0002", "HIGH", "zlib", LATER)
HIGH = Planted("CVE-2026-0003", "HIGH", "zlib")
LOW = Planted("CVE-2026-0004", "LOW", "python3-defaults", LATER)
#: In Poetry's environment, of the build images.
OF_PYTHON = Planted("CVE-2026-0005", "HIGH", "requests", "99")
#: Fixed before what is installed, and of a package that is not.
NOT_HERE = (
    Planted("CVE-2026-0006", "CRITICAL", "glibc", EARLIER),
    Planted("CVE-2026-0007", "CRITICAL", "not-installed", LATER),
)
ALL = (CRITICAL, HIGH_FIXED, HIGH, LOW, OF_PYTHON, *NOT_HERE)


def make(
    directory: Path,
    *planted: Planted,
    age: timedelta = timedelta(0),
    distributions: Mapping[str, str] = DISTRIBUTIONS,
) -> Path:
    """Write a database and its metadata into a directory, and return it."""
    directory.mkdir(parents=True)
    advisories: dict[str, dict[str, bytes]] = {}
    for one in planted:
        if one is not OF_PYTHON:
            advice = {"FixedVersion": one.fixed} if one.fixed else {"Status": 2}
            advisories.setdefault(one.package, {})[one.id] = _json(advice)
    python = {"PatchedVersions": [OF_PYTHON.fixed], "VulnerableVersions": [f"<{OF_PYTHON.fixed}"]}
    root: dict[str, Bucket] = {
        "data-source": {name: _json({"ID": key, "Name": key, "URL": ""}) for name, key in distributions.items()}
        | {_PIP: _json({"ID": "ghsa", "Name": "GitHub", "URL": ""})},
        "vulnerability": {one.id: _json({"Title": f"planted {one.id}", "Severity": one.severity}) for one in planted},
        _PIP: {OF_PYTHON.package: {OF_PYTHON.id: _json(python)}} if OF_PYTHON in planted else {},
        **dict.fromkeys(distributions, advisories),
    }
    write(directory / "trivy.db", root)
    updated = (NOW - age).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    following = (NOW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {"Version": 2, "UpdatedAt": updated, "DownloadedAt": updated, "NextUpdate": following}
    (directory / "metadata.json").write_text(json.dumps(metadata))
    return directory


def order_of(directory: Path) -> DatabaseOrder:
    """Return the order of a database in a directory of this machine."""
    return DatabaseOrder(directory=dag.host().directory(str(directory)))


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
