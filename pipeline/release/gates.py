"""The gates that images pass before they are published, and what is then attested of them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.build.assembly import Packed
from pipeline.build.inputs import Build
from pipeline.errors import ReleaseError
from pipeline.evidence.results import state
from pipeline.gates.scan import gate_scan
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.gates.scan.gate_scan import Scanner
from pipeline.signing.attestation import Attestation

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gates:
    """The gates beside the checks: SBOMs that are complete, the audit, and the scan.

    Args:
        build: the settings, the base and the tools.
        scanner: of the scan; None where no tools were given, and no gate is held.
        started: when the build began, ISO 8601, UTC.
        clock: says the same of now.
    """

    build: Build
    scanner: Scanner | None
    started: str
    clock: Callable[[], str]

    async def hold(self, packed: Sequence[Packed]) -> dict[str, list[Attestation]]:
        """Hold images against the gates, and return what is attested of each, by its name.

        Raises:
            SbomError, AuditError, ScanError: an image does not pass.
            ToolError, dagger.ExecError: a gate cannot be held.
        """
        if self.scanner is None:
            return {}
        said = await state(packed, self.build, self.scanner, self.started, self.clock)
        return {
            name: [Attestation(one.predicate_type, one.predicate_json()) for one in statements]
            for name, statements in said.items()
        }


async def open_gates(build: Build, database: DatabaseOrder, clock: Callable[[], str], *, required: bool) -> Gates:
    """Get what the gates take, before anything is built.

    Args:
        build: whose tools, where it was given any, say that there are gates.
        database: of vulnerabilities.
        clock: says the present moment, ISO 8601, UTC.
        required: whether nothing may be published without them.

    Raises:
        ReleaseError: they are required, and there are no tools.
        ScanError, ToolError, SettingsError: as of `scan.prepare`.
    """
    started = clock()
    if build.tools is None and required:
        raise ReleaseError(
            f"{build.settings.version} is a final version, which passes all gates, and their tools were not given; "
            "give --tools DIR (`make tools` fills one), or publish a pre-release."
        )
    if build.tools is None:
        _log.warning("no --tools: nothing is scanned, audited and described; `make tools` fills a directory for that")
        return Gates(build, None, started, clock)
    return Gates(build, await gate_scan.prepare(build, database, started), started, clock)
