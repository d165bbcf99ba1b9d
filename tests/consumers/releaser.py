"""Releases through the real command line, and watches the command lines of its processes."""

import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from dev.bench.accounting import INTERVAL
from dev.bench.measure import Watch, descendants
from pipeline.registry.address import parse_reference
from tests.publish.test_login import PASSWORD, USER
from tests.trust.authority import Issued
from tests.trust.signing import PASSWORD as KEY_PASSWORD
from tests.trust.signing import KeyPair

LOGIN = ("--username", USER, "--password", "env://REGISTRY_PASSWORD")


def by_digest(reference: str) -> str:
    """Return a reference without its tag; skopeo takes no reference with both a tag and a digest."""
    return str(replace(parse_reference(reference), tag=""))


@dataclass
class Releaser:
    """A checkout with the version's day in its changelog, a registry that requires a login, and what was seen of runs.

    Args:
        checkout: where the command runs.
        store: of the engine.
        host: of the registry.
        version: of the images of the session, so that nothing has to be built.
        created: when they were.
        tools: the directory of --tools.
        database: of vulnerabilities, none of them here.
        keys: that cosign signs the release with.
        certificate: that notation signs it with.
        root: the certificate of who issued that one.
        commands: the command lines of the command and the processes that it started.
        output: what the command printed.
    """

    checkout: Path
    store: Path
    host: str
    version: str
    created: str
    tools: Path
    database: Path
    keys: KeyPair
    certificate: Issued
    root: Path
    commands: set[bytes] = field(default_factory=set)
    output: list[str] = field(default_factory=list)

    @property
    def signer(self) -> tuple[str | Path, ...]:
        """The words that sign with both tools."""
        cosign = ("--key", "env://COSIGN_KEY", "--key-password", "env://COSIGN_PASSWORD")
        return (*cosign, "--notation-key", "env://NOTATION_KEY", "--notation-chain", self.certificate.chain)

    @property
    def trusted(self) -> tuple[str | Path, ...]:
        """The words that trust both signatures."""
        notation = ("--notation-root", self.root, "--notation-identity", self.certificate.identity)
        return ("--key", self.keys.public, *notation)

    def run(self, *words: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run a function with the login."""
        own = ("--progress=plain", "--store", self.store, "--base", "bootstrap:auto", "--tools", self.tools)
        argv = [str(word) for word in (sys.executable, "-m", "pipeline", *own, *words)]
        signing = {
            "COSIGN_KEY": self.keys.private.read_text(),
            "COSIGN_PASSWORD": KEY_PASSWORD,
            "NOTATION_KEY": self.certificate.key.read_text(),
        }
        variables = {"REGISTRY_PASSWORD": PASSWORD, "SKA_DEBUG": "1", **signing}
        process = subprocess.Popen(
            argv,
            cwd=self.checkout,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watch = Watch(partial(self._look, process.pid), INTERVAL)
        watch.start()
        stdout, stderr = process.communicate()
        watch.stop()
        self.output += [stdout, stderr]
        assert process.returncode == code, f"{' '.join(map(str, words))}: {stdout}{stderr}"
        return subprocess.CompletedProcess(argv, code, stdout, stderr)

    def publish(self, *words: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """Publish the images of the session."""
        # The images name the registry of the settings, as those of the session do.
        what = ("publish", "--tag", f"v{self.version}", "--to", f"{self.host}/ska", "--allow-stand-in-base")
        database = ("--vulnerability-db-directory", self.database)
        return self.run(*what, *LOGIN, *self.signer, *database, *words, code=code)

    def next_version(self) -> "Releaser":
        """Return a checkout of the next version, whose ska-python has one more package."""
        checkout = shutil.copytree(self.checkout, self.checkout.with_name("next"))
        minor, _, patch = self.version.rpartition(".")
        version = f"{minor}.{int(patch) + 1}"
        for name, old, new in (
            ("pyproject.toml", f'version = "{self.version}"', f'version = "{version}"'),
            ("CHANGELOG.md", f"## [{self.version}]", f"## [{version}] - 2026-02-28\n\n- Fonts.\n\n## [{self.version}]"),
            ("pipeline/steps/install.py", '"python-is-python3")', '"python-is-python3", "fonts-dejavu-core")'),
        ):
            text = (checkout / name).read_text()
            assert text.count(old) == 1, name
            (checkout / name).write_text(text.replace(old, new))
        return replace(self, checkout=checkout, version=version)

    def _look(self, process: int) -> None:
        for one in (process, *descendants(process)):
            # A process may end at any time.
            with contextlib.suppress(OSError):
                self.commands.add(Path(f"/proc/{one}/cmdline").read_bytes())
