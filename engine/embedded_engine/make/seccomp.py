"""The system calls that a step may make: Docker's default profile, made from the profile that container tools install.

That file has the form of Docker's (moby/profiles seccomp/seccomp.go), with rules that depend on capabilities and on the
machine; runc reads the OCI form (runtime-spec config-linux.md, "Seccomp"). The profile of containers/common allows more
than Docker's; these additions are removed here.
"""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from embedded_engine.host.errors import HostMissing

#: The path of the profile of containers/common: containers.conf(5), seccomp_profile.
PROFILE = Path("/usr/share/containers/seccomp.json")
PACKAGE = "golang-github-containers-common"

#: The profile's name for each machine of uname(2).
ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
}
_NAMED = {
    "amd64": "SCMP_ARCH_X86_64",
    "arm64": "SCMP_ARCH_AARCH64",
    "ppc64le": "SCMP_ARCH_PPC64LE",
    "s390x": "SCMP_ARCH_S390X",
    "riscv64": "SCMP_ARCH_RISCV64",
    "loong64": "SCMP_ARCH_LOONGARCH64",
}
#: Calls that reach the keys of the user who started the build; Docker does not allow them in a container.
KEYRINGS = ("add_key", "keyctl", "request_key")
#: Calls that Docker allows only with capabilities that no step has, or never.
WITHHELD = frozenset(
    {
        *KEYRINGS,
        *("clone", "clone3", "fsconfig", "fsmount", "fsopen", "fspick", "get_mempolicy", "mbind", "mount"),
        *("mount_setattr", "move_mount", "open_tree", "pidfd_getfd", "pivot_root", "reboot", "set_mempolicy"),
        *("set_mempolicy_home_node", "setns", "socket", "syslog", "umount", "umount2", "unshare"),
    }
)
#: The flags of clone(2) that create namespaces.
_NEW_NAMESPACES = 0x7E020000
#: Sockets of the kernel's ciphers and of the virtual machine's host; network namespaces do not isolate the latter.
_AF_ALG, _AF_VSOCK = 38, 40
_EPERM, _ENOSYS = 1, 38


def read_profile(path: Path = PROFILE) -> dict[str, Any]:
    """Return the profile that this machine's container tools install.

    Raises:
        HostMissing: the profile is missing; no step runs without it.
    """
    try:
        profile: dict[str, Any] = json.loads(path.read_text())
        if profile["defaultAction"] == "SCMP_ACT_ERRNO" and profile["syscalls"]:
            return profile
        problem = "allows what it does not name"
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"cannot be read ({error})"
    raise HostMissing(
        f"The seccomp profile {path}, which keeps steps from the kernel's dangerous calls, {problem}; "
        f"install it: apt-get install --reinstall {PACKAGE}"
    )


def for_steps(
    profile: Mapping[str, Any], capabilities: Collection[str], machine: str, kernel: tuple[int, int]
) -> dict[str, Any]:
    """Return Docker's default profile in the OCI form.

    Args:
        profile: the profile in the form of Docker and containers/common.
        capabilities: the greatest set of the step's capabilities, as in CAP_CHOWN.
        machine: the machine in the form of uname(2), as in x86_64.
        kernel: version and patch level, as in (6, 1).

    Raises:
        HostMissing: the profile does not know this machine.
    """
    if machine not in ARCHITECTURES:
        raise HostMissing(
            f"The seccomp profile of steps does not cover {machine} machines; build on x86_64 or aarch64."
        )
    architecture = ARCHITECTURES[machine]
    rules = [
        _rule(rule, names)
        for rule in profile["syscalls"]
        if _applies(rule, capabilities, architecture, kernel)
        and (names := [name for name in rule["names"] if name not in WITHHELD])
    ]
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile.get("defaultErrnoRet", _EPERM),
        "architectures": _architectures(profile, architecture),
        "syscalls": [*rules, *_dockers(architecture)],
    }


def for_privileged_steps() -> dict[str, Any]:
    """Return the profile of a privileged step, which still must not reach the user's keys."""
    # In a step that starts containers, runc works without keyrings.
    denied = {"names": list(KEYRINGS), "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS}
    return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [denied]}


def this_kernel() -> tuple[int, int]:
    """Return version and patch level of the running kernel."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(digit for digit in minor if digit.isdigit()))


def _applies(
    rule: Mapping[str, Any], capabilities: Collection[str], architecture: str, kernel: tuple[int, int]
) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    wanted, unwanted = includes.get("caps") or (), excludes.get("caps") or ()
    oldest = tuple(map(int, includes.get("minKernel", "0.0").split(".")))
    return (
        all(name in capabilities for name in wanted)
        and not any(name in capabilities for name in unwanted)
        and architecture in (includes.get("arches") or (architecture,))
        and architecture not in (excludes.get("arches") or ())
        and kernel >= oldest
    )


def _rule(rule: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    made = {"names": names, "action": rule["action"], "args": rule.get("args") or []}
    return made if rule.get("errnoRet") is None else {**made, "errnoRet": rule["errnoRet"]}


def _architectures(profile: Mapping[str, Any], architecture: str) -> list[str]:
    own = _NAMED[architecture]
    entries = (entry for entry in profile.get("archMap") or () if entry["architecture"] == own)
    return [own, *(name for entry in entries for name in entry.get("subArchitectures") or ())]


def _equal(value: int) -> dict[str, Any]:
    return {"index": 0, "value": value, "op": "SCMP_CMP_EQ"}


def _dockers(architecture: str) -> list[dict[str, Any]]:
    """Return Docker's rules for calls that it allows with some arguments."""
    flags = {"index": 1 if architecture == "s390x" else 0, "value": _NEW_NAMESPACES, "op": "SCMP_CMP_MASKED_EQ"}
    families = (("SCMP_CMP_LT", _AF_ALG), ("SCMP_CMP_EQ", _AF_ALG + 1), ("SCMP_CMP_GT", _AF_VSOCK))
    partly = [n for n in sorted(WITHHELD) if n not in ("clone", "clone3", "socket")]
    return [
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [flags]},
        # A filter cannot read its flags, which are in memory; programs fall back to clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "args": [], "errnoRet": _ENOSYS},
        *(
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": value, "op": operator}]}
            for operator, value in families
        ),
        *(
            {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [_equal(family)], "errnoRet": _EPERM}
            for family in (_AF_ALG, _AF_VSOCK)
        ),
        {"names": partly, "action": "SCMP_ACT_ERRNO", "args": [], "errnoRet": _EPERM},
    ]
