"""Rules of withExec: what a command is given, what becomes of what it says, and which exit codes are errors."""

import dagger
from dagger import ReturnType

from tests.conformance.rules import Differs, Refused, Rule, Subject, out, rules, sh

CAPABILITIES = "sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status"


def _failed(words: str = "") -> Refused:
    return Refused(words, dagger.ExecError)


def _exits(at: Subject, code: int, expect: ReturnType) -> dagger.Container:
    return sh(at.base, f"exit {code}", expect=expect)


async def _streams(container: dagger.Container) -> tuple[str, str]:
    return await container.stdout(), await container.stderr()


async def _error(container: dagger.Container) -> tuple[int, str, str, list[str]]:
    try:
        await container.sync()
    except dagger.ExecError as error:
        return error.exit_code, error.stdout, error.stderr, error.command
    raise AssertionError("no error")


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
    Rule("a command that is not there ends with 127", lambda at: _code(at.base.with_exec(["no-such-program"])), 127),
    Rule("a command that is no program ends with 126", lambda at: _code(at.base.with_exec(["/etc/passwd"])), 126),
)


def _echo_x(at: Subject) -> dagger.Container:
    return at.base.with_default_args(["x"]).with_entrypoint(["echo"], keep_default_args=True)


async def _untouched(at: Subject) -> str:
    await sh(at.base, "rm -r /srv; touch /new").sync()
    return await out(at.base, "test -d /srv; test ! -e /new; echo same")


async def _code(container: dagger.Container) -> int:
    return (await _error(container))[0]


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
    Rule("an exec has Docker's capabilities", lambda at: out(at.base, CAPABILITIES), "00000000a80425fb\n"),
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
        embedded=Differs("seccomp", "0\n"),
    ),
)


def _member(at: Subject) -> dagger.Container:
    return sh(at.base, "sed -i 's/^tty:.*/&games/' /etc/group")


test_output = rules(
    Rule(
        "what is written to a stream is what is read of it",
        lambda at: _streams(sh(at.base, "echo out; echo err >&2")),
        ("out\n", "err\n"),
    ),
    Rule(
        "the combined output has both streams in their order",
        lambda at: sh(at.base, "echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three").combined_output(),
        "one\ntwo\nthree\n",
    ),
    Rule("output is whole", lambda at: _length(sh(at.base, "seq 300000")), 1988895),
    Rule("output need not end a line", lambda at: out(at.base, "printf a"), "a"),
    Rule("before an exec there is no output", lambda at: at.base.stdout(), Refused("no command has been set")),
    Rule("nor an error output", lambda at: at.base.stderr(), Refused("no command has been set")),
    Rule("nor an exit code", lambda at: at.base.exit_code(), Refused("no command has been set")),
    Rule(
        "output is that of the last exec, whatever is changed after it",
        lambda at: sh(at.base, "echo last").with_new_file("/f", "").with_env_variable("A", "1").stdout(),
        "last\n",
    ),
    Rule(
        "output that goes to a file can still be read",
        lambda at: _redirected(sh(at.base, "echo o; echo e >&2", redirect_stdout="/o", redirect_stderr="/e")),
        ("o\n", "e\n", "o\n", "e\n"),
    ),
    Rule(
        "which starts in the working directory, and is nobody else's",
        lambda at: out(sh(at.base.with_workdir("/srv"), "echo x", redirect_stdout="x"), "stat -c %a /srv/x"),
        "600\n",
    ),
    Rule(
        "and may be expanded",
        lambda at: (
            sh(at.base.with_env_variable("D", "/srv"), "echo x", redirect_stdout="$D/x", expand=True)
            .file("/srv/x")
            .contents()
        ),
        "x\n",
    ),
    Rule(
        "output can go to a file of a mounted directory",
        lambda at: (
            sh(at.base.with_mounted_directory("/m", at.client.directory()), "echo x", redirect_stdout="/m/x")
            .file("/m/x")
            .contents()
        ),
        "x\n",
        embedded=Differs("Writes below a mounted directory", Refused("/m/x")),
    ),
)


async def _length(container: dagger.Container) -> int:
    return len(await container.stdout())


async def _redirected(made: dagger.Container) -> tuple[str, str, str, str]:
    return (*await _streams(made), await made.file("/o").contents(), await made.file("/e").contents())


test_input = rules(
    Rule("an exec reads what it is given", lambda at: at.base.with_exec(["cat"], stdin='x\n"y"').stdout(), 'x\n"y"'),
    Rule("and nothing without that", lambda at: at.base.with_exec(["cat"]).stdout(), ""),
    Rule(
        "an exec can read a file",
        lambda at: at.base.with_new_file("/in", "x").with_exec(["cat"], redirect_stdin="/in").stdout(),
        "x",
    ),
    Rule(
        "an exec can read a file of a mounted directory",
        lambda at: (
            at.base.with_mounted_directory("/m", at.client.directory().with_new_file("in", "x"))
            .with_exec(["cat"], redirect_stdin="/m/in")
            .stdout()
        ),
        "x",
    ),
    Rule(
        "an exec can read a secret",
        lambda at: (
            at.base.with_mounted_secret("/s", at.client.set_secret("conformance-in", "secret"))
            .with_exec(["tr", "a-z", "A-Z"], redirect_stdin="/s")
            .stdout()
        ),
        "SECRET",
    ),
    Rule(
        "both at once are refused",
        lambda at: at.base.with_exec(["cat"], stdin="x", redirect_stdin="/etc/passwd").sync(),
        Refused("stdin"),
    ),
    Rule(
        "a file that is not there is an error",
        lambda at: at.base.with_exec(["cat"], redirect_stdin="/nowhere").sync(),
        Refused("nowhere"),
    ),
)

test_exit_codes = rules(
    Rule("zero is success", lambda at: _exits(at, 0, ReturnType.SUCCESS).exit_code(), 0),
    Rule("anything else is an error", lambda at: _exits(at, 1, ReturnType.SUCCESS).sync(), _failed("exit code: 1")),
    Rule("any exit code can be allowed", lambda at: _exits(at, 7, ReturnType.ANY).exit_code(), 7),
    Rule("success among them", lambda at: _exits(at, 0, ReturnType.ANY).exit_code(), 0),
    Rule("a failure can be asked for", lambda at: _exits(at, 1, ReturnType.FAILURE).exit_code(), 1),
    Rule("success is an error then", lambda at: _exits(at, 0, ReturnType.FAILURE).sync(), _failed("exit code: 0")),
    Rule("up to 127", lambda at: _exits(at, 127, ReturnType.ANY).exit_code(), 127),
    Rule("from 128 they are signals, and errors", lambda at: _exits(at, 128, ReturnType.ANY).sync(), _failed()),
    Rule("up to 191", lambda at: _exits(at, 191, ReturnType.FAILURE).sync(), _failed("exit code: 191")),
    Rule("from 192 they are allowed again", lambda at: _exits(at, 192, ReturnType.ANY).exit_code(), 192),
    Rule("up to 255", lambda at: _exits(at, 255, ReturnType.FAILURE).exit_code(), 255),
    Rule("a signal is an error", lambda at: sh(at.base, "kill -9 $$", expect=ReturnType.ANY).sync(), _failed()),
    Rule(
        "an error has the exit code, both streams and the command",
        lambda at: _error(at.base.with_exec(["sh", "-c", "echo o; echo e >&2; exit 3"])),
        (3, "o", "e", ["sh", "-c", "echo o; echo e >&2; exit 3"]),
    ),
    Rule(
        "with output in files too",
        lambda at: _error(at.base.with_exec(["sh", "-c", "echo o; exit 3"], redirect_stdout="/o")),
        (3, "o", "", ["sh", "-c", "echo o; exit 3"]),
    ),
    Rule(
        "of a long output it has the last 100 KiB, and says so",
        lambda at: _ends(sh(at.base, "seq 100000; exit 1")),
        ("[omitting 486495 bytes]...", "\n100000", 100 * 1024 - 1),
    ),
)


async def _ends(container: dagger.Container) -> tuple[str, str, int]:
    text = (await _error(container))[1]
    return text[:26], text[-7:], len(text)


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
