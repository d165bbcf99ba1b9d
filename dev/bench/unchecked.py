"""Builds the images as archives without their checks, the same work as that of other builders.

python -m dev.bench.unchecked BASE_ARCHIVE STORE OUTPUT
"""

import sys
from functools import partial
from pathlib import Path

import anyio
from dagger import dag
from dagger.client._session import ConnectParams, SharedConnection
from embedded_engine.session import open_session

from pipeline.build.base import select_base
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import by_name
from pipeline.concurrency import concurrently


async def main(*places: Path) -> None:
    """Build and export."""
    archive, store, output = places
    async with open_session(store=store) as session:
        connection = SharedConnection().with_params(ConnectParams(port=session.port, session_token=session.token))
        async with connection:
            settings = Settings()
            base = await select_base(settings, dag.host().file(str(archive)))
            build = Build(settings, base)
            await concurrently([partial(one, name, build, output) for name in by_name()])


async def one(name: str, build: Build, output: Path) -> None:
    """Build and export one image."""
    await (await chain(name, build)).export(str(output / f"{name}.tar"))


if __name__ == "__main__":
    anyio.run(main, *(Path(word).absolute() for word in sys.argv[1:4]))
