"""OpenVEX documents for tests."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

TODAY = date(2026, 11, 24)
FAR = "2999-12-31"


def statement(name: str = "CVE-2026-0001", /, *packages: str, **changes: Any) -> dict[str, Any]:
    """Return a statement that excepts, with what is given changed; None leaves a key out."""
    fields = {
        "vulnerability": {"name": name},
        "products": [{"@id": package} for package in packages or ("pkg:deb/debian/libc6",)],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
        "status_notes": f"Expires {TODAY + timedelta(days=1)}. Nothing calls it.",
        **changes,
    }
    return {key: value for key, value in fields.items() if value is not None}


def write_vex(directory: Path, *statements: Any, **changes: Any) -> Path:
    """Write a document of these statements into a directory, and return that."""
    directory.mkdir(exist_ok=True)
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex/1",
        "author": "Tester",
        "timestamp": "2026-11-24T00:00:00Z",
        "version": 1,
        "statements": list(statements),
        **changes,
    }
    (directory / "one.json").write_text(json.dumps(document))
    return directory
