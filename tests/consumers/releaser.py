"""Releases through the real command line, and watches the command lines of its processes."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.publish.test_login import PASSWORD, USER
from tests.trust.signing import PASSWORD as KEY_PASSWORD
from tests.trust.signing import KeyPair

LOGIN = ("--username", USER, "--password", "env://REGISTRY_PASSWORD")
SIGNER = ("--key", "env://COSIGN_KEY", "--key-password", "env://COSIGN_PASSWORD")


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
        keys: that the release is signed with.
        commands: the command lines of all processes while the command ran.
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
    commands: set[bytes] = field(default_factory=set)
    output: list[str] = field(default_factory=list)

    def run(self, *words: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run a function with the login."""
        own = ("--progress=plain", "--store", self.store, "--base", "bootstrap:auto", "--tools", self.tools)
        argv = [str(word) for word in (sys.executable, "-m", "pipeline", *own, *words)]
        signing = {"COSIGN_KEY": self.keys.private.read_text(), "COSIGN_PASSWORD": KEY_PASSWORD}
        variables = {"REGISTRY_PASSWORD": PASSWORD, "SKA_DEBUG": "1", **signing}
        process = subprocess.Popen(
            argv,
            cwd=self.checkout,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watcher = threading.Thread(target=self._watch, args=(process,))
        watcher.start()
        stdout, stderr = process.communicate()
        watcher.join()
        self.output += [stdout, stderr]
        assert process.returncode == code, f"{' '.join(map(str, words))}: {stdout}{stderr}"
        return subprocess.CompletedProcess(argv, code, stdout, stderr)

    def publish(self, *words: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """Publish the images of the session."""
        # The images name the registry of the settings, as those of the session do.
        what = ("publish", "--tag", f"v{self.version}", "--to", f"{self.host}/ska", "--allow-stand-in-base")
        database = ("--vulnerability-db-directory", self.database)
        return self.run(*what, *LOGIN, *SIGNER, *database, *words, code=code)

    def _watch(self, process: "subprocess.Popen[str]") -> None:
        while process.poll() is None:
            for path in Path("/proc").glob("[0-9]*"):
                # A process may end at any time.
                with contextlib.suppress(OSError):
                    self.commands.add((path / "cmdline").read_bytes())
            time.sleep(0.02)
