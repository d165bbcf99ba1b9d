"""What a run says of its images."""

import json

import pytest
from dagger import dag

from pipeline.build.build_report import Archive, CheckedImage, build_report, check_table, require_passed
from pipeline.build.inputs import Base, Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.checks import CheckResult
from pipeline.errors import ChecksFailedError

GOOD = CheckedImage(find("ska-base"), (CheckResult("locale", True, "C.UTF-8"), CheckResult("size", True, "1")))
BAD = CheckedImage(
    find("ska-python"),
    (CheckResult("python-version", False, "expected 3.10, found 3.11\nand more"), CheckResult("size", True, "2")),
)
ARCHIVE = Archive("sha256:d", 12, 34, ("sha256:a", "sha256:b"), (5, 7))


def test_images_that_passed_are_let_through() -> None:
    require_passed([GOOD])


def test_a_failure_names_the_image_and_the_check() -> None:
    with pytest.raises(ChecksFailedError, match=r"^1 check failed \(ska-python: python-version\), so nothing"):
        require_passed([GOOD, BAD])


def test_a_failure_shows_the_results_of_all_others() -> None:
    with pytest.raises(ChecksFailedError) as caught:
        require_passed([GOOD, BAD])
    assert str(caught.value).endswith(check_table([GOOD, BAD]).rstrip())


def test_the_table_has_a_line_for_each_check() -> None:
    assert check_table([GOOD, BAD]).splitlines() == [
        "ska-base",
        "  pass  locale          C.UTF-8",
        "  pass  size            1",
        "ska-python",
        "  FAIL  python-version  expected 3.10, found 3.11",
        "                        and more",
        "  pass  size            2",
    ]


def test_the_report_is_json_with_all_that_is_known_of_an_image() -> None:
    settings = Settings(version="1.2.3", registry="registry.example.org", created="2026-01-31")
    report = build_report(Build(settings, Base(dag.container(), "bootstrap:debian-12")), [(GOOD, ARCHIVE)])
    assert json.loads(report) == {
        "version": "1.2.3",
        "created": "2026-01-31T00:00:00Z",
        "base": "bootstrap:debian-12",
        "snapshot": "20260131T000000Z",
        "images": [
            {
                "name": "ska-base",
                "reference": "registry.example.org/ska-base:1.2.3",
                "parent": None,
                "title": "SKA base image",
                "archive": "ska-base.tar",
                "digest": "sha256:d",
                "size": 12,
                "unpacked_size": 34,
                "layers": ["sha256:a", "sha256:b"],
                "layer_sizes": [5, 7],
                "checks": [
                    {"name": "locale", "passed": True, "message": "C.UTF-8"},
                    {"name": "size", "passed": True, "message": "1"},
                ],
            }
        ],
    }
