"""Reads the signed statement of a scan; anything that `scanned` does not write is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from packageurl import PackageURL

from pipeline.build.severity import SEVERITIES
from pipeline.gates.scan.exemptions import JUSTIFICATIONS
from pipeline.strict import list_of, object_of, text_of


@dataclass(frozen=True)
class StatedFinding:
    """A vulnerability that a scan states.

    Args:
        vulnerability: its identifier, as in CVE-2026-1234.
        severities: each one of SEVERITIES, at least one.
        purl: the package URL, with the version.
        fixed: the version with the fix; empty if there is none.
        justification: why it does no harm; empty if it is not excepted.
        expires: the last day of the exception; None if it is not excepted.
    """

    vulnerability: str
    severities: tuple[str, ...]
    purl: str
    fixed: str
    justification: str
    expires: date | None

    @property
    def severity(self) -> str:
        """The gravest of its severities."""
        return max(self.severities, key=SEVERITIES.index)

    @property
    def package(self) -> str:
        """The package's name.

        Raises:
            ValueError: the package URL is malformed.
        """
        return str(PackageURL.from_string(self.purl).name)

    def is_excepted(self, day: date) -> bool:
        """Return whether an exception held on a day."""
        return self.justification in JUSTIFICATIONS and self.expires is not None and self.expires >= day


@dataclass(frozen=True)
class StatedScan:
    """A scan: the day on which it ended, and all findings."""

    day: date
    findings: tuple[StatedFinding, ...]


def read_scan(document: Any) -> StatedScan:
    """Read the predicate of a scan.

    Args:
        document: the predicate, whose signature has been verified.

    Raises:
        ValueError, KeyError: it has another form than `scanned` writes.
    """
    scan = object_of(document, "scanner", "metadata")
    scanner, metadata = object_of(scan["scanner"], "result", "db"), object_of(scan["metadata"], "scanFinishedOn")
    day = date.fromisoformat(text_of(metadata["scanFinishedOn"])[:10])
    return StatedScan(day, tuple(_finding(one) for one in list_of(scanner["result"])))


def _finding(given: Any) -> StatedFinding:
    one = object_of(given, "id", "severity", "annotations")
    severities = tuple(text_of(object_of(score)["score"]) for score in list_of(one["severity"]))
    if not severities or not set(severities) <= set(SEVERITIES):
        raise ValueError(f"the severity of {one['id']!r} is {severities!r}, which is not one of {SEVERITIES!r}")
    notes = _notes(list_of(one["annotations"]))
    justification = notes.get("justification", "")
    return StatedFinding(
        text_of(one["id"]),
        severities,
        notes.get("package", ""),
        notes.get("fixedVersion", ""),
        justification,
        date.fromisoformat(notes["expires"]) if justification else None,
    )


def _notes(annotations: Sequence[Any]) -> Mapping[str, str]:
    pairs = [pair for one in annotations for pair in object_of(one).items()]
    notes = {key: text_of(value) for key, value in pairs}
    if len(notes) != len(pairs):
        raise ValueError("a finding has two annotations of one name")
    return notes
