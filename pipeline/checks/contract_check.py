"""The check of an image's contract: what consumers see is what was committed."""

from collections.abc import Mapping

import dagger

from pipeline.checks.check import Check, CheckFailure, Subject, run_script
from pipeline.checks.contract import RECORD, SECTIONS, Contract, Difference, differences, recorded
from pipeline.checks.distribution import Distribution
from pipeline.concurrency import concurrently
from pipeline.errors import CatalogueError

#: Programs that Dockerfiles run, or that an image promises not to have.
_TOOLS = (
    *("bash", "sh", "adduser", "useradd", "apt-get", "curl", "wget", "git", "make", "cmake", "pkg-config"),
    *("cc", "c++", "gcc", "g++", "ld", "python", "python3", "python3-config", "pip", "pip3", "pipx", "poetry", "uv"),
    *("ssh", "sudo", "openssl"),
)
#: Paths that Dockerfiles name.
_PATHS = (
    *("/etc/skao.metadata", "/etc/ssl/certs/ca-certificates.crt", "/usr/share/zoneinfo/UTC", "/usr/local/bin"),
    *("/root", "/root/.local/bin", "/home/nonroot", "/tmp", "/var/tmp", "/.cache", "/.config", "/.local"),  # noqa: S108
)
#: Sections whose values a rolling distribution changes; its contract says what is there.
_ROLLING = frozenset({"python", "tools"})
#: How far the size may move before it is recorded again: a tenth.
_TENTH = 0.1


async def measure(image: str, distribution: Distribution, container: dagger.Container, step: str) -> Contract:
    """Return the contract that an image fulfils.

    Args:
        image: its name.
        distribution: that its base is of.
        container: its finished chain.
        step: the step's name in progress and errors.

    Raises:
        CheckFailure: a program of the image that the contract needs does not run.
    """
    output = await run_script(container, "contract", step, " ".join(_TOOLS), " ".join(_PATHS))
    sections: dict[str, dict[str, str]] = {name: {} for name in SECTIONS}
    for line in output.splitlines():
        section, name, value = (line + "\t").split("\t")[:3]
        sections[section][name] = value
    return Contract(image, distribution.name, {**sections, **await _configuration(container)})


async def _configuration(container: dagger.Container) -> Mapping[str, Mapping[str, str]]:
    user, workdir = await concurrently([container.user, container.workdir])
    entrypoint, command = await concurrently([container.entrypoint, container.default_args])
    variables = await container.env_variables()
    names = await concurrently([variable.name for variable in variables])
    values = await concurrently([variable.value for variable in variables])
    given = {"user": user, "workdir": workdir, "entrypoint": " ".join(entrypoint), "command": " ".join(command)}
    return {
        "configuration": {name: value for name, value in given.items() if value},
        "environment": dict(zip(names, values, strict=True)),
    }


async def _contract(subject: Subject, step: str) -> str:
    try:
        promised = recorded(subject.image, subject.distribution)
    except CatalogueError as error:
        raise CheckFailure(str(error)) from error
    found = await measure(subject.image, subject.distribution, subject.container, step)
    if promised is None:
        where = f"{subject.image} on {subject.distribution.name}"
        return f"no contract is recorded for {where}; {RECORD} records what was found"
    wrong = [one for one in differences(promised, found) if not _is_tolerated(one, subject.distribution)]
    if wrong:
        lines = (f"{one.title}: expected {one.before or 'nothing'}, found {one.after or 'nothing'}" for one in wrong)
        raise CheckFailure("\n".join(lines))
    return f"{sum(map(len, promised.sections.values()))} values as recorded"


def _is_tolerated(difference: Difference, distribution: Distribution) -> bool:
    if difference.section == "size":
        before, after = float(difference.before or 0), float(difference.after or 0)
        return abs(after - before) <= _TENTH * before
    # A rolling distribution brings other versions every week.
    return distribution.is_rolling and bool(difference.before and difference.after) and difference.section in _ROLLING


CONTRACT = Check("contract", "what consumers see is what is committed", _contract)
