"""Exceptions hold only while they say what they must."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import HoldError
from pipeline.gates.scan.exemptions import VEX, read_exemptions
from tests.trust.statements import TODAY, statement, write_vex


def image(name: str, *packages: str) -> dict[str, Any]:
    return {"@id": f"pkg:oci/{name}", "subcomponents": [{"@id": package} for package in packages]}


def test_a_statement_excepts_its_packages_in_every_image(tmp_path: Path) -> None:
    vex = write_vex(tmp_path, statement("CVE-2026-0001", "pkg:deb/debian/libc6", "pkg:deb/debian/libc-bin"))
    assert [(one.vulnerability, one.package, one.image) for one in read_exemptions(vex, TODAY)] == [
        ("CVE-2026-0001", "pkg:deb/debian/libc6", ""),
        ("CVE-2026-0001", "pkg:deb/debian/libc-bin", ""),
    ]


def test_a_statement_on_an_image_excepts_in_that_one(tmp_path: Path) -> None:
    vex = write_vex(tmp_path, statement(products=[image("ska-python?tag=1", "pkg:deb/debian/zlib1g")]))
    (one,) = read_exemptions(vex, TODAY)
    assert (one.image, one.package) == ("ska-python", "pkg:deb/debian/zlib1g")


def test_an_exception_holds_on_its_last_day(tmp_path: Path) -> None:
    assert read_exemptions(write_vex(tmp_path, statement(status_notes=f"Expires {TODAY}.")), TODAY)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status_notes": f"Expires {TODAY - timedelta(days=1)}."}, "expired on 2026-11-23; look at it again"),
        ({"status_notes": "Nothing calls it."}, "has no end; begin its status_notes with a day"),
        ({"status_notes": "Expires 2026-02-30."}, "has no end"),
        ({"status_notes": None}, "has no end"),
        ({"justification": None}, "has the justification None; give one of"),
        ({"justification": "we like it"}, "has the justification 'we like it'"),
        ({"status": "fixed"}, "has the status 'fixed', and only not_affected is one"),
        ({"products": []}, "names no package"),
        ({"products": [{"@id": "pkg:oci/ska-base"}]}, "lacks its vulnerability or the @id of a product"),
        ({"vulnerability": None}, "lacks its vulnerability"),
        ({"products": [image("ska-none", "pkg:deb/debian/libc6")]}, "names the image ska-none, which is not in the"),
    ],
)
def test_a_statement_that_does_not_hold_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(HoldError, match=f"^one.json: .*{re.escape(says)}"):
        read_exemptions(write_vex(tmp_path, statement(**changes)), TODAY)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"@context": "https://example.org", "statements": []}'])
def test_what_is_not_openvex_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(HoldError, match=r"^one\.json: it is not an OpenVEX document"):
        read_exemptions(tmp_path, TODAY)


def test_each_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    write_vex(tmp_path, statement(status=None))
    (tmp_path / "two.json").write_text("{")
    with pytest.raises(HoldError) as refused:
        read_exemptions(tmp_path, TODAY)
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ["one.json", "two.json"]


def test_the_example_in_the_documentation_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (VEX / "README.md").read_text(), re.DOTALL)
    (tmp_path / "one.json").write_text(json.dumps(json.loads(example)))
    assert [one.image for one in read_exemptions(tmp_path, TODAY)] == ["ska-python"]
