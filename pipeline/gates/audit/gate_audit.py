"""The gate of hardening: OpenSCAP audits each image with the SCAP Security Guide, and a baseline decides.

OpenSCAP reads the image's files from a mount; no program of the image runs.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import dagger
from dagger import dag

from pipeline.build.assembly import BuiltImage
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import by_name
from pipeline.concurrency import concurrently
from pipeline.errors import HoldError
from pipeline.gates.audit.audited import NAME, Audited, problems_of, result_of, unaudited
from pipeline.gates.audit.baseline import read_baseline, render_baseline
from pipeline.gates.audit.tailoring import PROFILE, RULE, TAILORED, render
from pipeline.gates.definition import TEST_RESULT, Gate, GateInputs, GateResult, Look
from pipeline.gates.tools import Toolbox, last_words
from pipeline.steps.install import packages
from pipeline.steps.step import EPOCH

#: The rules of each distribution that is audited.
CONTENT: Mapping[str, str] = {"debian-12": "ssg-debian12-ds.xml", "ubuntu-22.04": "ssg-ubuntu2204-ds.xml"}
_ROOT, _CONTENT, _TAILORING = "/mnt/root", "/mnt/content.xml", "/mnt/tailoring.xml"
# Rules about all files of a system search the mounts of /proc/mounts. Without it they search nothing, and pass.
_MOUNTS = "/dev/image / ext4 ro 0 0\n"
# Without /etc/mtab other rules search nothing. Exit code 2 means that a rule failed, 1 that the audit failed; engines
# do not cache a failed step, so the next audit runs it again. The threads of OpenSCAP 1.3.7 can deadlock after seconds
# of work: 124 means that it was stopped; it gets two further attempts.
_AUDIT = """
ln -sf /proc/mounts /etc/mtab
mkdir -p /mnt/output
for attempt in 1 2 3; do
    status=0
    timeout --kill-after=5 120 oscap xccdf eval --progress "$@" >/mnt/output/outcomes 2>/mnt/output/errors || status=$?
    [ "$status" = 124 ] || break
done
[ "$status" = 0 ] || [ "$status" = 2 ] || { cat /mnt/output/errors >&2; exit 1; }
"""
#: OpenSCAP's messages on standard error when it goes on without an examination, such as `dpkginfo_init has failed`;
#: the outcomes of rules then mean nothing. A warning begins with W.
_BLIND = re.compile(r"^E: .*", re.MULTILINE)


async def prepare(inputs: GateInputs) -> Look:
    """Get OpenSCAP, and the rules and the baseline of the base's distribution, and return the function that audits.

    Raises:
        ToolError: the rules cannot be fetched.
        HoldError: there are no rules for the distribution, or the baseline is damaged.
        dagger.ExecError: OpenSCAP's container cannot be built.
    """
    build = inputs.build
    openscap = await auditor(build).sync()
    system = await _system("the base", build.base.container)
    await Toolbox.of(build).file(CONTENT[system])
    read_baseline(system)

    async def look(images: Sequence[BuiltImage]) -> list[GateResult]:
        return await concurrently([partial(_look_at, image, openscap, build) for image in images])

    return look


async def record_audit(build: Build) -> str:
    """Audit all images and return their baseline: the outcomes that hold in all of them.

    Raises:
        ToolError: the rules cannot be fetched.
        HoldError: an image cannot be audited.
        dagger.ExecError: an image or OpenSCAP's container cannot be built.
    """
    openscap = await auditor(build).sync()
    containers = {name: await chain(name, build) for name in by_name()}
    jobs = [partial(audit, name, one, openscap, Toolbox.of(build)) for name, one in containers.items()]
    first, *others = await concurrently(jobs)
    same = {
        rule: outcome
        for rule, outcome in first.outcomes.items()
        if all(one.outcomes.get(rule) == outcome for one in others)
    }
    return render_baseline(PROFILE, str(first.rules), same)


async def audit(name: str, container: dagger.Container, openscap: dagger.Container, toolbox: Toolbox) -> Audited:
    """Audit one image, without a comparison.

    Args:
        name: the image's name.
        container: the image's finished chain.
        openscap: the result of `auditor`.
        toolbox: the source of the rules.

    Raises:
        ToolError: the rules cannot be fetched.
        HoldError: the image cannot be audited.
    """
    root = container.rootfs()
    system = await _system(name, container)
    content, rules = await toolbox.file(CONTENT[system])
    prepared = openscap.with_mounted_file(_CONTENT, content).with_mounted_file(
        _TAILORING, dag.file("tailoring.xml", render(CONTENT[system]))
    )
    options = ["--profile", TAILORED, "--tailoring-file", _TAILORING]
    return Audited(name, system, rules, await _evaluate(name, prepared, root, options))


def auditor(build: Build) -> dagger.Container:
    """Return the container with OpenSCAP, the same one for all images.

    OpenSCAP 1.2.17 of Ubuntu 22.04 treats all of today's rules as not applicable
    (https://github.com/OpenSCAP/openscap/issues/2018), so the setting `auditor` names another image for it.
    """
    start = build.base.container if build.base.is_stand_in else dag.container().from_(build.settings.auditor)
    return packages("openscap-scanner").on(start.with_env_variable(EPOCH, build.settings.epoch), "auditor")


def outcomes_of(output: str, errors: str) -> dict[str, str]:
    """Read the output of oscap: a line `RULE:OUTCOME` for each rule.

    Raises:
        HoldError: OpenSCAP could not examine the image, or the output has another form.
    """
    if blind := _BLIND.search(errors):
        raise HoldError(f"OpenSCAP could not look at all of the image ({blind.group().strip()}), so nothing is known.")
    found: dict[str, str] = {}
    for line in output.splitlines():
        rule, _, outcome = line.strip().rpartition(":")
        if not rule.startswith(RULE) or not outcome.isalpha():
            raise HoldError(
                f"OpenSCAP wrote {line!r}, which is not the outcome of a rule; see which version of it runs."
            )
        found[rule.removeprefix(RULE)] = outcome
    return found


async def _look_at(image: BuiltImage, openscap: dagger.Container, build: Build) -> GateResult:
    try:
        audited = await audit(image.name, await image.container.get(), openscap, Toolbox.of(build))
        return result_of(audited, problems_of(audited), image.build)
    except HoldError as error:
        return unaudited(image.name, str(error))


async def _system(name: str, container: dagger.Container) -> str:
    """Return a distribution that has rules, as in debian-12."""
    try:
        os_release = await container.rootfs().file("usr/lib/os-release").contents()
    except dagger.QueryError as error:
        raise HoldError(f"The file /usr/lib/os-release of {name} cannot be read ({last_words(error)}).") from error
    values = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', os_release, re.MULTILINE))
    system = f"{values.get('ID')}-{values.get('VERSION_ID')}"
    if system not in CONTENT:
        raise HoldError(
            f"The system of {name} is {system}, and there are rules for {', '.join(CONTENT)} only; build on one of "
            "these."
        )
    return system


async def _evaluate(
    name: str, prepared: dagger.Container, root: dagger.Directory, options: list[str]
) -> dict[str, str]:
    done = (
        prepared.with_mounted_directory(_ROOT, root.with_new_file("proc/mounts", _MOUNTS), read_only=True)
        .with_env_variable("OSCAP_PROBE_ROOT", _ROOT)
        .with_exec(["sh", "-euc", _AUDIT, f"{name}: audit", *options, _CONTENT])
    )
    try:
        output = await done.directory("/mnt/output").sync()
    except dagger.QueryError as error:
        raise HoldError(
            f"OpenSCAP cannot audit {name} ({last_words(error)}); see whether the rules are those of its system."
        ) from error
    return outcomes_of(await output.file("outcomes").contents(), await output.file("errors").contents())


AUDIT = Gate(NAME, prepare, needs_tools=True, attests=(TEST_RESULT,))
