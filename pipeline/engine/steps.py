"""Running an exec: mounts, user, environment and the host's settings put together, and its outcome judged."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pipeline.engine import overlay
from pipeline.engine.bundle import DEFAULT_PATH, HOSTNAME, bind, spec, tmpfs
from pipeline.engine.errors import BadInput, ExecError
from pipeline.engine.files import copy_tree
from pipeline.engine.graph import Exec, Mount
from pipeline.engine.host import GUEST
from pipeline.engine.process import run
from pipeline.engine.rootpath import missing, mkdirs, resolve
from pipeline.engine.runtime import Job, container_name, execute
from pipeline.engine.snapshots import Snapshots, builds, name_of
from pipeline.engine.users import User, look_up

#: Bytes of each stream: engine/engineutil/ref.go at v0.21.8.
KEPT_OUTPUT = 100 * 1024


@builds(Exec)
async def run_exec(snapshots: Snapshots, node: Exec, directory: Path) -> dict[str, Any]:
    """Run a command; its changes are the layer, its output lies beside."""
    if not node.args:
        raise BadInput("No command has been set: give withExec arguments, or the container default arguments.")
    async with AsyncExitStack() as stack:
        for mount in sorted((m for m in node.mounts if m.kind == "cache"), key=lambda m: m.name):
            if mount.sharing != "SHARED":
                await stack.enter_async_context(snapshots.store.lock(f"cache-{mount.name}"))
        await stack.enter_async_context(snapshots.slots)
        step = stack.enter_context(snapshots.events.step(name_of(node)))
        root = await stack.enter_async_context(
            overlay.writable(snapshots.store, snapshots.layers(node.parent), directory)
        )
        user = look_up(root, node.user)
        mounts = await stack.enter_async_context(_mounts(snapshots, node, directory, root))
        job = _job(snapshots, node, directory, root, user, mounts)
        code = await execute(job, step)
        stdout, stderr = directory / "stdout", directory / "stderr"
        if not allowed(node.expect, code):
            raise ExecError(node.args, code, end_of(stdout), end_of(stderr))
        for path, output in ((node.redirect_stdout, stdout), (node.redirect_stderr, stderr)):
            if path:
                target = resolve(root, path)
                target.unlink(missing_ok=True)  # it could be a device that the step made
                shutil.copyfile(output, target)
                target.chmod(0o600)
    return {"exit_code": code}


def _stdin(node: Exec, root: Path) -> bytes | Path:
    if not node.redirect_stdin:
        return node.stdin.encode()
    source = resolve(root, node.redirect_stdin)
    if not source.is_file():
        raise BadInput(f"There is no file '{node.redirect_stdin}' to read standard input from; name one that exists.")
    return source


def end_of(output: Path) -> str:
    """Return the end of a step's output, as much of it as Dagger keeps in an error."""
    with output.open("rb") as stream:
        left_out = output.stat().st_size - KEPT_OUTPUT
        if left_out <= 0:
            return stream.read().decode(errors="replace")
        note = f"[omitting {left_out} bytes]..."
        stream.seek(left_out + len(note))
        return note + stream.read().decode(errors="replace")


def allowed(expect: str, code: int) -> bool:
    """Return whether an exit code satisfies `expect`; those of signals never do (core/container_exec.go)."""
    failure = 1 <= code <= 127 or 192 <= code <= 255
    return {"SUCCESS": code == 0, "FAILURE": failure, "ANY": code == 0 or failure}[expect]


def _job(
    snapshots: Snapshots, node: Exec, directory: Path, root: Path, user: User, mounts: list[dict[str, Any]]
) -> Job:
    plain = {name: snapshots.secrets[key] for name, key in node.secret_env}
    env = dict(entry.split("=", 1) for entry in [DEFAULT_PATH, *node.env])
    for name, value in snapshots.host.env().items():
        env.setdefault(name, value)
    env |= dict(node.volatile_env)
    env |= {name: value.decode(errors="replace") for name, value in plain.items()}
    hidden = [*plain.values(), *(snapshots.secrets[m.name] for m in node.mounts if m.kind == "secret")]
    name = container_name(snapshots.store.session.name)
    return Job(
        name=name,
        spec=spec(
            root=root,
            name=name,
            args=node.args,
            env=[f"{key}={value}" for key, value in env.items()],
            cwd=node.workdir,
            user=user,
            mounts=mounts,
            privileged=node.insecure_root,
        ),
        directory=directory,
        stdin=_stdin(node, root),
        hidden=hidden,
    )


@contextlib.asynccontextmanager
async def _mounts(snapshots: Snapshots, node: Exec, directory: Path, root: Path) -> AsyncIterator[list[dict[str, Any]]]:
    """Prepare what is mounted, and afterwards remove the places that had to be made for it."""
    mkdirs(root, node.workdir)
    scratch = directory / "mounts"
    scratch.mkdir()
    # In memory, and gone with the mount: secrets, and what the host's settings may hold of them.
    await run(["mount", "-t", "tmpfs", "-o", "mode=0711", "tmpfs", str(scratch)])
    made: list[Path] = []
    try:
        host = _host_mounts(snapshots, scratch)
        wanted = [await _mount(snapshots, m, scratch / str(n), root) for n, m in enumerate(node.mounts)]
        everything = [*host, *sorted(wanted, key=lambda mount: mount["destination"].count("/"))]
        for mount in everything:
            made += missing(root, mount["destination"])
        for place in ("/proc", "/dev", "/sys"):
            made += missing(root, place)
        yield everything
    finally:
        for at in [*scratch.glob("*/merged"), scratch]:
            await overlay.unmount(at)
        scratch.rmdir()
        _remove_places(made)


def _remove_places(made: list[Path]) -> None:
    for path in reversed(made):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            elif not path.stat().st_size:
                path.unlink()


def _host_mounts(snapshots: Snapshots, scratch: Path) -> list[dict[str, Any]]:
    hosts = scratch / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost ip6-localhost ip6-loopback\n")
    mounts = [bind(hosts, "/etc/hosts", read_only=True)]
    if (found := Path("/etc/resolv.conf")).exists():
        # A copy: what systemd mounts for it has flags that a user namespace may not change.
        shutil.copyfile(found, scratch / "resolv.conf")
        mounts.append(bind(scratch / "resolv.conf", "/etc/resolv.conf", read_only=True))
    snapshots.host.write(scratch / "host")
    if any((scratch / "host").iterdir()):
        mounts.append(bind(scratch / "host", GUEST, read_only=True))
    return mounts


async def _mount(snapshots: Snapshots, mount: Mount, scratch: Path, root: Path) -> dict[str, Any]:
    if mount.kind == "temp":
        return tmpfs(mount.target, mount.size)
    if mount.kind == "cache":
        return bind(await _cache(snapshots, mount, root), mount.target)
    if mount.kind == "secret":
        scratch.write_bytes(snapshots.secrets[mount.name])
        user = look_up(root, mount.owner)
        scratch.chmod(mount.mode)
        os.chown(scratch, user.uid, user.gid)
        return bind(scratch, mount.target, read_only=True)
    assert mount.source  # noqa: S101  directories and files have one
    source = resolve(await snapshots.view(mount.source), mount.path)
    return await _tree_mount(snapshots, mount, source, scratch, root)


async def _cache(snapshots: Snapshots, mount: Mount, root: Path) -> Path:
    """Return a cache volume's directory; a new one begins with its source and belongs to its owner."""
    volume = snapshots.store.cache(mount.name)
    async with snapshots.store.lock(f"fill-{mount.name}"):
        if any(volume.iterdir()):
            return volume
        user = look_up(root, mount.owner) if mount.owner else None
        owner = (user.uid, user.gid) if user else None
        if mount.source:
            source = resolve(await snapshots.view(mount.source), mount.path)
            await asyncio.to_thread(copy_tree, source, volume, owner=owner)
        if owner:
            os.chown(volume, *owner)
    return volume


async def _tree_mount(snapshots: Snapshots, mount: Mount, source: Path, scratch: Path, root: Path) -> dict[str, Any]:
    if mount.owner:
        user = look_up(root, mount.owner)
        if source.is_dir():
            scratch.mkdir()
        copy_tree(source, scratch, owner=(user.uid, user.gid))
        return bind(scratch, mount.target, read_only=mount.read_only)
    if mount.kind == "file" or mount.read_only:
        return bind(source, mount.target, read_only=True)
    # Writes below a mounted directory go to memory and are dropped with the step.
    scratch.mkdir()
    for name in ("diff", "work", "merged"):
        (scratch / name).mkdir()
    options = f"lowerdir={source},upperdir={scratch / 'diff'},workdir={scratch / 'work'},{overlay.marks()}"
    await run(["mount", "-t", "overlay", "overlay", "-o", options, str(scratch / "merged")])
    return bind(scratch / "merged", mount.target)
