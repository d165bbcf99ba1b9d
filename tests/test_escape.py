"""Text from outside reaches terminals, tables, Markdown, JSON and HTML without what these obey."""

import io
import json
from collections import deque
from typing import Any

import pytest
from rich.console import Console

from pipeline.build.assembly import Archive
from pipeline.checks import CheckResult
from pipeline.cli.failures import report
from pipeline.cli.live import LiveView
from pipeline.cli.progress import PlainView, Progress, Step
from pipeline.cli.tables import TABLES
from pipeline.errors import GateError, VerificationError
from pipeline.escape import escaped, escaped_lines, escaped_markdown, json_text
from pipeline.evidence.report import page
from pipeline.evidence.report_data import Reported, report_document
from pipeline.gates import gate_checks
from pipeline.gates.audit import audited
from pipeline.gates.audit.audited import Audited
from pipeline.gates.definition import GateResult, Problem
from pipeline.gates.hold import require_passed, table
from pipeline.gates.sbom import gate_sbom
from pipeline.gates.sbom.gate_sbom import Sbom
from pipeline.gates.sbom.inventory import Package
from pipeline.gates.scan import scanned
from pipeline.gates.scan.findings import ScanResult, Vulnerability
from tests.built_images import OF_ONE_LINE, RULES, TRIVY, stand_in_build

#: Clears the screen; the same with one character; turns the direction around; ends a line in five ways.
HOSTILE = ("\x1b[2J", "\x9b2J", "\u202eevil\u2066", "\u2028", "\x85", "\r", "\x07", "\x7f", "\x00", "\ufeff")

#: Of an image.
PACKAGE = Package("deb", "a", "1")


def is_safe(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_control_character_is_shown_as_an_escape(hostile: str) -> None:
    assert is_safe(escaped(f"a{hostile}b"))
    assert is_safe(escaped_lines(f"a{hostile}b"))
    assert is_safe(escaped_markdown(f"a{hostile}b"))


def test_text_of_any_script_stays_as_it_is() -> None:
    assert escaped("Größe 5 µm: 観測, ok") == "Größe 5 µm: 観測, ok"


def test_a_line_break_is_escaped_where_a_text_has_one_line() -> None:
    assert escaped("a\n  verified  base") == "a\\n  verified  base"
    assert escaped_lines("a\n\tb") == "a\n\tb"


@pytest.mark.parametrize("hostile", [*HOSTILE, "\ud800", "\U000e0001"])
def test_json_reads_back_as_the_same_text(hostile: str) -> None:
    text = json_text({"label": hostile})
    assert is_safe(text)
    assert json.loads(text) == {"label": hostile}


@pytest.mark.parametrize(
    "hostile",
    ["a | b", "`a`", "<img src=x>", "[a](https://x.example)", "https://x.example", "@all", "#1", "!1", "~a", "*a*"],
)
def test_markdown_shows_a_text_as_it_is(hostile: str) -> None:
    unescaped = "".join(character for character in escaped_markdown(hostile) if character != "\\")
    assert unescaped == hostile
    assert escaped_markdown(hostile) != hostile


@pytest.mark.parametrize("version", ["2.35-0ubuntu3.8+b1", "1:4.8.1-2", "libstdc++6", "python3-cryptography"])
def test_markdown_leaves_names_and_versions_of_packages_alone(version: str) -> None:
    assert escaped_markdown(version) == version


def test_a_fact_cannot_write_a_second_line_of_a_table() -> None:
    message = "it is\n  verified      signature     signed\x1b[2J"
    fact = {"name": "base", "verified": False, "message": message}
    document = {"reference": "a/b@c\n", "warnings": [message], "facts": [fact]}
    lines = TABLES["verify"](document).split("\n")
    assert len(lines) == 3
    assert is_safe("\n".join(lines))


def test_an_outdated_image_cannot_write_a_line_of_a_table() -> None:
    image: dict[str, Any] = {
        "name": "ska-base",
        "reference": "",
        "reasons": ["a\nup to date  ska-base"],
        "packages": [{"package": "a\x1b[2J", "installed": "1\n", "newer": "2"}],
        "unknown": ["x\ny"],
    }
    assert TABLES["outdated"]({"images": [image], "warnings": ["a\nb"], "version": "1.0.0"}).count("\n") == 6


@pytest.mark.parametrize("hostile", HOSTILE)
def test_an_error_commands_no_terminal(hostile: str) -> None:
    stream = io.StringIO()
    assert report(VerificationError(f"It is not{hostile}so."), shown=False, stream=stream) == 2
    assert is_safe(stream.getvalue())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_step_commands_no_terminal(hostile: str) -> None:
    stream = io.StringIO()
    with Progress(PlainView(stream)) as progress:
        progress.event({"event": "step", "id": "1", "name": f"ska-base: {hostile}", "state": "running"})
        progress.event({"event": "log", "id": "1", "text": f"a{hostile}b\n"})
        progress.event({"event": "notice", "text": f"a{hostile}b"})
    assert is_safe(stream.getvalue())


@pytest.mark.parametrize("hostile", [*HOSTILE, "\n"])
def test_the_live_view_commands_no_terminal(hostile: str) -> None:
    # Without colours and cursor, of which the console writes what it writes itself.
    console = Console(file=io.StringIO(), force_terminal=False, width=200)
    view = LiveView(console)
    view.notice(f"a{hostile}b")
    view.step(Step("1", f"ska-base: {hostile}", "failed", 0.0, 1.0, deque([f"a{hostile}b"])))
    written = console.file
    assert isinstance(written, io.StringIO)
    assert is_safe(written.getvalue())


@pytest.mark.parametrize("hostile", [*HOSTILE, "\n  pass"])
def test_what_a_gate_found_commands_no_terminal(hostile: str) -> None:
    result = GateResult("gate", "ska-base", (Problem(f"a{hostile}", f"found a{hostile}b"),))
    assert is_safe(table([result]))
    with pytest.raises(GateError) as raised:
        require_passed([result])
    assert is_safe(str(raised.value))
    assert "\n  pass\n" not in str(raised.value)


@pytest.mark.parametrize("hostile", [*HOSTILE, "\n  pass"])
def test_what_a_scan_found_stays_on_its_line(hostile: str) -> None:
    shown = table([scanned.result_of(_scanned(hostile), "", "", {})])
    assert is_safe(shown)
    assert shown.count("\n") == 6


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_page_of_a_report_turns_no_text_around(hostile: str) -> None:
    build = stand_in_build()
    found, archive = _scanned(hostile), Archive(f"sha256:{'0' * 64}", 1, 1, ("sha256:0",), (1,))
    results = (
        gate_checks.result_of("ska-base", (CheckResult("check", True, f"a{hostile}b"),), build),
        gate_sbom.result_of(Sbom("ska-base", '{"components": []}', '{"packages": []}', (PACKAGE,)), TRIVY),
        audited.result_of(Audited("ska-base", "debian-12", RULES, {"rule": "pass"}), (), build),
        scanned.result_of(found, "", "", {}),
    )
    reported = Reported(OF_ONE_LINE["ska-base"], archive, {f"a{hostile}b": 1}, results)
    text = page(report_document([reported], build, "2026-01-31T12:00:00Z"))
    assert escaped(f"a{hostile}b") in text
    assert is_safe(text)


def _scanned(hostile: str) -> ScanResult:
    finding = Vulnerability("CVE-1", "critical", f"a{hostile}", "", "1", "", "base", f"a{hostile}b", "", stops=True)
    updates = CheckResult("security-updates", True, "none")
    return ScanResult("ska-base", f"a{hostile}", 1, TRIVY, "db", "", (finding,), updates)
