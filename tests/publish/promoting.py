"""A process that promotes a release, for a test to kill: python -m tests.publish.promoting TAG FROM TO"""

import sys

import anyio

from pipeline.release.login import Login
from pipeline.release.promote import Side, promote
from tests.built_images import LINE


async def main(tag: str, source: str, target: str) -> None:
    """Promote the release, and say when that begins."""
    print("pushing", flush=True)
    await promote(tag, [LINE], Side(source, Login()), Side(target, Login()), dry_run=False, allow_stand_in_base=False)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3])
