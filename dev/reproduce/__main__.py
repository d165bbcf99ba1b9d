"""`make reproduce`: builds all images twice from nothing and compares them; exit code 1 where one differs."""

import argparse
import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev.reproduce.archive import ArchiveError
from dev.reproduce.builds import BuildFailed, arguments, plain, unlike
from dev.reproduce.comparison import compare_all
from dev.reproduce.table import table
from tests.ordinary_user import ordinary_user

ABOUT = "Builds all images twice from nothing and compares them. Further arguments are those of ska-images build-all."


def main(argv: Sequence[str] | None = None) -> int:
    """Build and compare.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        The exit code: 0 if all images are the same, 1 if one differs, 2 if there is nothing to compare.
    """
    parser = argparse.ArgumentParser(prog="make reproduce ARGS=", description=ABOUT, allow_abbrev=False)
    parser.add_argument("--against", type=Path, metavar="DIR", help="build once, and compare with the archives there")
    parser.add_argument("--built", type=Path, metavar="DIR", help="with --against: take these archives, build nothing")
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp"), help="work there, on a disk (/var/tmp)")  # noqa: S108
    given, rest = parser.parse_known_args(argv)
    work = Path(tempfile.mkdtemp(prefix="ska-images-reproduce-", dir=given.directory))
    work.chmod(0o755)
    same = True
    try:
        first, second = (given.against, given.built) if given.built else asyncio.run(_build(work, given.against, rest))
        found = compare_all(first, second, keep=work / "differences")
        same = not any(image.differences for image in found.values())
        print(table(found), flush=True)
    except (ArchiveError, BuildFailed) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        if same:
            shutil.rmtree(work)
    if not same:
        _look_closer(work)
    return int(not same)


async def _build(work: Path, earlier: Path | None, given: Sequence[str]) -> tuple[Path, Path]:
    """Return the directories of the archives to compare; the second is new."""
    words = arguments(earlier, given)
    first = earlier or plain(work / "first", words)
    async with ordinary_user(work) as user:
        second = unlike(user, words)
        shutil.move(second, work / "second")
    return first, work / "second"


def _look_closer(work: Path) -> None:
    """Print where the archives are, and let diffoscope show the differences inside entries."""
    print(f"\nThe archives are kept in {work}, and what differs in {work}/differences.", file=sys.stderr, flush=True)
    if shutil.which("diffoscope") is None:
        print("With diffoscope (apt-get install diffoscope-minimal) this would show more.", file=sys.stderr)
        return
    for first in sorted((work / "differences").glob("*.first.tar")):
        second = first.with_name(first.name.replace(".first.", ".second."))
        subprocess.run(["diffoscope", first, second], check=False)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that an interrupt removes the files too
    sys.exit(main())
