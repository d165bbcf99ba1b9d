"""The stand-in base: a root file system from the machine's own signed apt sources, by mmdebstrap."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embedded_engine.graph.names import name_of
from embedded_engine.graph.nodes import StandIn
from embedded_engine.host import syscalls
from embedded_engine.host.aptauth import without_login
from embedded_engine.host.credentials import without_logins
from embedded_engine.host.errors import CommandFailed, StandInImpossible
from embedded_engine.host.namespace import in_user_namespace
from embedded_engine.host.process import run
from embedded_engine.host.settings import HostSettings
from embedded_engine.make.evaluator import Evaluator, builds

SCHEME = "bootstrap:"
OS_RELEASE = Path("/etc/os-release")
ORIGINS = {"debian": "Debian", "ubuntu": "Ubuntu"}
#: Code names by release: https://www.debian.org/releases/ and https://wiki.ubuntu.com/Releases.
SUITES = {
    "debian-12": "bookworm",
    "debian-13": "trixie",
    "debian-sid": "sid",
    "ubuntu-22.04": "jammy",
    "ubuntu-24.04": "noble",
    "ubuntu-26.04": "resolute",
}
#: Never released, so it has no updates beside it; mirrors hold indexes of it that are past their date.
UNRELEASED = "debian-sid"

#: apt-get(8) indextargets: one line for each package index of the machine's sources.
TARGETS = "$(CREATED_BY)|$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)"

#: Prints the directory of the package lists: apt-config(8).
LISTS = ("apt-config", "--format", "%v%n", "dump", "Dir::State::lists/d")
#: An index file in that directory, which may be compressed.
_INDEX = re.compile(r"(.*_Packages)(\.\w+)?$")

#: What apt says about an index that no key of this machine has signed.
_UNVERIFIED = re.compile(r"NO_PUBKEY|is not signed|signatures were invalid|Missing key|verification .*(?:error|failed)")

#: Files that depend on this machine or on the time, which mmdebstrap adds and the image must not keep.
LEFT_BY_BOOTSTRAP = ("etc/resolv.conf", "etc/hostname", "etc/apt/apt.conf.d/99mmdebstrap")


async def stand_in(address: str, epoch: int | None) -> StandIn:
    """Return the stand-in that a reference names.

    Args:
        address: `bootstrap:auto` for this machine's release, or another one of its distribution, as in
            `bootstrap:debian-13`.
        epoch: the time of its files, in seconds since 1970.

    Raises:
        StandInImpossible: this machine has another distribution, neither Debian nor Ubuntu, or no sources for it.
    """
    facts = _os_release()
    distribution = facts.get("ID", "unknown")
    own = f"{distribution}-{facts.get('VERSION_ID', 'unknown')}"
    if distribution not in ORIGINS:
        raise StandInImpossible(
            f"A stand-in base needs Debian or Ubuntu, and this machine is {own}; start from an image of a registry."
        )
    wanted = address.removeprefix(SCHEME)
    release = own if wanted == "auto" else wanted
    suites = {name: suite for name, suite in SUITES.items() if name.startswith(f"{distribution}-")}
    suites[own] = facts.get("VERSION_CODENAME", "")
    if release not in suites:
        raise StandInImpossible(
            f"This machine is {own} and cannot bootstrap '{wanted}'; start from one of "
            f"{', '.join(f'{SCHEME}{name}' for name in sorted(suites))}."
        )
    sources = await _sources(ORIGINS[distribution], suites[own], release, suites[release])
    return StandIn(release=release, suite=suites[release], sources=sources, epoch=epoch)


def _os_release() -> dict[str, str]:
    rows = re.findall(r'^(\w+)="?([^"\n]*)"?$', OS_RELEASE.read_text(), re.MULTILINE)
    return dict(rows)


async def _sources(origin: str, own: str, release: str, suite: str) -> str:
    """Return the machine's sources of its distribution, one line each, without those of third parties.

    Args:
        origin: the distribution, as its indexes name it.
        own: the code name of the machine's release.
        release: the wanted release.
        suite: its code name, which takes the place of the machine's.
    """
    rows: dict[tuple[str, str, str], list[str]] = {}
    for line in (await _indexes()).splitlines():
        _, found, codename, uri, named, component, signed_by = line.split("|")
        # Without package lists, apt knows no origin; the code name then identifies the distribution's own sources.
        is_own = found == origin or (found.startswith("$") and named.partition("-")[0] == own)
        known = named if codename.startswith("$") else codename
        pocket = known.removeprefix(own)
        if not is_own or not known.startswith(own) or (pocket and release == UNRELEASED):
            continue
        options = [f"signed-by={signed_by}"] if signed_by.startswith("/") else []
        if release == UNRELEASED:
            options.insert(0, "check-valid-until=no")
        key = f" [{' '.join(options)}]" if options else ""
        rows.setdefault((key, without_login(uri), named if suite == own else suite + pocket), []).append(component)
    if not rows:
        raise StandInImpossible(f"apt on this machine has no sources of {origin} {own}; add them.")
    return "".join(
        f"deb{key} {uri} {named} {' '.join(dict.fromkeys(components))}\n"
        for (key, uri, named), components in rows.items()
    )


async def _indexes() -> str:
    """Return the package indexes of this machine's sources, a line each."""
    with tempfile.TemporaryDirectory() as directory:
        _link_releases(Path((await run(LISTS)).stdout.strip()), Path(directory))
        command = ["apt-get", "-o", f"Dir::State::lists={directory}/", "indextargets", "--format", TARGETS]
        listed = await run([*command, "Created-By: Packages"])
        if not listed.stdout:  # this machine has no package lists, so nothing is known about the archives
            listed = await run([*command, "--no-release-info", "Created-By: Packages"])
    return listed.stdout


def _link_releases(lists: Path, directory: Path) -> None:
    """Make package lists with the same releases, whose indexes are empty: apt would read all packages first."""
    for path in lists.iterdir() if lists.is_dir() else ():
        if path.name.endswith("Release"):
            (directory / path.name).symlink_to(path)
        elif index := _INDEX.match(path.name):
            (directory / index.group(1)).touch()


@builds(StandIn)
async def bootstrap(evaluator: Evaluator, node: StandIn, directory: Path) -> dict[str, Any]:
    """Bootstrap the root file system directly into the store."""
    async with evaluator.slots:
        with evaluator.events.step(name_of(node)) as step:
            sources, root = directory / "base.list", directory / "diff"
            sources.write_text(node.sources)
            argv = ["mmdebstrap", "--variant=minbase", f"--mode={_mode()}", "--format=directory"]
            try:
                with _apt_settings(evaluator.host, directory / "apt") as options:
                    words = [*argv, *options, node.suite, str(root), str(sources)]
                    done = await run(words, env=_environment(evaluator, node))
            except CommandFailed as error:
                raise _failed(error, node) from error
            if node.release == UNRELEASED:
                step.log("stderr", f"W: {node.release} has no release; the date of its package index is not verified.")
            for line in done.stderr.splitlines():
                step.log("stderr", without_logins(line))
            _tidy(root)
            sources.unlink()
    return {}


@contextlib.contextmanager
def _apt_settings(host: HostSettings, directory: Path) -> Iterator[list[str]]:
    """Yield mmdebstrap's options for the host's apt settings, which are in memory for the duration of a block.

    Every user of the machine can read arguments, and mmdebstrap copies an options file into the root file system. The
    only option therefore names a file that apt reads if it exists (apt.conf(5)).
    """
    directory.mkdir()
    syscalls.mount("tmpfs", directory, "mode=0700,size=1m")
    try:
        host.write_apt(directory, str(directory))
        settings = directory / "apt.conf"
        yield [f'--aptopt=Dir::Etc::main "{settings}"'] if settings.exists() else []
    finally:
        syscalls.unmount(directory)
        directory.rmdir()


def _mode() -> str:
    # `root` mounts a sysfs in versions before 0.8.6, which a user namespace may not; `unshare` shows the machine's.
    return "unshare" if in_user_namespace() else "root"


def _environment(evaluator: Evaluator, node: StandIn) -> dict[str, str]:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    env = {"PATH": path, "LC_ALL": "C.UTF-8", **dict(evaluator.host.proxies)}
    if node.epoch is not None:
        env["SOURCE_DATE_EPOCH"] = str(node.epoch)
    return env


def _tidy(root: Path) -> None:
    for name in LEFT_BY_BOOTSTRAP:
        (root / name).unlink(missing_ok=True)
    lists = root / "etc/apt/sources.list.d"
    with contextlib.suppress(FileNotFoundError):
        # mmdebstrap names the file after its own input; readers of the image expect the usual name.
        (lists / "0000base.list").rename(root / "etc/apt/sources.list")
    # A runtime creates /dev itself, and importers refuse archives with device nodes.
    for left in (root / "dev", root / "var/cache/apt/archives", root / "var/lib/apt/lists"):
        for entry in left.glob("*") if left.exists() else ():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _failed(error: CommandFailed, node: StandIn) -> StandInImpossible:
    last = next((line for line in reversed(error.stderr.splitlines()) if line.startswith("E:")), error.stderr[-200:])
    sentence = f"A stand-in base cannot be bootstrapped from this machine's apt sources: {without_logins(last.strip())}"
    if _UNVERIFIED.search(error.stderr):
        return StandInImpossible(
            f"{sentence}; this machine's keys do not verify the packages of {node.release}: install a newer "
            "debian-archive-keyring or ubuntu-keyring, or start from an image of a registry."
        )
    return StandInImpossible(f"{sentence}; see that `apt-get update` works here, and that it offers {node.suite}.")
