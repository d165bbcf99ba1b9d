"""Rules of what a container's configuration is: variables, labels, user, working directory, command, ports."""

import dagger

from tests.conformance.rules import Refused, Rule, Subject, out, rules


def _new(at: Subject) -> dagger.Container:
    return at.client.container()


async def _variables(container: dagger.Container) -> list[tuple[str, str]]:
    return [(await one.name(), await one.value()) for one in await container.env_variables()]


async def _labels(container: dagger.Container) -> dict[str, str]:
    return {await one.name(): await one.value() for one in await container.labels()}


async def _ports(container: dagger.Container) -> set[tuple[int, str, str | None]]:
    ports = await container.exposed_ports()
    return {(await one.port(), (await one.protocol()).value, await one.description()) for one in ports}


def _with_secret(at: Subject) -> dagger.Container:
    return at.base.with_secret_variable("TOKEN", at.client.set_secret("conformance", "hidden"))


def _commanded(at: Subject) -> dagger.Container:
    return _new(at).with_default_args(["x"]).with_entrypoint(["e"], keep_default_args=True)


test_variables = rules(
    Rule(
        "a variable that is set again keeps its place",
        lambda at: _variables(
            _new(at).with_env_variable("A", "1").with_env_variable("B", "2").with_env_variable("A", "3")
        ),
        [("A", "3"), ("B", "2")],
    ),
    Rule(
        "a variable that is taken away is gone",
        lambda at: _variables(
            _new(at).with_env_variable("A", "1").with_env_variable("B", "2").without_env_variable("A")
        ),
        [("B", "2")],
    ),
    Rule("a variable can be asked for", lambda at: _new(at).with_env_variable("A", "1=2").env_variable("A"), "1=2"),
    Rule("a variable that is not set is null", lambda at: _new(at).env_variable("A"), None),
    Rule(
        "without expand a dollar is a dollar",
        lambda at: _new(at).with_env_variable("A", "1").with_env_variable("B", "$A").env_variable("B"),
        "$A",
    ),
    Rule(
        "expand puts in the values of variables, and nothing for those that are not set",
        lambda at: (
            _new(at).with_env_variable("A", "1").with_env_variable("A", "${A}2:$A:$NO:", expand=True).env_variable("A")
        ),
        "12:1::",
    ),
    Rule(
        "a secret variable cannot be expanded",
        lambda at: _with_secret(at).with_env_variable("COPY", "$TOKEN", expand=True).sync(),
        Refused("TOKEN"),
    ),
)


test_labels = rules(
    Rule(
        "labels are set, replaced and taken away",
        lambda at: _labels(
            _new(at)
            .with_label("a", "1")
            .with_label("b", "2")
            .with_label("a", "3")
            .with_label("c", "")
            .without_label("b")
        ),
        {"a": "3", "c": ""},
    ),
    Rule("a label can be asked for", lambda at: _new(at).with_label("a", "1").label("a"), "1"),
    Rule("a label that is not set is null", lambda at: _new(at).label("a"), None),
    Rule("to take away a label that is not set is no error", lambda at: _labels(_new(at).without_label("a")), {}),
)


test_users_and_working_directories = rules(
    Rule("a user is what it was set to", lambda at: _new(at).with_user("1000:nogroup").user(), "1000:nogroup"),
    Rule("a user can be taken away", lambda at: _new(at).with_user("nobody").without_user().user(), ""),
    Rule("a working directory is absolute", lambda at: _new(at).with_workdir("a").with_workdir("b").workdir(), "/a/b"),
    Rule(
        "an absolute one replaces it, as it is written",
        lambda at: _new(at).with_workdir("/a").with_workdir("/b/../c").workdir(),
        "/b/../c",
    ),
    Rule(
        "a relative one is put together with it",
        lambda at: _new(at).with_workdir("/b/../c").with_workdir("../d").workdir(),
        "/d",
    ),
    Rule("an exec starts where it leads", lambda at: out(at.base.with_workdir("/b/../c"), "pwd"), "/c\n"),
    Rule(
        "a working directory is expanded where that is asked for",
        lambda at: _new(at).with_env_variable("A", "a").with_workdir("/$A/${A}", expand=True).workdir(),
        "/a/a",
    ),
    Rule(
        "a working directory can be taken away", lambda at: _new(at).with_workdir("/a").without_workdir().workdir(), ""
    ),
)


test_entrypoints_and_default_arguments = rules(
    Rule("there is no entrypoint at first", lambda at: _new(at).entrypoint(), []),
    Rule("an entrypoint is what it was set to", lambda at: _commanded(at).entrypoint(), ["e"]),
    Rule("default arguments are what they were set to", lambda at: _commanded(at).default_args(), ["x"]),
    Rule("an entrypoint clears default arguments", lambda at: _commanded(at).with_entrypoint(["f"]).default_args(), []),
    Rule(
        "an entrypoint keeps default arguments where that is asked for",
        lambda at: _commanded(at).with_entrypoint(["f"], keep_default_args=True).default_args(),
        ["x"],
    ),
    Rule("an empty entrypoint is none", lambda at: _commanded(at).with_entrypoint([]).entrypoint(), []),
    Rule(
        "to take the entrypoint away clears default arguments",
        lambda at: _commanded(at).without_entrypoint().default_args(),
        [],
    ),
    Rule(
        "to take the entrypoint away keeps default arguments where that is asked for",
        lambda at: _commanded(at).without_entrypoint(keep_default_args=True).default_args(),
        ["x"],
    ),
    Rule(
        "default arguments can be taken away",
        lambda at: _commanded(at).without_default_args().default_args(),
        [],
    ),
    Rule("which leaves the entrypoint", lambda at: _commanded(at).without_default_args().entrypoint(), ["e"]),
)


test_exposed_ports = rules(
    Rule(
        "ports are exposed once for each protocol, with a description",
        lambda at: _ports(
            _new(at)
            .with_exposed_port(80)
            .with_exposed_port(80, description="web")
            .with_exposed_port(53, protocol=dagger.NetworkProtocol.UDP)
        ),
        {(80, "TCP", "web"), (53, "UDP", None)},
    ),
    Rule(
        "a port can be taken away, for its protocol",
        lambda at: _ports(
            _new(at)
            .with_exposed_port(53)
            .with_exposed_port(53, protocol=dagger.NetworkProtocol.UDP)
            .without_exposed_port(53)
        ),
        {(53, "UDP", None)},
    ),
)


test_containers = rules(
    Rule("a change makes another container", lambda at: _two(at), ("1", None)),
)


async def _two(at: Subject) -> tuple[str | None, str | None]:
    first = _new(at)
    return await first.with_env_variable("A", "1").env_variable("A"), await first.env_variable("A")


async def test_a_container_is_for_the_platform_of_the_engine_unless_another_is_named(subject: Subject) -> None:
    assert await _new(subject).platform() == await subject.client.default_platform()
    other = subject.client.container(platform=dagger.Platform("linux/riscv64"))
    assert await other.platform() == "linux/riscv64"
