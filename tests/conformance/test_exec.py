"""Rules of withExec: what runs, as whom and where, and what is left of it."""

import dagger

from tests.conformance.rules import Differs, Refused, Rule, Subject, out, rules, sh

CAPABILITIES = "sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status"


test_commands = rules(
    Rule("an exec sees what the one before it wrote", lambda at: out(sh(at.base, "echo one >/f"), "cat /f"), "one\n"),
    Rule(
        "an exec does not change what it started from",
        lambda at: _untouched(at),
        "same\n",
    ),
    Rule(
        "without arguments the default arguments run",
        lambda at: at.base.with_default_args(["echo", "default"]).with_exec([]).stdout(),
        "default\n",
    ),
    Rule(
        "an entrypoint is used where that is asked for",
        lambda at: at.base.with_entrypoint(["echo", "a"]).with_exec(["b"], use_entrypoint=True).stdout(),
        "a b\n",
    ),
    Rule(
        "and only there",
        lambda at: at.base.with_entrypoint(["echo", "a"]).with_exec(["echo", "b"]).stdout(),
        "b\n",
    ),
    Rule(
        "an entrypoint goes before default arguments",
        lambda at: _echo_x(at).with_exec([], use_entrypoint=True).stdout(),
        "x\n",
    ),
    Rule(
        "without arguments and default arguments there is nothing to run",
        lambda at: at.base.without_default_args().without_entrypoint().with_exec([]).sync(),
        Refused("no command has been set"),
    ),
    Rule(
        "arguments are expanded where that is asked for",
        lambda at: at.base.with_env_variable("A", "1").with_exec(["echo", "$A ${A}"], expand=True).stdout(),
        "1 1\n",
    ),
    Rule(
        "and only there",
        lambda at: at.base.with_env_variable("A", "1").with_exec(["echo", "$A ${A}"]).stdout(),
        "$A ${A}\n",
    ),
    Rule("a command that is not there ends with 1", lambda at: _code(at.base.with_exec(["no-such-program"])), 1),
    Rule("one that is in no directory too", lambda at: _code(at.base.with_exec(["/etc/passwd/program"])), 1),
    Rule("a command that is not a program ends with 1", lambda at: _code(at.base.with_exec(["/etc/passwd"])), 1),
    Rule("so does one with too long an argument", lambda at: _code(at.base.with_exec(["true", "x" * 200_000])), 1),
)


def _echo_x(at: Subject) -> dagger.Container:
    return at.base.with_default_args(["x"]).with_entrypoint(["echo"], keep_default_args=True)


async def _untouched(at: Subject) -> str:
    await sh(at.base, "rm -r /srv; touch /new").sync()
    return await out(at.base, "test -d /srv; test ! -e /new; echo same")


async def _code(container: dagger.Container) -> int:
    try:
        await container.sync()
    except dagger.ExecError as error:
        return error.exit_code
    return 0


test_surroundings = rules(
    Rule("an exec is root", lambda at: out(at.base, "id -un"), "root\n"),
    Rule("unless a user is set", lambda at: out(at.base.with_user("nobody"), "id -un; id -gn"), "nobody\nnogroup\n"),
    Rule("a user may be numbers", lambda at: out(at.base.with_user("12:34"), "id -u; id -g"), "12\n34\n"),
    Rule("a user may have a group", lambda at: out(at.base.with_user("nobody:daemon"), "id -gn"), "daemon\n"),
    Rule("a user has the groups of the image", lambda at: out(_member(at).with_user("games"), "id -Gn"), "games tty\n"),
    Rule("a user must be in the image", lambda at: out(at.base.with_user("stranger"), "id"), Refused("stranger")),
    Rule("HOME is the user's own", lambda at: out(at.base, "echo $HOME"), "/root\n"),
    Rule("the working directory is the root", lambda at: out(at.base, "pwd"), "/\n"),
    Rule("unless one is set, which is made", lambda at: out(at.base.with_workdir("/new/dir"), "pwd"), "/new/dir\n"),
    Rule(
        "PATH has its default where the image has none",
        lambda at: at.base.without_env_variable("PATH").with_exec(["printenv", "PATH"]).stdout(),
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
    ),
    Rule("the host is called dagger", lambda at: out(at.base, "uname -n"), "dagger\n"),
    Rule(
        "the kernel's own files are there", lambda at: out(at.base, "test -d /proc/self; test -d /sys/fs; echo"), "\n"
    ),
    Rule(
        "an exec has Docker's capabilities",
        lambda at: out(at.base, CAPABILITIES),
        "00000000a80425fb\n",
        embedded=Differs("NET_RAW", "00000000a80405fb\n"),
    ),
    Rule(
        "and all where that is asked for",
        lambda at: out(at.base, "mount -t tmpfs none /mnt; echo mounted", insecure_root_capabilities=True),
        "mounted\n",
    ),
    Rule(
        "an exec runs below an init",
        lambda at: out(at.base, "cat /proc/1/comm"),
        ".init\n",
        embedded=Differs("PID 1 of an exec", "sh\n"),
    ),
    Rule("unless it is to be PID 1 itself", lambda at: out(at.base, "cat /proc/1/comm", no_init=True), "sh\n"),
    Rule(
        "a profile of seccomp keeps some system calls from it",
        lambda at: out(at.base, "sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status"),
        "2\n",
    ),
)


def _member(at: Subject) -> dagger.Container:
    return sh(at.base, "sed -i 's/^tty:.*/&games/' /etc/group")


test_traces = rules(
    Rule(
        "an exec that changes nothing leaves nothing",
        lambda at: at.base.rootfs().diff(at.base.with_exec(["true"]).rootfs()).entries(),
        [],
    ),
    Rule(
        "nor do mounts",
        lambda at: at.base.rootfs().diff(_mounted(at).with_exec(["touch", "/a/b/f", "/t/f"]).rootfs()).entries(),
        [],
    ),
    Rule(
        "what an exec changes is what differs",
        lambda at: at.base.rootfs().diff(sh(at.base, "echo x >/srv/f").rootfs()).glob("**"),
        ["srv/", "srv/f"],
    ),
)


def _mounted(at: Subject) -> dagger.Container:
    return at.base.with_mounted_directory("/a/b", at.client.directory()).with_mounted_temp("/t")
