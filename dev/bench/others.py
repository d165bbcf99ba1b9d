"""The same images with other builders: docker's BuildKit and buildah, each with its own storage, which is removed."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dev.bench.dockerfiles import FROM
from dev.bench.measure import BenchError, Measured, Measuring, run
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import of_lines

#: Debian's client; one from another source may lack BuildKit.
DOCKER, DOCKERD = Path("/usr/bin/docker"), Path("/usr/sbin/dockerd")
#: Seconds for a daemon to start or to stop.
PATIENCE = 60.0
#: The images of one line.
IMAGES = of_lines(Settings().lines[:1])
DOCKER_ROW = "docker's BuildKit: four times build and save"
SIDE_BY_SIDE_ROW = "docker's BuildKit: the same, siblings side by side"
BUILDAH_ROW = "buildah: four times build and push to an archive"
PACKAGES = {DOCKER_ROW: "docker.io", SIDE_BY_SIDE_ROW: "docker.io", BUILDAH_ROW: "buildah"}


@dataclass(frozen=True)
class Builder:
    """A builder that is ready.

    Args:
        build: builds all images from the base's archive and exports them into a directory.
        daemon: the process that does the work; None if the commands do it themselves.
    """

    build: Callable[[Path], None]
    daemon: int | None = None


#: Starts a builder in an empty directory, with the build context and the archive of the base.
Start = Callable[[Path, Path, Path], AbstractContextManager[Builder]]


def measured(start: Start, directory: Path, context: Path, base: Path) -> Measured:
    """Build and export all images with a builder whose storage is empty.

    Raises:
        BenchError: the builder failed.
    """
    output = directory / "output"
    output.mkdir(parents=True)
    try:
        with start(directory, context, base) as builder:
            with Measuring(builder.daemon) as measuring:
                builder.build(output)
            return measuring.result()
    finally:
        remove(directory)


def in_order(one: Callable[[str, str | None], None]) -> None:
    """Build one image after another, as a plain script does.

    Args:
        one: builds an image; it gets the image's name and its parent's.
    """
    for image in IMAGES.values():
        one(image.name, image.parent)


def side_by_side(one: Callable[[str, str | None], None]) -> None:
    """Build each image after its parent, and the children of one parent concurrently."""
    with ThreadPoolExecutor(len(IMAGES)) as pool:
        done: dict[str | None, Future[None]] = {}

        def after_parent(name: str, parent: str | None) -> None:
            if parent:
                done[parent].result()
            one(name, parent)

        in_order(lambda name, parent: done.update({name: pool.submit(after_parent, name, parent)}))
        for future in done.values():
            future.result()


@contextlib.contextmanager
def docker(
    directory: Path, context: Path, base: Path, *, each: Callable[[Callable[[str, str | None], None]], None] = in_order
) -> Iterator[Builder]:
    """Run Debian's dockerd with all of its files in one directory, apart from any other on this machine.

    Args:
        directory: an empty directory on a disk.
        context: the build context.
        base: the archive of the base.
        each: in_order or side_by_side.

    Raises:
        BenchError: dockerd does not start.
    """
    socket, log = directory / "docker.sock", directory / "dockerd.log"
    places = [f"--data-root={directory / 'data'}", f"--exec-root={directory / 'exec'}"]
    files = [f"--pidfile={directory / 'pid'}", f"--host=unix://{socket}", f"--config-file={directory / 'daemon.json'}"]
    (directory / "daemon.json").write_text("{}")
    argv: list[str | Path] = [DOCKERD, *places, *files, "--iptables=false", "--ip6tables=false", "--bridge=none"]
    with log.open("w") as output:
        daemon = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def client(*words: object) -> str:
        # The user's configuration may name another builder.
        own = ["--config", directory / "config", "--host", f"unix://{socket}"]
        return run([DOCKER, *own, *words], cwd=context, DOCKER_BUILDKIT="1")

    def build(out: Path) -> None:
        loaded = client("load", "--quiet", "--input", base)
        client("tag", loaded.split()[-1], "bench-base")

        def one(name: str, parent: str | None) -> None:
            file = ["--file", f"{name}.Dockerfile", "--build-arg", f"{FROM}={parent or 'bench-base'}"]
            client("build", "--quiet", "--network=host", *file, "--tag", name, ".")
            client("save", "--output", out / f"{name}.tar", name)

        each(one)

    try:
        _wait_for(socket, daemon, log)
        yield Builder(build, daemon.pid)
    finally:
        daemon.terminate()
        try:
            daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


@contextlib.contextmanager
def buildah(directory: Path, context: Path, base: Path) -> Iterator[Builder]:
    """Use buildah with its own storage; the arguments are those of `docker`."""

    def client(*words: object) -> str:
        places = ["--root", directory / "root", "--runroot", directory / "run", "--storage-driver", "overlay"]
        return run(["buildah", *places, *words], cwd=context)

    def build(out: Path) -> None:
        pulled = client("pull", "--quiet", f"oci-archive:{base}")
        client("tag", pulled.split()[-1], "localhost/bench-base")

        def one(name: str, parent: str | None) -> None:
            file = ["--file", f"{name}.Dockerfile", "--build-arg", f"{FROM}=localhost/{parent or 'bench-base'}"]
            client("build", "--quiet", "--pull=never", "--network=host", *file, "--tag", f"localhost/{name}", ".")
            client("push", "--quiet", f"localhost/{name}", f"oci-archive:{out / name}.tar")

        in_order(one)

    yield Builder(build)


def remove(directory: Path) -> None:
    """Unmount everything below a directory, and remove it."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((place for place in mounted if place.startswith(f"{directory}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False)
    shutil.rmtree(directory)


def installed() -> dict[str, Start]:
    """Return the builders that are installed, by the rows of the table."""
    starts: dict[str, Start] = {
        DOCKER_ROW: docker,
        SIDE_BY_SIDE_ROW: partial(docker, each=side_by_side),
        BUILDAH_ROW: buildah,
    }
    return {row: start for row, start in starts.items() if PACKAGES[row] not in missing()}


def missing() -> list[str]:
    """Return the Debian packages of the builders that are not installed."""
    there = {"docker.io": DOCKER.exists() and DOCKERD.exists(), "buildah": shutil.which("buildah") is not None}
    return [package for package, found in there.items() if not found]


def versions() -> list[str]:
    """Return the versions of the installed builders."""
    programs = {"docker.io": str(DOCKER), "buildah": "buildah"}
    output = [run([program, "--version"], cwd=Path("/")) for name, program in programs.items() if name not in missing()]
    return [" ".join(line.replace(",", " ").split()[:3]) for line in output]


def _wait_for(socket: Path, daemon: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while subprocess.run([DOCKER, "--host", f"unix://{socket}", "info"], capture_output=True, check=False).returncode:
        if daemon.poll() is not None or time.monotonic() > until:
            raise BenchError(f"dockerd does not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
