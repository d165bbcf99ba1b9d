"""The measurements of this project: each runs a user's command in a new process."""

import shutil
import sys
from pathlib import Path

from dev.bench.measure import Measured, Measuring, run
from dev.bench.variants import ROOT, with_changed_python, with_eight_images, with_many_images
from pipeline.build.base_reference import ANY_STAND_IN
from pipeline.catalogue.lines import LINES


class Project:
    """The measurements of this project in one directory.

    Args:
        directory: a directory on a disk, for stores and archives.
        base: the archive of the base of every build.
    """

    def __init__(self, directory: Path, base: Path) -> None:
        self._directory, self._base = directory, base

    def cold(self, store: str = "cold", *, sources: Path = ROOT, stand_in: bool = False) -> Measured:
        """Build all images from an empty store, with all checks."""
        self.forget(store)
        return self._build_all(store, sources, stand_in=stand_in)

    def unchecked(self) -> Measured:
        """Build and export all images from an empty store without checks."""
        self.forget("unchecked")
        output = self._directory / "unchecked-dist"
        output.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "dev.bench.unchecked", self._base, self._directory / "unchecked", output]
        measured = _timed(argv, ROOT)
        self.forget("unchecked")
        return measured

    def again(self, store: str = "cold") -> Measured:
        """Build all images again after no change."""
        return self._build_all(store, ROOT)

    def changed(self, store: str = "cold") -> Measured:
        """Build all images after a change to ska-python: one more package."""
        sources = with_changed_python(self._directory / "changed")
        try:
            return self._build_all(store, sources)
        finally:
            shutil.rmtree(sources)

    def eight(self) -> Measured:
        """Build eight images instead of four from an empty store."""
        sources = with_eight_images(self._directory / "eight")
        try:
            return self.cold("eight-store", sources=sources)
        finally:
            shutil.rmtree(sources)
            self.forget("eight-store")

    def many(self, count: int) -> Measured:
        """Build small images on ska-base, which is in the store of `cold`, as the four images are."""
        sources = with_many_images(self._directory / "many", count)
        try:
            return self._build_all("cold", sources)
        finally:
            shutil.rmtree(sources)

    def lines(self, store: str = "stand-ins") -> Measured:
        """Build the images of all lines and their stand-ins from an empty store."""
        self.forget(store)
        measured = self._build_all(store, ROOT, *(f"--line={line.name}" for line in LINES), stand_in=True)
        self.forget(store)
        return measured

    def large(self, size: int, store: str = "cold") -> Measured:
        """Export ska-base, which is in the store, with one very large layer.

        Args:
            size: of the file in the layer, in bytes.
            store: a store of `cold`.
        """
        script = f"yes 'not all zeros' | head -c {size} >/large"
        output = self._directory / "large.tar"
        step = ["build", "--image=ska-base", "with-exec", f"--args=sh,-c,{script}"]
        try:
            return _timed([*self._command(store), *step, "--output", output], ROOT)
        finally:
            output.unlink(missing_ok=True)

    def forget(self, store: str) -> None:
        """Remove a store and the results of its builds."""
        for name in (store, f"{store}-dist"):
            shutil.rmtree(self._directory / name, ignore_errors=True)

    def _build_all(self, store: str, sources: Path, *options: str, stand_in: bool = False) -> Measured:
        command = [*self._command(store, stand_in=stand_in), *options]
        return _timed([*command, "build-all", "--output", self._directory / f"{store}-dist"], sources)

    def _command(self, store: str, *, stand_in: bool = False) -> list[object]:
        base = [f"--base={ANY_STAND_IN}"] if stand_in else [f"--base-archive={self._base}"]
        own = ["--engine=embedded", "--progress=plain", f"--store={self._directory / store}"]
        return [sys.executable, "-m", "pipeline", *own, *base]


def importing(*options: str) -> Measured:
    """Import Dagger's SDK and nothing else.

    Args:
        options: options of Python.
    """
    return _timed([sys.executable, *options, "-c", "import dagger"], ROOT)


def stand_in(store: Path, output: Path) -> Measured:
    """Bootstrap the stand-in base and export it as an archive."""
    return _timed([sys.executable, "-m", "dev.bench.stand_in", store, output], ROOT)


def _timed(argv: list[object], cwd: Path) -> Measured:
    with Measuring() as measuring:
        run(argv, cwd=cwd)
    return measuring.result()
