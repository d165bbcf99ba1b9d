"""Rules of what becomes of an exec's streams, and of its exit code."""

import dagger
from dagger import ReturnType

from tests.conformance.rules import Refused, Rule, Subject, out, rules, sh


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
    Rule("output is whole", lambda at: _length(sh(at.base, "seq 30000")), 168894),
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
    Rule("a signal is an error", lambda at: sh(at.base, "sh -c 'kill -9 $$'", expect=ReturnType.ANY).sync(), _failed()),
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
