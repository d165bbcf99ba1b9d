"""The machine's stand-in base as an archive: python -m dev.bench.stand_in STORE OUTPUT."""

import sys
from pathlib import Path

import anyio
from dagger import dag
from dagger.client._session import ConnectParams, SharedConnection
from embedded_engine.session import open_session

from pipeline.build.base_reference import ANY_STAND_IN
from pipeline.build.settings import Settings
from pipeline.steps.step import EPOCH


async def main(*places: Path) -> None:
    """Bootstrap and export the base, with the dates that builds use."""
    store, output = places
    async with open_session(store=store) as session:
        connection = SharedConnection().with_params(ConnectParams(port=session.port, session_token=session.token))
        async with connection:
            base = dag.container().with_env_variable(EPOCH, Settings().epoch).from_(ANY_STAND_IN)
            await base.without_env_variable(EPOCH).export(str(output))


if __name__ == "__main__":
    anyio.run(main, *(Path(word).absolute() for word in sys.argv[1:3]))
