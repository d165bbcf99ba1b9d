"""A project with releases, and the night's script on a clone of it."""

import json
import os
import subprocess
import time
from itertools import pairwise
from pathlib import Path

from tests.consumers.conftest import call
from tests.gitlab.pipeline import ROOT

OLD, NEW = (f"ubuntu:22.04@sha256:{digit * 64}" for digit in "01")
NEW_24 = f"ubuntu:24.04@sha256:{'2' * 64}"
LINES = 'LINES = (Line(base="{}"), Line(base="ubuntu:24.04@sha256:0"))\n'
TOKEN = "glpat-of-the-tests"  # noqa: S105
CHANGELOG = "# Changelog\n\n## [{}] - 2026-01-01\n\n### Added\n\n- All of it.\n"
#: The section of a release by night.
SECTION = "## [{}] - 2026-01-31\n\n### Security\n\n- {} again, with the updates of its packages.\n\n"
#: The section of the default branch that no release has.
UNRELEASED = "## [1.3.0] - unreleased\n\n### Added\n\n- More.\n\n"
#: What a bare repository runs after a push: it notes the options, and answers as GitLab does.
HOOK = """#!/bin/sh
{ while read -r _ _ ref; do echo "$ref"; done
n=0; while [ "$n" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do eval "echo \\"\\$GIT_PUSH_OPTION_$n\\""; n=$((n + 1)); done
echo; } >>pushes
cat answer 2>/dev/null || true
"""


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
        self.commit("CHANGELOG.md", self.changelog())
        self.git("push", "--quiet", "--all")
        call("git", "-C", self.bare, "config", "receive.advertisePushOptions", "true")
        hook = self.bare / "hooks/post-receive"
        hook.write_text(HOOK)
        hook.chmod(0o755)

    def changelog(self, *nights: str) -> str:
        """Return what the default branch's changelog is with the sections of nights, the newest first."""
        versions = [*nights, "1.2.3"]
        sections = "".join(SECTION.format(new, old) for new, old in pairwise(versions))
        return CHANGELOG.format("1.2.3").replace("## [1.2.3]", f"{UNRELEASED}{sections}## [1.2.3]")

    def pushes(self) -> list[list[str]]:
        """Return the refs and options of each push of a night."""
        file = self.bare / "pushes"
        return [push.split("\n") for push in file.read_text().split("\n\n")[:-1]] if file.exists() else []

    def show(self, revision: str) -> str:
        """Return what the project has as a file or commit."""
        return call("git", "-C", self.bare, "show", revision)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Return whether a commit of the project is among those before another one."""
        return call("git", "-C", self.bare, "rev-list", "--count", f"{new}..{old}").strip() == "0"

    def merge(self, branch: str) -> None:
        """Merge a branch into the default branch, as a merge request does, and take it along in the clone."""
        self.git("fetch", "--quiet", "origin", branch)
        self.git("merge", "--quiet", "--no-ff", "--message=Merge", "FETCH_HEAD")
        self.git("push", "--quiet", "origin", "main")

    def git(self, *words: str) -> str:
        """Run git in the clone, as a person."""
        person = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
        return call("git", "-C", self.clone, *person, *words).strip()

    def commit(self, name: str, text: str) -> None:
        """Commit a file."""
        (self.clone / name).write_text(text)
        self.git("add", name)
        self.git("commit", "--quiet", f"--message=Write {name}")

    def tag(self, name: str, hours: int = 24, commit: str = "HEAD") -> None:
        """Set a tag that is so old, and push it."""
        moment = f"{int(time.time()) - hours * 3600} +0000"
        words = ("git", "-C", self.clone, "-c", "user.name=A Person", "-c", "user.email=person@example.org")
        call("env", f"GIT_COMMITTER_DATE={moment}", *words, "tag", "--annotate", "--message=x", name, commit)
        self.git("push", "--quiet", "origin", name)

    def tag_again(self, name: str) -> None:
        """Take a tag along in the clone, as if a night had set it a day ago."""
        self.git("tag", "--delete", name)
        self.git("fetch", "--quiet", "origin", f"refs/tags/{name}")
        commit = self.git("rev-parse", "FETCH_HEAD^{commit}")
        self.git("push", "--quiet", "origin", f":refs/tags/{name}")
        self.tag(name, commit=commit)

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
            "CI_DEFAULT_BRANCH": "main",
            "CI_PROJECT_PATH_SLUG": "group-project",
            "CI_PROJECT_URL": self.bare.as_uri().removesuffix(".git"),
            "CI_SERVER_HOST": "gitlab.example.org",
            "RELEASE_TOKEN": TOKEN,
        }
        argv = [str(ROOT / ".gitlab/ci/night.sh"), str(report)]
        environment = {**os.environ, **job, **variables}
        done = subprocess.run(argv, cwd=self.clone, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def released(version: str, branch: str = "nightly-1.2") -> str:
    """Return what the script says in the end."""
    return f"night: 1.2.3 needs a rebuild, and is released again as {version}; the branch {branch} brings it to main"
