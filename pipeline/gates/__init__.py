"""The gates that every image passes before a release.

definition   what a gate is
gate_checks  what must hold inside an image
sbom         SBOMs, which list what the image holds
audit        how well an image is hardened, by OpenSCAP
scan         known vulnerabilities, by Trivy
hold         holds images against gates, whatever these are
descriptors  in-toto's descriptors of the source code and of tools
tools        other projects' programs and rules, pinned by digest
trivy        Trivy on an image's archive
"""

from pipeline.gates.audit.gate_audit import AUDIT
from pipeline.gates.gate_checks import CHECKS
from pipeline.gates.sbom.gate_sbom import SBOM
from pipeline.gates.scan.gate_scan import SCAN

#: Every final version passes these. Who publishes, reports or attests knows no other list.
GATES = (
    CHECKS,
    SBOM,
    AUDIT,
    SCAN,
)

__all__ = ["AUDIT", "CHECKS", "GATES", "SBOM", "SCAN"]
