"""Fields of Container that read or change the image configuration."""

from dataclasses import replace

from embedded_engine.api.fields import Engine, serves, serves_attributes
from embedded_engine.graph.values import Container, EnvVariable, Label, Port
from embedded_engine.host.bounded import whole_number
from embedded_engine.host.errors import BadInput


def _without(pairs: tuple[tuple[str, str], ...], name: str) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in pairs if pair[0] != name)


@serves("Container.withEnvVariable")
async def with_env_variable(engine: Engine, this: Container, name: str, value: str, expand: bool = False) -> Container:
    if not name or "=" in name:
        raise BadInput(f"'{name}' is not the name of a variable; give one without '='.")
    env = this.variables | {name: this.expanded(value) if expand else value}
    return this.with_config(env=tuple(f"{key}={text}" for key, text in env.items()))


@serves("Container.withoutEnvVariable")
async def without_env_variable(engine: Engine, this: Container, name: str) -> Container:
    return this.with_config(env=tuple(f"{key}={text}" for key, text in this.variables.items() if key != name))


@serves("Container.envVariable")
async def env_variable(engine: Engine, this: Container, name: str) -> str | None:
    return this.variables.get(name)


@serves("Container.envVariables")
async def env_variables(engine: Engine, this: Container) -> list[EnvVariable]:
    return [EnvVariable(name, value) for name, value in this.variables.items()]


@serves("Container.withLabel")
async def with_label(engine: Engine, this: Container, name: str, value: str) -> Container:
    return this.with_config(labels=tuple(sorted((*_without(this.config.labels, name), (name, value)))))


@serves("Container.withoutLabel")
async def without_label(engine: Engine, this: Container, name: str) -> Container:
    return this.with_config(labels=_without(this.config.labels, name))


@serves("Container.label")
async def label(engine: Engine, this: Container, name: str) -> str | None:
    return dict(this.config.labels).get(name)


@serves("Container.labels")
async def labels(engine: Engine, this: Container) -> list[Label]:
    return [Label(name, value) for name, value in this.config.labels]


@serves("Container.withAnnotation")
async def with_annotation(engine: Engine, this: Container, name: str, value: str) -> Container:
    return replace(this, annotations=tuple(sorted((*_without(this.annotations, name), (name, value)))))


@serves("Container.withoutAnnotation")
async def without_annotation(engine: Engine, this: Container, name: str) -> Container:
    return replace(this, annotations=_without(this.annotations, name))


@serves("Container.withUser")
async def with_user(engine: Engine, this: Container, name: str) -> Container:
    return this.with_config(user=name)


@serves("Container.withoutUser")
async def without_user(engine: Engine, this: Container) -> Container:
    return this.with_config(user="")


@serves("Container.user")
async def user(engine: Engine, this: Container) -> str:
    return this.config.user


@serves("Container.withWorkdir")
async def with_workdir(engine: Engine, this: Container, path: str, expand: bool = False) -> Container:
    # Like Dagger, join only relative paths: core/util.go, absPath.
    text = this.expanded(path) if expand else path
    absolute = this.path(text)
    return this.with_config(workdir=text if text.startswith("/") else absolute)


@serves("Container.withoutWorkdir")
async def without_workdir(engine: Engine, this: Container) -> Container:
    return this.with_config(workdir="")


@serves("Container.workdir")
async def workdir(engine: Engine, this: Container) -> str:
    return this.config.workdir


@serves("Container.withEntrypoint")
async def with_entrypoint(
    engine: Engine, this: Container, args: list[str], keep_default_args: bool = False
) -> Container:
    kept = this.config.cmd if keep_default_args else None
    return this.with_config(entrypoint=tuple(args) or None, cmd=kept)


@serves("Container.withoutEntrypoint")
async def without_entrypoint(engine: Engine, this: Container, keep_default_args: bool = False) -> Container:
    return this.with_config(entrypoint=None, cmd=this.config.cmd if keep_default_args else None)


@serves("Container.entrypoint")
async def entrypoint(engine: Engine, this: Container) -> list[str]:
    return list(this.config.entrypoint or ())


@serves("Container.withDefaultArgs")
async def with_default_args(engine: Engine, this: Container, args: list[str]) -> Container:
    return this.with_config(cmd=tuple(args))


@serves("Container.withoutDefaultArgs")
async def without_default_args(engine: Engine, this: Container) -> Container:
    return this.with_config(cmd=None)


@serves("Container.defaultArgs")
async def default_args(engine: Engine, this: Container) -> list[str]:
    return list(this.config.cmd or ())


@serves("Container.platform")
async def platform(engine: Engine, this: Container) -> str:
    return this.config.platform


@serves("Container.withExposedPort")
async def with_exposed_port(
    engine: Engine,
    this: Container,
    port: int,
    protocol: str = "TCP",
    description: str | None = None,
    experimental_skip_healthcheck: bool = False,
) -> Container:
    if not 0 < port < 1 << 16:
        raise BadInput(f"{port} is not a port; give a number from 1 to 65535.")
    added = Port(port, protocol, description, experimental_skip_healthcheck)
    kept = tuple(one for one in this.ports if one.name != added.name)
    names = tuple(sorted({*this.config.exposed_ports, added.name}))
    return replace(this.with_config(exposed_ports=names), ports=(*kept, added))


@serves("Container.withoutExposedPort")
async def without_exposed_port(engine: Engine, this: Container, port: int, protocol: str = "TCP") -> Container:
    name = Port(port, protocol).name
    return this.with_config(exposed_ports=tuple(one for one in this.config.exposed_ports if one != name))


@serves("Container.exposedPorts")
async def exposed_ports(engine: Engine, this: Container) -> list[Port]:
    known = {port.name: port for port in this.ports}
    return [known.get(name) or _port(name) for name in this.config.exposed_ports]


def _port(name: str) -> Port:
    number, _, protocol = name.partition("/")
    port = whole_number(number, 1 << 16)
    if port is None or protocol not in ("", "tcp", "udp"):
        raise BadInput(f"The image exposes '{name}', which is not a TCP or UDP port; have its publisher correct that.")
    return Port(port, protocol.upper() or "TCP")


serves_attributes(EnvVariable, "name", "value")
serves_attributes(Label, "name", "value")
serves_attributes(Port, "port", "protocol", "description", "experimentalSkipHealthcheck")
