"""Runs an exec: combines mounts, user, environment and the host's settings, and evaluates the outcome."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from embedded_engine.graph.names import name_of
from embedded_engine.graph.nodes import Exec
from embedded_engine.host.beneath import regular_file
from embedded_engine.host.disk import want_of_space
from embedded_engine.host.errors import BadInput, ExecError, NotPermitted
from embedded_engine.host.namespace import in_user_namespace
from embedded_engine.host.users import User, look_up
from embedded_engine.make import overlay
from embedded_engine.make.bundle import DEFAULT_PATH, spec
from embedded_engine.make.evaluator import Evaluator, builds
from embedded_engine.make.mounts import MountTable, mounted
from embedded_engine.make.network import Network
from embedded_engine.make.output import end_of, shorten
from embedded_engine.make.runtime import Job, container_name, execute
from embedded_engine.oci.holes import copy_content


@builds(Exec)
async def run_exec(evaluator: Evaluator, node: Exec, directory: Path) -> dict[str, Any]:
    """Run a command; its changes become the layer, with its output beside it."""
    if not node.args:
        raise BadInput("No command has been set: give withExec arguments, or the container default arguments.")
    async with AsyncExitStack() as stack:
        for mount in sorted((m for m in node.mounts if m.kind == "cache"), key=lambda m: m.name):
            if mount.sharing != "SHARED":
                await stack.enter_async_context(evaluator.store.lock(f"cache-{mount.name}"))
        await stack.enter_async_context(evaluator.slots)
        step = stack.enter_context(evaluator.events.step(name_of(node)))
        network = await stack.enter_async_context(_network(evaluator, node))
        root = await stack.enter_async_context(
            overlay.writable(evaluator.store, evaluator.layers(node.parent), directory)
        )
        user = look_up(root, node.user)
        mounts = await stack.enter_async_context(mounted(evaluator, node, directory, root))
        job = _job(evaluator, node, directory, user, mounts, network, _stdin(stack, node, mounts))
        code = await execute(job, step)
        if not allowed(node.expect, code):
            failed = ExecError(node.args, code, end_of(directory / "stdout"), end_of(directory / "stderr"))
            raise want_of_space(evaluator.store.root, failed.stderr + failed.stdout) or failed
        for name, path in _redirected(node).items():
            with mounts.for_output(path) as target:
                target.unlink(missing_ok=True)  # the step may have created a device there
                await asyncio.to_thread(copy_content, directory / name, target)
            shorten(directory / name)
    mounts.tidy(directory / "diff")
    return {"exit_code": code}


def _redirected(node: Exec) -> dict[str, str]:
    paths = {"stdout": node.redirect_stdout, "stderr": node.redirect_stderr}
    return {name: path for name, path in paths.items() if path}


def _stdin(stack: AsyncExitStack, node: Exec, mounts: MountTable) -> bytes | Path:
    if not node.redirect_stdin:
        return node.stdin.encode()
    source = stack.enter_context(regular_file(*mounts.on_host(node.redirect_stdin)))
    if source is None:
        raise BadInput(f"There is no file '{node.redirect_stdin}' to read standard input from; name one that exists.")
    return source


def allowed(expect: str, code: int) -> bool:
    """Return whether an exit code satisfies `expect`; an exit by signal never does (core/container_exec.go)."""
    failure = 1 <= code <= 127 or 192 <= code <= 255
    return {"SUCCESS": code == 0, "FAILURE": failure, "ANY": code == 0 or failure}[expect]


@asynccontextmanager
async def _network(evaluator: Evaluator, node: Exec) -> AsyncIterator[Network | None]:
    async with evaluator.confinement.networks.own() as network:
        if network is None:
            _tell_of_shared(evaluator, node)
        yield network


def _tell_of_shared(evaluator: Evaluator, node: Exec) -> None:
    reason = evaluator.confinement.networks.shared
    if node.insecure_root and not in_user_namespace():
        raise NotPermitted(
            "A step with insecureRootCapabilities can listen in on the network that it shares with this machine: "
            f"{reason}; or run as an ordinary user."
        )
    evaluator.events.once(
        f"WARNING: Steps share this machine's network and can reach every service on it, because {reason}."
    )


def _job(
    evaluator: Evaluator,
    node: Exec,
    directory: Path,
    user: User,
    mounts: MountTable,
    network: Network | None,
    stdin: bytes | Path,
) -> Job:
    plain = {name: evaluator.secrets[key] for name, key in node.secret_env}
    env = dict(entry.split("=", 1) for entry in [DEFAULT_PATH, *node.env])
    for name, value in evaluator.host.env().items():
        env.setdefault(name, value)
    env |= {name: value.decode(errors="replace") for name, value in plain.items()}
    hidden = [*plain.values(), *(evaluator.secrets[m.name] for m in node.mounts if m.kind == "secret")]
    name = container_name(evaluator.store.session.name)
    return Job(
        name=name,
        spec=spec(
            root=mounts.root,
            name=name,
            args=node.args,
            env=[f"{key}={value}" for key, value in env.items()],
            cwd=node.workdir,
            user=user,
            mounts=mounts.entries,
            seccomp=evaluator.confinement.seccomp(privileged=node.insecure_root),
            network=network,
            privileged=node.insecure_root,
        ),
        directory=directory,
        stdin=stdin,
        hidden=hidden,
        alive=evaluator.store.alive,
        keyring=evaluator.confinement.keyring,
        whole=_redirected(node),
    )
