"""What a run says of its images."""

import json

from pipeline.build.assembly import Archive
from pipeline.build.build_report import build_report
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.checks import CheckResult
from tests.built_images import build_on

RESULTS = (CheckResult("locale", True, "C.UTF-8"), CheckResult("size", True, "1"))
ARCHIVE = Archive("sha256:d", 12, 34, ("sha256:a", "sha256:b"), (5, 7))


def test_the_report_is_json_with_all_that_is_known_of_an_image() -> None:
    settings = Settings(version="1.2.3", registry="registry.example.org", created="2026-01-31")
    build = build_on(settings, "bootstrap:debian-12")
    report = build_report(build, [(find("ska-base"), ARCHIVE, RESULTS)])
    assert json.loads(report) == {
        "version": "1.2.3",
        "created": "2026-01-31T00:00:00Z",
        "lines": [
            {
                "name": "ubuntu22",
                "base": "bootstrap:debian-12",
                "distribution": "debian-12",
                "snapshot": "",
                "end_of_life": "2027-06-01",
            }
        ],
        "images": [
            {
                "name": "ska-base",
                "reference": "registry.example.org/ska-base:1.2.3",
                "line": "ubuntu22",
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
