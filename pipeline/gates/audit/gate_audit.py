"""How hard an image is, measured by OpenSCAP with the SCAP Security Guide, and held against a baseline.

The image is mounted beside OpenSCAP and read as files: nothing of it runs.
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial

import dagger
from dagger import dag

from pipeline.build.assembly import Finished
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import by_name, find
from pipeline.concurrency import concurrently
from pipeline.errors import AuditError
from pipeline.gates.audit.audited import Audited, judged, require_hard, versioned
from pipeline.gates.audit.baseline import render_baseline
from pipeline.gates.audit.tailoring import PROFILE, RULE, TAILORED, render
from pipeline.gates.tools import Toolbox
from pipeline.steps.install import packages
from pipeline.steps.step import EPOCH

#: The rules of each distribution that is audited.
CONTENT: Mapping[str, str] = {"debian-12": "ssg-debian12-ds.xml", "ubuntu-22.04": "ssg-ubuntu2204-ds.xml"}
_ROOT, _CONTENT, _TAILORING = "/mnt/root", "/mnt/content.xml", "/mnt/tailoring.xml"
# What the rules on all files of a system search is what /proc/mounts lists. Without it they search nothing, and pass.
_MOUNTS = "/dev/image / ext4 ro 0 0\n"
# Without /etc/mtab other rules search nothing. Status 2 says that a rule failed, 1 that the audit did; what fails
# is not kept, so that the next audit looks again. The threads of OpenSCAP 1.3.7 were seen to wait for each other for
# ever, after ten seconds of work: 124 says that it was given up, and it gets two further attempts.
_AUDIT = """
ln -sf /proc/mounts /etc/mtab
mkdir -p /mnt/said
for attempt in 1 2 3; do
    status=0
    timeout --kill-after=5 120 oscap xccdf eval --progress "$@" >/mnt/said/outcomes 2>/mnt/said/errors || status=$?
    [ "$status" = 124 ] || break
done
[ "$status" = 0 ] || [ "$status" = 2 ] || { cat /mnt/said/errors >&2; exit 1; }
"""
#: How OpenSCAP says on standard error that it goes on without having looked, as `dpkginfo_init has failed`; rules then
#: pass or fail for nothing. A warning begins with W.
_BLIND = re.compile(r"^E: .*", re.MULTILINE)


async def audit_images(names: Iterable[str], build: Build) -> list[Audited]:
    """Build images, audit them side by side, and hold them against the baseline; no problem of one hides another's.

    Args:
        names: of the images; all, where there are none.
        build: the settings, the base and the tools.

    Raises:
        UnknownImageError: there is no such image.
        ToolError: the rules cannot be had.
        AuditError: an image cannot be audited.
        dagger.ExecError: an image or OpenSCAP's container cannot be built.
    """
    listed = [find(name).name for name in names] or by_name()
    return await _judged({name: chain(name, build) for name in listed}, build)


async def gate(images: Iterable[Finished], build: Build) -> list[Audited]:
    """Audit images that are built and packed.

    Raises:
        AuditError: one is not as hard as its baseline; the text holds the whole table.
        ToolError, dagger.ExecError: as `audit_images`.
    """
    audited = await audit_finished(images, build)
    require_hard(audited)
    return audited


async def audit_finished(images: Iterable[Finished], build: Build) -> list[Audited]:
    """Audit images that are built and packed; what is found is a result.

    Raises:
        ToolError, AuditError, dagger.ExecError: as `audit_images`.
    """
    return await _judged({one.image.name: one.container for one in images}, build)


async def record_audit(build: Build) -> str:
    """Audit all images and return the baseline that they make: what holds in all of them.

    Raises:
        ToolError, AuditError, dagger.ExecError: as `audit_images`.
    """
    first, *others = await _audited({name: chain(name, build) for name in by_name()}, build)
    same = {
        rule: outcome
        for rule, outcome in first.outcomes.items()
        if all(one.outcomes.get(rule) == outcome for one in others)
    }
    return render_baseline(first.profile, versioned(first.content), same)


async def audit(name: str, container: dagger.Container, build: Build, *, tailored: bool = True) -> Audited:
    """Audit one image, and hold it against nothing yet.

    Args:
        name: of the image.
        container: its finished chain.
        build: the settings, the base and the tools.
        tailored: without the rules that mean nothing in a container.

    Raises:
        ToolError: the rules cannot be had.
        AuditError: it cannot be audited.
        dagger.ExecError: it or OpenSCAP's container cannot be built.
    """
    root = container.rootfs()
    system = _system(name, await root.file("usr/lib/os-release").contents())
    content = await Toolbox.of(build).file(CONTENT[system])
    options = ["--profile", TAILORED if tailored else PROFILE]
    prepared = (await auditor(build).sync()).with_mounted_file(_CONTENT, content)
    if tailored:
        file = dag.file("tailoring.xml", render(CONTENT[system]))
        prepared = prepared.with_mounted_file(_TAILORING, file)
        options += ["--tailoring-file", _TAILORING]
    outcomes = await _evaluate(name, prepared, root, options)
    return Audited(
        image=name,
        system=system,
        profile=PROFILE,
        content=CONTENT[system],
        outcomes=outcomes,
    )


def auditor(build: Build) -> dagger.Container:
    """Return the container that has OpenSCAP, one for all images.

    Ubuntu 22.04 has OpenSCAP 1.2.17, which takes none of today's rules for applicable
    (https://github.com/OpenSCAP/openscap/issues/2018), so that its images are audited from the setting `auditor`.
    """
    start = build.base.container if build.base.is_stand_in else dag.container().from_(build.settings.auditor)
    return packages("openscap-scanner").on(start.with_env_variable(EPOCH, build.settings.epoch), "auditor")


def outcomes_of(output: str, errors: str) -> dict[str, str]:
    """Read what oscap said: a line `RULE:OUTCOME` for each rule.

    Raises:
        AuditError: it could not look at the image, or said something else.
    """
    if blind := _BLIND.search(errors):
        raise AuditError(f"OpenSCAP could not look at all of the image ({blind.group().strip()}), so nothing is known.")
    found: dict[str, str] = {}
    for line in output.splitlines():
        rule, _, outcome = line.strip().rpartition(":")
        if not rule.startswith(RULE) or not outcome.isalpha():
            raise AuditError(f"OpenSCAP said {line!r}, which is no outcome of a rule; see which version of it runs.")
        found[rule.removeprefix(RULE)] = outcome
    return found


async def _audited(containers: Mapping[str, dagger.Container], build: Build) -> list[Audited]:
    return await concurrently([partial(audit, name, one, build) for name, one in containers.items()])


async def _judged(containers: Mapping[str, dagger.Container], build: Build) -> list[Audited]:
    return [judged(one) for one in await _audited(containers, build)]


def _system(name: str, os_release: str) -> str:
    values = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', os_release, re.MULTILINE))
    system = f"{values.get('ID')}-{values.get('VERSION_ID')}"
    if system not in CONTENT:
        raise AuditError(
            f"The image {name} is of {system}, and there are rules for {', '.join(CONTENT)} only; build it on these."
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
        said = await done.directory("/mnt/said").sync()
    except dagger.ExecError as error:
        last = " ".join(error.stderr.split()[-60:])
        raise AuditError(
            f"OpenSCAP cannot audit {name} ({last}); see whether the rules are those of its system."
        ) from error
    return outcomes_of(await said.file("outcomes").contents(), await said.file("errors").contents())
