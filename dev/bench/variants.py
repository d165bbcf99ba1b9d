"""Copies of this project in which the catalogue differs: what a maintainer's change costs."""

import re
import shutil
from pathlib import Path

from dev.bench.measure import BenchError

ROOT = Path(__file__).parents[2]
#: What the embedded engine and the command line read of a checkout.
PARTS = ("pipeline", "pyproject.toml")
#: Four more children: two with a small package, two with files only.
MORE = """
from pipeline.build.inputs import Step as _Step  # noqa: E402


def _file(name: str) -> "_Step":
    return lambda container: container.with_new_file(f"/etc/{name}", name)


CATALOGUE += tuple(
    Image(
        name=name,
        parent=parent,
        title=name,
        description=name,
        install=install,
        checks=(),
        size_budget=800 * MEGABYTE,
    )
    for name, parent, install in (
        ("bench-less", "ska-python", lambda _: install_packages("bench-less", "less")),
        ("bench-file", "ska-python", lambda _: _file("bench-file")),
        ("bench-bc", "ska-base", lambda _: install_packages("bench-bc", "bc")),
        ("bench-tools", "ska-build-python", lambda _: _file("bench-tools")),
    )
)
"""


def copy(directory: Path) -> Path:
    """Copy what runs of this checkout into a new directory."""
    directory.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, directory / part)
    return directory


def with_changed_python(directory: Path) -> Path:
    """Let ska-python install one package more."""
    return _edited(copy(directory), r'(install_packages\("ska-python", [^)]*)\)', r'\1, "less")')


def with_eight_images(directory: Path) -> Path:
    """Add four images to the catalogue."""
    return _edited(copy(directory), r"(\nCATALOGUE: .*?\n\)\n)", lambda found: found[1] + MORE)


def _edited(project: Path, pattern: str, replacement: object) -> Path:
    images = project / "pipeline" / "images.py"
    text, count = re.subn(pattern, replacement, images.read_text(), flags=re.DOTALL)  # type: ignore[call-overload]
    if count != 1:
        raise BenchError(
            f"{images.name} has {count} places like {pattern!r} instead of one; mend dev/bench/variants.py."
        )
    images.write_text(text)
    return project
