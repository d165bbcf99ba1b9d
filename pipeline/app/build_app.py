"""Builds an application: its environment, its image, its tests and its checks."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagger

from pipeline.app.app_checks import checks_for
from pipeline.app.app_provenance import provenance_of_app
from pipeline.app.application import Identity, assemble, declared, identity_of, image_of
from pipeline.app.environment import Source, Workshop, dependencies_of, installed, read_source, requirements_of
from pipeline.app.pair import Pair, ReleasedPair, open_pair
from pipeline.app.step_failures import Reason, explained
from pipeline.app.tested import require_tests
from pipeline.build.assembly import Archive, BuiltImage, open_image
from pipeline.build.inputs import Build
from pipeline.concurrency import both
from pipeline.errors import AppError
from pipeline.escape import json_text
from pipeline.evidence.provenance import describe_run
from pipeline.gates import CHECKS, SBOM, SCAN
from pipeline.gates.definition import GateInputs, GateResult
from pipeline.gates.hold import files_of, look_at, prepare_all, require_passed
from pipeline.statement import Statement
from pipeline.steps.install import packages
from pipeline.steps.step import EPOCH

#: What `report-app` can add: what gates find, and the provenance.
GATES_OF_APPS = {SBOM.name: SBOM, SCAN.name: SCAN}
PROVENANCE = "provenance"
EVIDENCE = (*GATES_OF_APPS, PROVENANCE)
_APT_REASONS = (
    Reason(r"Unable to locate package (\S+)", "The distribution has no package {0}; correct --apt or --build-apt."),
    Reason(r"Package '?(\S+?)'? has no installation candidate", "The package {0} cannot be installed; leave it out."),
)


@dataclass(frozen=True)
class AppOrder:
    """What is to be built.

    Args:
        source: the project's directory.
        lock: the name of the lock to use; empty for the only one.
        entrypoint: what starts the application, as a shell's words; empty for the project's only console script.
        apt: packages of the distribution that the application needs.
        build_apt: packages that only building needs.
        netrc: logins of package indexes, in netrc's form.
        test: a shell command that runs its tests; empty for none.
        given: version, team, url and source, where the command line names them.
    """

    source: dagger.Directory
    lock: str
    entrypoint: str
    apt: tuple[str, ...]
    build_apt: tuple[str, ...]
    netrc: dagger.Secret | None
    test: str
    given: Mapping[str, str]


@dataclass(frozen=True)
class OpenedApp:
    """An application whose image is built and not checked yet.

    Args:
        built: the image, for gates.
        source: its source.
        identity: what it says about itself.
        pair: the images that it was made with.
        entrypoint: the words that start it.
    """

    built: BuiltImage
    source: Source
    identity: Identity
    pair: Pair
    entrypoint: tuple[str, ...]


async def build_app(order: AppOrder, released: ReleasedPair, inputs: GateInputs) -> dagger.Container:
    """Build an application, test it, and check its image.

    Raises:
        AppError: the source, its lock or an argument is not right.
        GateError: the image does not pass its checks.
        VerificationError, RegistryError: the release does not verify.
    """
    app = await _open(order, released, inputs.build, scanned=False)
    require_passed(await look_at(await prepare_all([CHECKS], inputs), [app.built]))
    return await app.built.container.get()


async def report_app(
    order: AppOrder, released: ReleasedPair, inputs: GateInputs, evidence: Sequence[str]
) -> dagger.Directory:
    """Build an application, hold it against gates, and return its archive with what they found.

    Args:
        order: what is built.
        released: the pair that it stands on.
        inputs: of the gates.
        evidence: names of EVIDENCE.

    Raises:
        AppError, GateError, VerificationError, RegistryError, ToolError, HoldError: see `build_app` and the gates.
    """
    if unknown := [name for name in evidence if name not in EVIDENCE]:
        raise AppError(f"--with takes {' or '.join(EVIDENCE)}, not {unknown[0]!r}.")
    started = inputs.clock()
    gates = [CHECKS, *(GATES_OF_APPS[name] for name in dict.fromkeys(evidence) if name in GATES_OF_APPS)]
    looks = await prepare_all(gates, inputs)
    app = await _open(order, released, inputs.build, scanned=SCAN in gates)
    results = await look_at(looks, [app.built])
    require_passed(results)
    name, archive = app.built.name, await app.built.archive.get()
    files = files_of(results).with_file(f"{name}.tar", await app.built.tarball())
    if PROVENANCE in evidence:
        parameters = {"entrypoint": app.entrypoint, "apt": order.apt, "build-apt": order.build_apt}
        run = await describe_run(started, inputs.clock)
        predicate = provenance_of_app(app.source, app.identity, app.pair, parameters, inputs.build, run)
        statement = Statement(name, archive.digest, predicate)
        files = files.with_new_file(f"{name}.provenance.json", statement.render())
    return files.with_new_file("app-report.json", json_text(_report(app, archive, results)))


def _report(app: OpenedApp, archive: Archive, results: Sequence[GateResult]) -> dict[str, Any]:
    layers = zip(archive.layers, archive.layer_sizes, strict=True)
    return {
        "name": app.built.name,
        "version": app.identity.metadata.version,
        "digest": archive.digest,
        "size": archive.size,
        "layers": [{"digest": digest, "size": size} for digest, size in layers],
        **{key: value for result in results for key, value in result.part.items()},
    }


async def _open(order: AppOrder, released: ReleasedPair, build: Build, *, scanned: bool) -> OpenedApp:
    source = await read_source(order.source, order.lock)
    entrypoint = _entrypoint(source, order.entrypoint)
    values = declared(source, order.given)
    pair = await open_pair(released, build)
    identity = identity_of(source, pair.runtime, build, values)
    workshop, runtime = await _prepared(order, pair, source.project.name, build)
    requirements = await requirements_of(source, workshop)
    dependencies, project = await _built(order, source, workshop, requirements, build)
    finished = assemble(runtime, dependencies, project, entrypoint, identity, build.settings.epoch)
    checks = checks_for(source, entrypoint, scanned=scanned)
    return OpenedApp(open_image(image_of(source, build), finished, build, checks), source, identity, pair, entrypoint)


async def _prepared(order: AppOrder, pair: Pair, name: str, build: Build) -> tuple[Workshop, dagger.Container]:
    """Return the images of the pair with further packages."""

    async def extended(container: dagger.Container, names: tuple[str, ...], flag: str) -> dagger.Container:
        if not names:
            return container
        if wrong := [word for word in names if word.startswith("-") or not word.isprintable() or " " in word]:
            raise AppError(f"{flag} takes the name of a package, not {wrong[0]!r}.")
        dated = container.with_user("root").with_env_variable(EPOCH, build.settings.epoch)
        added = packages(*names).on(dated, f"{name}-{flag.strip('-')}").without_env_variable(EPOCH)
        return await explained(added.sync, _APT_REASONS, f"The packages of {flag} cannot be installed.")

    builder, runtime = await both(
        partial(extended, pair.builder.container, order.build_apt, "--build-apt"),
        partial(extended, pair.runtime.container, order.apt, "--apt"),
    )
    return Workshop(builder, order.netrc), runtime


async def _built(
    order: AppOrder, source: Source, workshop: Workshop, requirements: str, build: Build
) -> tuple[dagger.Container, dagger.Directory]:
    """Return the environment of the dependencies and the project, once its tests pass."""

    async def made() -> tuple[dagger.Container, dagger.Directory]:
        dependencies = await dependencies_of(source, workshop, requirements)
        return dependencies, await installed(source, workshop, dependencies, build.settings.epoch)

    async def tested() -> None:
        if order.test:
            await require_tests(source, workshop, requirements, order.test)

    result, _ = await both(made, tested)
    return result


def _entrypoint(source: Source, given: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(given))
    except ValueError as error:
        raise AppError(f"--entrypoint {given!r} is not a shell's words ({error}); correct its quotes.") from error
    if words:
        return words
    scripts = source.project.scripts if source.project.is_package else ()
    if len(scripts) == 1:
        return scripts
    if source.project.name in scripts:
        return (source.project.name,)
    if scripts:
        names = ", ".join(scripts)
        raise AppError(f"The project has several console scripts, {names}; choose one with --entrypoint.")
    raise AppError("The project has no console script; say what starts it, as in --entrypoint 'python -m my_project'.")
