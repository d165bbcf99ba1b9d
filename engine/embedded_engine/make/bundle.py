"""The OCI runtime bundle of a step: Docker's defaults, without a terminal and without NET_RAW.

Sources: OCI runtime-spec 1.0 config.md and config-linux.md; Docker's defaults in moby oci/defaults.go and
oci/caps/defaults.go.
"""

import os
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embedded_engine.host.namespace import IDS, in_user_namespace
from embedded_engine.host.users import User
from embedded_engine.make.network import Network

#: As in Dagger: core/container_exec.go.
HOSTNAME = "dagger"
DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


#: Capabilities by the kernel's numbers: include/uapi/linux/capability.h.
ALL_CAPABILITIES = tuple(
    f"CAP_{name}"
    for name in (
        "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
        "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
        "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL "
        "SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
    ).split()
)
#: Docker's capabilities without NET_RAW, as a mask: no step needs to capture packets.
DEFAULT_MASK = 0xA80405FB


def capabilities_of(privileged: bool) -> list[str]:
    """Return the capabilities of a step, limited to those of the engine."""
    mask = _own_mask() if privileged else DEFAULT_MASK
    return [name for number, name in enumerate(ALL_CAPABILITIES) if mask >> number & 1]


def _own_mask() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapPrm:")), 16)


_TMP = ["nosuid", "noexec", "nodev"]
#: The mounts of every Linux container: runtime-spec config-linux.md, "Default Filesystems".
FILESYSTEMS: tuple[dict[str, Any], ...] = (
    {"destination": "/proc", "type": "proc", "source": "proc", "options": _TMP},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
        "destination": "/dev/shm",  # noqa: S108  it is the container's
        "type": "tmpfs",
        "source": "shm",
        "options": [*_TMP, "mode=1777", "size=65536k"],
    },
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": _TMP},
)
SYSFS = {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*_TMP, "ro"]}
#: A user namespace with the host's network, or with masked parts of /sys, may not mount its own sysfs:
#: opencontainers/runc, `runc spec --rootless`.
HOST_SYSFS = {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", *_TMP, "ro"]}
MASKED = (
    "/proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list "
    "/proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap"
).split()
READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger".split()


def bind(source: Path, target: str, *, read_only: bool = False) -> dict[str, Any]:
    """Return the bind mount of a host's file or directory."""
    options = ["rbind", "rprivate", "nosuid", "nodev", "ro" if read_only else "rw"]
    return {"destination": target, "type": "bind", "source": str(source), "options": options}


def tmpfs(target: str, size: int | None) -> dict[str, Any]:
    """Return the mount of an empty file system in memory; size in bytes."""
    options = ["nosuid", "nodev", "mode=1777", *([f"size={size}"] if size else [])]
    return {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": options}


def spec(
    *,
    root: Path,
    name: str,
    args: Sequence[str],
    env: Sequence[str],
    cwd: str,
    user: User,
    mounts: Sequence[dict[str, Any]],
    seccomp: dict[str, Any],
    network: Network | None,
    privileged: bool = False,
) -> dict[str, Any]:
    """Return the config.json of a step.

    Args:
        root: the root directory.
        name: the name of the container and of its control group.
        args: the command.
        env: the variables, each NAME=value.
        cwd: the working directory.
        user: the user who runs the command.
        mounts: the mounts besides those of every container.
        seccomp: the system calls that the step may make.
        network: the step's network namespace; None for the host's network.
        privileged: whether the step has all rights of the engine.
    """
    capabilities = capabilities_of(privileged)
    held = capabilities if user.uid == 0 else []
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "ociVersion": "1.0.2",
        "hostname": HOSTNAME,
        "root": {"path": str(root), "readonly": False},
        "mounts": [*FILESYSTEMS, _sysfs(network), *mounts],
        "process": {
            "terminal": False,
            "args": list(args),
            "env": list(env),
            "cwd": cwd,
            "user": {"uid": user.uid, "gid": user.gid, "additionalGids": list(user.groups)},
            "capabilities": {
                "bounding": capabilities,
                "effective": held,
                "permitted": held,
                "inheritable": [],
                "ambient": [],
            },
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": min(1024, most_files), "hard": most_files}],
        },
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")] + _network(network),
            "sysctl": _settings() if network else {},
            "seccomp": seccomp,
            "maskedPaths": [] if privileged else _masked(),
            "readonlyPaths": [] if privileged else READ_ONLY,
            **_control_group(name, privileged=privileged),
        },
    }


def _network(network: Network | None) -> list[dict[str, str]]:
    return [{"type": "network", "path": network.path}] if network else []


def _settings() -> dict[str, str]:
    """Return Docker's settings of a network namespace: any user may ping, and listen on any port."""
    last = IDS if in_user_namespace() else 2**31 - 1
    return {"net.ipv4.ping_group_range": f"0 {last}", "net.ipv4.ip_unprivileged_port_start": "0"}


def _sysfs(network: Network | None) -> dict[str, Any]:
    own = network.own_sysfs if network else not in_user_namespace()
    return SYSFS if own else HOST_SYSFS


def _masked() -> list[str]:
    heat = [f"/sys/devices/system/cpu/cpu{number}/thermal_throttle" for number in range(os.cpu_count() or 1)]
    return [*MASKED, *heat, *(["/sys/fs/cgroup"] if in_user_namespace() else [])]


def _control_group(name: str, *, privileged: bool) -> dict[str, Any]:
    if in_user_namespace():
        return {}  # no device is delegated, so a device node gives no access there
    devices = [{"allow": privileged, "access": "rwm"}, *([] if privileged else _DEVICES)]
    return {"cgroupsPath": f"/{name}", "resources": {"devices": devices}}


def _device(major: int, minor: int | None = None) -> dict[str, Any]:
    numbers = {"major": major} if minor is None else {"major": major, "minor": minor}
    return {"allow": True, "type": "c", "access": "rwm", **numbers}


#: null, zero, full, tty, random, urandom, console, ptmx and the terminals of devpts; mknod is always allowed.
_DEVICES = [
    {"allow": True, "type": "c", "access": "m"},
    {"allow": True, "type": "b", "access": "m"},
    *(_device(1, minor) for minor in (3, 5, 7, 8, 9)),
    *(_device(5, minor) for minor in (0, 1, 2)),
    _device(136),
]
