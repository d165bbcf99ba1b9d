"""Which known vulnerabilities went and came between two releases of an image, by their signed scans."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from pipeline.concurrency import both
from pipeline.errors import RegistryError, VerificationError
from pipeline.gates.scan.scan_statement import read_scan
from pipeline.gates.scan.scanned import VULNERABILITIES
from pipeline.release.published import Published
from pipeline.signing.signature import Witness
from pipeline.strict import parse_json

#: Why nothing is compared where nobody's signature counts.
UNTRUSTED = "nobody's signature counts; give --key FILE, or --identity and --issuer"


@dataclass(frozen=True)
class KnownVulnerability:
    """A vulnerability of a package.

    Args:
        vulnerability: its identifier, as in CVE-2026-1234.
        severity: one of SEVERITIES.
        package: the package's name.
    """

    vulnerability: str
    severity: str
    package: str


@dataclass(frozen=True)
class ScanChanges:
    """What two scans of an image state differently.

    Args:
        before: the day of the first release's scan, as in 2026-01-31; empty if nothing is compared.
        after: the day of the second release's scan.
        went: what only the first one found.
        came: what only the second one found; it may have been there, and not been known.
        unknown: why nothing is compared, a clause; empty if it is.
    """

    before: str = ""
    after: str = ""
    went: tuple[KnownVulnerability, ...] = ()
    came: tuple[KnownVulnerability, ...] = ()
    unknown: str = ""

    @property
    def days(self) -> tuple[str, str]:
        """The days of the two scans."""
        return self.before, self.after


async def scan_changes(
    before: Published, after: Published, versions: tuple[str, str], witness: Witness | None
) -> ScanChanges:
    """Compare the scans of an image in two releases.

    A finding with an exception counts as found: the vulnerability is there.

    Args:
        before: the image in the first release.
        after: the image in the second release.
        versions: of the two releases, for sentences.
        witness: verifies signatures; None if no trusted key or identity was given.
    """
    if witness is None:
        return ScanChanges(unknown=UNTRUSTED)
    first, second = versions
    old, new = await both(partial(_scan, before, first, witness), partial(_scan, after, second, witness))
    if isinstance(old, str):
        return ScanChanges(unknown=old)
    if isinstance(new, str):
        return ScanChanges(unknown=new)
    return ScanChanges(
        old.day.isoformat(),
        new.day.isoformat(),
        tuple(one for key, one in old.found.items() if key not in new.found),
        tuple(one for key, one in new.found.items() if key not in old.found),
    )


@dataclass(frozen=True)
class _Scan:
    """What a scan found, by vulnerability and package, whatever the version of the package; and its day."""

    day: date
    found: Mapping[tuple[str, str], KnownVulnerability]


async def _scan(image: Published, version: str, witness: Witness) -> _Scan | str:
    """Return an image's signed scan, or why there is none, a clause; so the first release's reason always wins."""
    try:
        attestations = await witness.attestations(image.reference(), (VULNERABILITIES,))
        if len(attestations) != 1:
            raise ValueError(f"{len(attestations)} scans are signed; there must be one")
        scan = read_scan(parse_json(attestations[0].predicate))
        found = [KnownVulnerability(one.vulnerability, one.severity, one.package) for one in scan.findings]
    except RegistryError as error:
        return str(error)
    except (VerificationError, ValueError, KeyError) as error:
        return f"the scan of {version} is not verified ({error})"
    return _Scan(scan.day, {(one.vulnerability, one.package): one for one in sorted(found, key=_order)})


def _order(one: KnownVulnerability) -> tuple[str, str]:
    return one.vulnerability, one.package
