"""The two builds, each from an empty store; an ordinary user makes the second in another environment."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from dev.reproduce.archive import open_archive
from pipeline.build.labelling import OCI
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import of_lines
from pipeline.metadata import PREFIX
from tests.ordinary_user import OrdinaryUser

REPORT = "build-report.json"
#: The image that starts from the base.
FIRST = next(iter(of_lines(Settings().lines)))
#: The labels that an argument decides, and the labels of one image only.
GIVEN = ("created", "version", "team", "url", "source")
OF_ONE_IMAGE = frozenset(OCI + key for key in ("title", "description", "base.name", "base.digest"))
#: The second build's environment, which must not matter.
CIRCUMSTANCES = {"TZ": "Pacific/Auckland", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "COLUMNS": "40"}
#: $0 is the number of a processor.
_UNLIKE = 'umask 077; exec taskset --cpu-list "$0" "$@"'


class BuildFailed(Exception):
    """A build failed."""


def arguments(earlier: Path | None, given: Sequence[str]) -> list[str]:
    """Return the arguments of both builds: the same time, version, base and package archive.

    Args:
        earlier: a directory of archives to build again; their labels and the report beside them decide.
        given: the user's arguments, which win.

    Raises:
        ArchiveError: the archive of the first image is damaged or missing.
    """
    if earlier is None:
        now = os.environ.get("SKA_CREATED") or datetime.now(timezone.utc).strftime("%Y-%m-%dT00:00:00Z")
        return ["--created", now, *given]
    report = json.loads((earlier / REPORT).read_text()) if (earlier / REPORT).is_file() else {}
    first = next(iter(report.get("images", ())), {"name": FIRST})["name"]
    with open_archive(earlier / f"{first}.tar") as archive:
        labels: Mapping[str, str] = archive.configuration["config"].get("Labels") or {}
    words = [word for key in GIVEN if (value := labels.get(PREFIX + key)) for word in (f"--{key}", value)]
    lines = report.get("lines") or [{"base": labels.get(f"{PREFIX}baseImage", ""), "snapshot": ""}]
    for line in lines:
        words += ["--line", line["name"]] if "name" in line else []
        if line["base"] and not line["base"].startswith("archive:"):  # --base-archive says where it is
            words += ["--base", f"{line['name']}={line['base']}" if "name" in line else line["base"]]
    for key, value in labels.items():
        if not key.startswith(PREFIX) and key not in OF_ONE_IMAGE:
            words += ["--label", _quoted(f"{key}={value}")]
    if report:
        words += ["--snapshot", lines[0]["snapshot"] or "off"]
    return [*words, *given]


def _quoted(word: str) -> str:
    """Quote a value for a flag that takes several, separated by commas."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([word])
    return line.getvalue()


def plain(directory: Path, given: Sequence[str]) -> Path:
    """Build as this user, and return the directory of the archives.

    Raises:
        BuildFailed: the build failed.
    """
    dist = directory / "dist"
    _build([sys.executable, "-m", "pipeline", *_build_all(directory / "store", dist, given)], {})
    return dist


def unlike(user: OrdinaryUser, given: Sequence[str]) -> Path:
    """Build as an ordinary user, with other variables, umask and directories, on one processor.

    Raises:
        BuildFailed: the build failed.
    """
    dist = user.home / "elsewhere" / "dist"
    temporary = user.home / "tmp"
    temporary.mkdir(mode=0o1777)
    temporary.chmod(0o1777)
    processor = str(max(os.sched_getaffinity(0)))
    command = [sys.executable, "-m", "pipeline", *_build_all(user.store, dist, given)]
    _build(user.words("sh", "-euc", _UNLIKE, processor, *command), {**CIRCUMSTANCES, "TMPDIR": str(temporary)})
    return dist


def _build_all(store: Path, dist: Path, given: Sequence[str]) -> list[str]:
    return ["--store", str(store), "build-all", "--output", str(dist), *given]


def _build(command: Sequence[str], variables: Mapping[str, str]) -> None:
    # The steps are shown; the table at the end is not, because it could be mistaken for that of the comparison.
    done = subprocess.run(command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise BuildFailed(f"A build failed with exit code {done.returncode}; its output is above.")
