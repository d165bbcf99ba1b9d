"""A project with releases, and the night's script on a clone of it."""

import json
import os
import subprocess
import time
from pathlib import Path

from tests.consumers.conftest import call
from tests.gitlab.pipeline import ROOT

OLD, NEW = (f"ubuntu:22.04@sha256:{digit * 64}" for digit in "01")
NEW_24 = f"ubuntu:24.04@sha256:{'2' * 64}"
LINES = 'LINES = (Line(base="{}"), Line(base="ubuntu:24.04@sha256:0"))\n'
TOKEN = "glpat-of-the-tests"  # noqa: S105
CHANGELOG = "# Changelog\n\n## [{}] - 2026-01-01\n\n### Added\n\n- All of it.\n"


class Project:
    """A project with the release 1.2.3, a later commit that is not released, and a clone of it.

    Args:
        directory: for both.
    """

    def __init__(self, directory: Path) -> None:
        self.bare, self.clone = directory / "project.git", directory / "clone"
        call("git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare)
        call("git", "clone", "--quiet", self.bare, self.clone)
        (self.clone / "pipeline/catalogue").mkdir(parents=True)
        self.commit("pipeline/catalogue/lines.py", LINES.format(OLD))
        self.commit("CHANGELOG.md", CHANGELOG.format("1.2.3"))
        self.tag("1.2.3")
        self.commit("CHANGELOG.md", CHANGELOG.format("1.3.0"))
        self.git("push", "--quiet", "--all")

    def git(self, *words: str) -> str:
        """Run git in the clone, as a person."""
        person = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
        return call("git", "-C", self.clone, *person, *words).strip()

    def commit(self, name: str, text: str) -> None:
        """Commit a file."""
        (self.clone / name).write_text(text)
        self.git("add", name)
        self.git("commit", "--quiet", f"--message=Write {name}")

    def tag(self, name: str, hours: int = 24) -> None:
        """Set a tag that is so old, and push it."""
        moment = f"{int(time.time()) - hours * 3600} +0000"
        words = ("git", "-C", self.clone, "-c", "user.name=A Person", "-c", "user.email=person@example.org")
        call("env", f"GIT_COMMITTER_DATE={moment}", *words, "tag", "--annotate", "--message=x", name)
        self.git("push", "--quiet", "origin", name)

    def tags(self) -> set[str]:
        """Return the tags of the project."""
        return set(call("git", "-C", self.bare, "tag", "--list").split())

    def night(
        self,
        version: str = "1.2.3",
        *,
        outdated: bool = True,
        reasons: tuple[str, ...] = ("security updates are pending: libc6",),
        bases: tuple[str, ...] = (),
        **variables: str,
    ) -> tuple[int, str]:
        """Run the night's script; return its exit code and its output."""
        report = self.clone / "outdated.json"
        images = [{"name": "ska-python", "reasons": reasons, "base": ""}]
        images += [{"name": f"ska-base-{number}", "base": base} for number, base in enumerate(bases)]
        report.write_text(json.dumps({"outdated": outdated, "version": version, "images": images}, indent=2))
        job = {
            "CI_PIPELINE_CREATED_AT": "2026-01-31T01:00:00Z",
            "CI_PROJECT_PATH_SLUG": "group-project",
            "CI_PROJECT_URL": self.bare.as_uri().removesuffix(".git"),
            "CI_SERVER_HOST": "gitlab.example.org",
            "RELEASE_TOKEN": TOKEN,
        }
        argv = [str(ROOT / ".gitlab/ci/night.sh"), str(report)]
        environment = {**os.environ, **job, **variables}
        done = subprocess.run(argv, cwd=self.clone, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr
