"""Fields of Container that start it from an image, and run commands in it."""

from dataclasses import replace

from embedded_engine.api.fields import Engine, serves
from embedded_engine.api.paths import at_path
from embedded_engine.graph.nodes import Exec, Mount, Written, writes_to
from embedded_engine.graph.values import Container, File
from embedded_engine.host.errors import BadInput, NotServed
from embedded_engine.make.bases import PLATFORM, from_archive, from_registry
from embedded_engine.make.bootstrap import SCHEME, stand_in
from embedded_engine.make.output import text_of
from embedded_engine.oci.documents import ImageConfig


@serves("Container.from")
async def from_(engine: Engine, this: Container, address: str) -> Container:
    if address.startswith(SCHEME):
        root = await engine.once((address, str(this.epoch)), lambda: stand_in(address, this.epoch))
        return replace(this, root=root, reference=f"{SCHEME}{root.release}")
    wanted = this.config.platform
    base = await engine.once(("from", address, wanted), lambda: from_registry(engine.evaluator, address, wanted))
    return replace(this, root=base.root, config=_merged(this.config, base.config), reference=base.reference)


@serves("Container.import")
async def import_(engine: Engine, this: Container, source: str, tag: str = "") -> Container:
    file: File = engine.value(source)
    at = await at_path(engine, file)
    wanted = this.config.platform
    base = await engine.once(("import", str(at), tag, wanted), lambda: from_archive(engine.evaluator, at, tag, wanted))
    # Like Dagger, drop the previous configuration: core/container_image.go, FromOCIStore.
    return replace(this, root=base.root, config=base.config, reference="")


def _merged(old: ImageConfig, new: ImageConfig) -> ImageConfig:
    """Merge as Dagger's `from` does: add variables, labels and ports, and replace the rest."""
    env = dict(entry.split("=", 1) for entry in (*old.env, *new.env))
    labels = dict(old.labels) | dict(new.labels)
    return replace(
        new,
        env=tuple(f"{name}={value}" for name, value in env.items()),
        labels=tuple(sorted(labels.items())),
        exposed_ports=tuple(sorted({*old.exposed_ports, *new.exposed_ports})),
    )


@serves("Container.imageRef")
async def image_ref(engine: Engine, this: Container) -> str:
    if not this.reference:
        raise BadInput("An image reference is available only immediately after `from`; ask for it before any change.")
    return this.reference


@serves("Container.withExec")
async def with_exec(
    engine: Engine,
    this: Container,
    args: list[str],
    use_entrypoint: bool = False,
    stdin: str = "",
    redirect_stdin: str = "",
    redirect_stdout: str = "",
    redirect_stderr: str = "",
    expect: str = "SUCCESS",
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> Container:
    if stdin and redirect_stdin:
        raise BadInput("Both stdin and redirectStdin are given, and a command has one standard input; give one.")
    node = Exec(
        parent=this.root,
        epoch=this.epoch,
        args=_command(this, args, use_entrypoint, expand),
        env=this.config.env,
        user=this.config.user,
        # The runtime would create every directory along "/a/../b".
        workdir=this.path(""),
        mounts=this.mounts,
        secret_env=this.secret_env,
        stdin=stdin,
        redirect_stdin=this.path(redirect_stdin, expand) if redirect_stdin else "",
        redirect_stdout=this.path(redirect_stdout, expand) if redirect_stdout else "",
        redirect_stderr=this.path(redirect_stderr, expand) if redirect_stderr else "",
        expect=expect,
        insecure_root=insecure_root_capabilities,
    )
    require_platform(this)
    return replace(this, root=node, last=node, mounts=_after(this.mounts, node), reference="")


def _after(mounts: tuple[Mount, ...], node: Exec) -> tuple[Mount, ...]:
    return tuple(
        replace(mount, source=Written(mount.source, node.epoch, node, number))
        if mount.source and writes_to(mount)
        else mount
        for number, mount in enumerate(mounts)
    )


def _command(this: Container, args: list[str], use_entrypoint: bool, expand: bool) -> tuple[str, ...]:
    command = tuple(this.expanded(arg) for arg in args) if expand else tuple(args)
    command = command or this.config.cmd or ()
    return (*(this.config.entrypoint or ()), *command) if use_entrypoint else command


def require_platform(this: Container) -> None:
    """Refuse to run a container for another processor architecture.

    Raises:
        NotServed: the container is for another platform.
    """
    if this.config.platform != PLATFORM:
        raise NotServed(f"execs of {this.config.platform} on a {PLATFORM} machine")


@serves("Container.sync")
async def sync(engine: Engine, this: Container) -> str:
    await engine.evaluator.made(this.root)
    return engine.named(this)


def _last(this: Container) -> Exec:
    if this.last is None:
        raise BadInput("No command has been set; add withExec before asking for its output or its exit code.")
    return this.last


async def _output(engine: Engine, this: Container, stream: str) -> str:
    return text_of((await engine.evaluator.made(_last(this))) / stream)


@serves("Container.stdout")
async def stdout(engine: Engine, this: Container) -> str:
    return await _output(engine, this, "stdout")


@serves("Container.stderr")
async def stderr(engine: Engine, this: Container) -> str:
    return await _output(engine, this, "stderr")


@serves("Container.combinedOutput")
async def combined_output(engine: Engine, this: Container) -> str:
    return await _output(engine, this, "combined")


@serves("Container.exitCode")
async def exit_code(engine: Engine, this: Container) -> int:
    code: int = (await engine.evaluator.meta(_last(this)))["exit_code"]
    return code
