"""The module's functions that build applications on the images; they hold no logic."""

from dataclasses import dataclass, replace
from typing import Annotated

import dagger
from dagger import Doc, Ignore

from pipeline.app.build_app import AppOrder, build_app, report_app
from pipeline.app.environment import NOT_SOURCE
from pipeline.app.pair import ReleasedPair
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.gates.definition import GateInputs
from pipeline.module.fresh import fresh
from pipeline.module.grouping import Group
from pipeline.module.parameters import (
    Account,
    AccountFlags,
    Connection,
    ConnectionFlags,
    Database,
    NotationTrustFlags,
    StandIn,
    TrustedFlags,
)
from pipeline.module.part import Part


@dataclass(frozen=True)
class AppFlags:
    """How an application is built."""

    source: Annotated[
        dagger.Directory,
        Doc("Directory of a Python project, with pyproject.toml and a lock."),
        # Not even sent to the engine, whose cache would otherwise see a change.
        Ignore(list(NOT_SOURCE)),
    ]
    lock: Annotated[
        str, Doc("Lock to use where there are several: uv.lock, poetry.lock, pylock.toml or requirements.txt.")
    ] = ""
    entrypoint: Annotated[
        str, Doc("What starts the application, as in 'python -m my_project'; by default its console script.")
    ] = ""
    apt: Annotated[
        list[str] | None, Doc("Package of the distribution that the application needs; may be given again.")
    ] = None
    build_apt: Annotated[list[str] | None, Doc("Package that only building needs; may be given again.")] = None
    netrc: Annotated[
        dagger.Secret | None, Doc("Logins of private package indexes, as in file://~/.netrc; no layer keeps them.")
    ] = None
    test: Annotated[
        str, Doc("Command that tests it in the build image with its development dependencies, as in 'pytest -q'.")
    ] = ""


@dataclass(frozen=True)
class PairFlags(TrustedFlags, NotationTrustFlags):
    """The images that an application stands on, and whose signatures of their release count."""

    release: Annotated[
        str, Doc("Release of the images to build on, as in 1.2.3, verified; by default the images are built.")
    ] = ""
    allow_stand_in_base: StandIn = False


App = Annotated[AppFlags, Group()]
PairImages = Annotated[PairFlags, Group()]


class AppFunctions(Part):
    """Applications on the images."""

    @fresh
    async def build_app(self, app: App, pair: PairImages, account: Account, connection: Connection) -> dagger.Container:
        """Build a Python project into a checked container on ska-python, with the tools of ska-build-python.

        The dependencies of the lock are a layer of their own. If a test or a check fails, nothing is returned and all
        results are shown.
        """
        released = _released(pair, account, connection)
        return await build_app(self._app_order(app), released, GateInputs(await self._pair_build(), moment))

    @fresh
    async def report_app(
        self,
        app: App,
        pair: PairImages,
        with_: Annotated[
            list[str] | None, Doc("Evidence to add: sbom, scan or provenance; may be given again.")
        ] = None,
        *,
        account: Account,
        connection: Connection,
        database: Database,
    ) -> dagger.Directory:
        """Build an application as `build-app` does, and return its archive with evidence.

        Returns a directory with NAME.tar, app-report.json with the sizes of the layers and all checks, and the files of
        --with. If a gate fails, nothing is returned.
        """
        released = _released(pair, account, connection)
        inputs = GateInputs(await self._pair_build(), moment, database.order)
        return await report_app(self._app_order(app), released, inputs, with_ or ())

    async def _pair_build(self) -> Build:
        """Return the build of the pair; version, team, url and source are the application's."""
        return await replace(self, version="", team="", url="", source="")._build()

    def _app_order(self, app: AppFlags) -> AppOrder:
        given = {"version": self.version, "team": self.team, "url": self.url, "source": self.source}
        return AppOrder(
            app.source, app.lock, app.entrypoint, tuple(app.apt or ()), tuple(app.build_apt or ()), app.netrc, app.test,
            given,
        )  # fmt: skip


def _released(pair: PairFlags, account: AccountFlags, connection: ConnectionFlags) -> ReleasedPair:
    login = connection.login(account)
    return ReleasedPair(pair.release, login, pair.trusted, pair.trust, pair.allow_stand_in_base, moment())
