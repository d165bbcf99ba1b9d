"""What the two builds are given, so that nothing but their circumstances differs."""

import json
from pathlib import Path

import pytest
from embedded_engine.oci.documents import ImageConfig

from dev.reproduce.__main__ import main
from dev.reproduce.archive import ArchiveError
from dev.reproduce.builds import REPORT, arguments
from pipeline.cli.arguments import parse
from pipeline.cli.functions import constructor
from pipeline.cli.values import arguments as values
from tests.conftest import CREATED
from tests.reproduce.test_comparison import write

LABELS = {
    "int.skao.image.created": "2026-01-31T12:00:00Z",
    "int.skao.image.version": "1.2.3",
    "int.skao.image.tags": "1.2.3",
    "int.skao.image.team": "a team",
    "int.skao.image.url": "https://u",
    "int.skao.image.source": "https://s",
    "int.skao.image.baseImage": "ubuntu:22.04@sha256:1",
    "org.opencontainers.image.title": "SKA base image",
    "org.opencontainers.image.revision": "abc",
    "CI_COMMIT_MESSAGE": 'one, "two"',
}
AGAIN = [
    *("--created", "2026-01-31T12:00:00Z", "--version", "1.2.3", "--team", "a team"),
    *("--url", "https://u", "--source", "https://s", "--base", "ubuntu:22.04@sha256:1"),
    *("--label", '"CI_COMMIT_MESSAGE=one, ""two"""', "--label", "org.opencontainers.image.revision=abc"),
]


def released(directory: Path, **labels: str) -> Path:
    """Write the archive of a release's first image."""
    made = {**LABELS, **{f"int.skao.image.{key}": value for key, value in labels.items()}}
    write(directory / "ska-base.tar", [], ImageConfig(architecture="amd64", labels=tuple(sorted(made.items()))))
    return directory


def test_both_builds_have_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREATED)
    key, moment, *more = arguments(None, ["--team", "x"])
    assert (key, moment[10:], more) == ("--created", "T00:00:00Z", ["--team", "x"])


def test_the_moment_of_the_environment_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_CREATED", "2026-01-31")
    assert arguments(None, []) == ["--created", "2026-01-31"]


def test_an_earlier_build_is_repeated_as_its_labels_say(tmp_path: Path) -> None:
    assert arguments(released(tmp_path), ["--team", "x"]) == [*AGAIN, "--team", "x"]


@pytest.mark.parametrize(("recorded", "given"), [("20260131T000000Z", "20260131T000000Z"), ("", "off")])
def test_the_report_says_which_lines_and_packages_it_had(tmp_path: Path, recorded: str, given: str) -> None:
    line = {"name": "ubuntu24", "base": "ubuntu:24.04@sha256:1", "snapshot": recorded}
    report = {"lines": [line], "images": [{"name": "ska-base"}]}
    (tmp_path / REPORT).write_text(json.dumps(report))
    words = arguments(released(tmp_path), [])
    assert words[-2:] == ["--snapshot", given]
    at = words.index("--line")
    assert words[at : at + 4] == ["--line", "ubuntu24", "--base", "ubuntu24=ubuntu:24.04@sha256:1"]


def test_an_archive_of_a_base_has_to_be_given_again(tmp_path: Path) -> None:
    assert "--base" not in arguments(released(tmp_path, baseImage="archive:base.tar@sha256:1"), [])


def test_the_command_line_takes_the_labels_as_they_were(tmp_path: Path) -> None:
    calls = parse([*arguments(released(tmp_path), []), "images"], constructor())
    (labels,) = [value for key, value in values(calls.constructor).items() if key == "label"]
    assert labels == ['CI_COMMIT_MESSAGE=one, "two"', "org.opencontainers.image.revision=abc"]


def test_a_directory_without_the_first_image_says_nothing_of_a_build(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"There is not an archive .*/ska-base\.tar; give a directory"):
        arguments(tmp_path, [])


@pytest.mark.slow
def test_a_build_that_fails_is_told_and_leaves_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--directory", str(tmp_path), "--created", "yesterday"]) == 2
    output = capfd.readouterr().err
    assert "The time of creation 'yesterday' is not a time" in output
    assert output.endswith("Error: A build failed with exit code 2; its output is above.\n")
    assert list(tmp_path.iterdir()) == []
