"""How grave a vulnerability is, in Trivy's words."""

from typing import Literal, get_args

Severity = Literal["unknown", "low", "medium", "high", "critical"]
#: The least first.
SEVERITIES: tuple[str, ...] = get_args(Severity)
