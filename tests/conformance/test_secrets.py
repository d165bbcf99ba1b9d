"""Rules of secrets: who sees them, and where they never are."""

import secrets
import tarfile

import dagger

from tests.conformance.rules import Differs, Refused, Rule, Subject, out, rules, sh

PLAIN = "pl41n-t3xt"
MIB = 1 << 20
IN_PIECES = f"printf {PLAIN[:4]}; sleep 0.3; printf {PLAIN[4:]}; echo"


def _secret(at: Subject) -> dagger.Secret:
    return at.client.set_secret("conformance-plain", PLAIN)


def _variable(at: Subject) -> dagger.Container:
    return at.base.with_secret_variable("TOKEN", _secret(at))


def _file(at: Subject, **arguments: object) -> dagger.Container:
    return at.base.with_mounted_secret("/run/token", _secret(at), **arguments)  # type: ignore[arg-type]


def _from_file(at: Subject, plain: str) -> dagger.Secret:
    (at.directory / "token").write_text(plain)
    return at.client.secret(f"file://{at.directory / 'token'}")


test_reading = rules(
    Rule(
        "a secret variable is there for an exec", lambda at: out(_variable(at), f'test "$TOKEN" = {PLAIN}; echo'), "\n"
    ),
    Rule(
        "a secret file too, for root alone",
        lambda at: out(_file(at), "wc -c </run/token; stat -c %a:%U /run/token"),
        f"{len(PLAIN)}\n400:root\n",
    ),
    Rule(
        "or for another user, with another mode",
        lambda at: out(_file(at, owner="nobody", mode=0o440), "stat -c %a:%U /run/token"),
        "440:nobody\n",
    ),
    Rule(
        "it is in memory",
        lambda at: out(_file(at), "findmnt -no FSTYPE /run/token || stat -fc %T /run/token"),
        "tmpfs\n",
    ),
    Rule("a secret has its text", lambda at: _secret(at).plaintext(), PLAIN),
    Rule("and its name", lambda at: _secret(at).name(), "conformance-plain"),
    Rule("a secret may come from a file", lambda at: _from_file(at, "from a file\n").plaintext(), "from a file\n"),
    Rule(
        "which has to be there",
        lambda at: at.client.secret(f"file://{at.directory}/none").plaintext(),
        Refused(""),
    ),
    Rule(
        "a variable that holds one has to be there",
        lambda at: at.client.secret("env://NO_SUCH_VARIABLE_IN_CONFORMANCE").plaintext(),
        Refused(r'secret env var not found: "NO_\.\.\."'),
    ),
    Rule("a secret variable can be taken away", lambda at: out(_gone(at), 'echo "${TOKEN-gone}"'), "gone\n"),
)


def _gone(at: Subject) -> dagger.Container:
    return _variable(at).without_secret_variable("TOKEN")


test_hiding = rules(
    Rule("output hides a secret variable", lambda at: out(_variable(at), 'echo "<$TOKEN>"'), "<***>\n"),
    Rule("and a secret file", lambda at: out(_file(at), "cat /run/token"), "***"),
    Rule("on either stream", lambda at: sh(_file(at), "cat /run/token >&2").stderr(), "***"),
    Rule("in both together", lambda at: sh(_file(at), "cat /run/token >&2").combined_output(), "***"),
    Rule("an error hides it too", lambda at: _failure(sh(_variable(at), "echo $TOKEN; exit 1")), "***"),
    Rule("a secret that comes in pieces is hidden", lambda at: out(_file(at), IN_PIECES), "***\n"),
    Rule("a secret of several lines is hidden", lambda at: _lines(at), "<***>\n"),
    Rule("a secret variable is not part of the environment", lambda at: _variable(at).env_variable("TOKEN"), None),
    Rule("a secret file is not part of the container", lambda at: _file(at).exists("/run/token"), False),
    Rule("nor after an exec", lambda at: sh(_file(at), "true").without_mount("/run/token").exists("/run/token"), False),
    Rule("no secret is in an archive", lambda at: _in_archive(at), False),
    Rule(
        "a path cannot be made of a secret variable",
        lambda at: _variable(at).with_new_file("/$TOKEN", "", expand=True).sync(),
        Refused("TOKEN"),
    ),
    Rule(
        "nor an argument", lambda at: _variable(at).with_exec(["echo", "$TOKEN"], expand=True).sync(), Refused("TOKEN")
    ),
)


async def _failure(container: dagger.Container) -> str:
    try:
        await container.sync()
    except dagger.ExecError as error:
        return error.stdout
    raise AssertionError("no error")


async def _lines(at: Subject) -> str:
    secret = at.client.set_secret("conformance-lines", "first line\nsecond line")
    return await out(at.base.with_secret_variable("KEY", secret), 'echo "<$KEY>"')


async def _in_archive(at: Subject) -> bool:
    made = sh(_variable(at).with_mounted_secret("/run/token", _secret(at)), "echo $TOKEN >/seen; true")
    archive = at.directory / "image.tar"
    await made.without_file("/seen").with_new_file("/f", "x").export(str(archive))
    with tarfile.open(archive) as layout:
        documents = [layout.extractfile(member) for member in layout.getmembers() if member.size < 1 << 16]
        return any(PLAIN.encode() in document.read() for document in documents if document)


async def _same(at: Subject, first: dagger.Secret, second: dagger.Secret) -> bool:
    run = ["cat", "/proc/sys/kernel/random/uuid"]
    steps = [at.base.with_secret_variable("TOKEN", secret).with_exec(run) for secret in (first, second)]
    return await steps[0].stdout() == await steps[1].stdout()


async def _set_again(at: Subject) -> bool:
    name = f"conformance-{secrets.token_hex(4)}"
    run = ["cat", "/proc/sys/kernel/random/uuid"]
    outputs = []
    for plain in ("one", "two"):
        secret = at.client.set_secret(name, plain)
        outputs.append(await at.base.with_secret_variable("TOKEN", secret).with_exec(run).stdout())
    return outputs[0] == outputs[1]


async def _of_files(at: Subject, second: str, **arguments: str) -> bool:
    one, two = at.directory / "one", at.directory / "two"
    one.write_text("first")
    two.write_text(second)
    return await _same(at, *(at.client.secret(f"file://{path}", **arguments) for path in (one, two)))


test_keys = rules(
    Rule("a secret that is set anew under its name makes no exec run again", lambda at: _set_again(at), True),
    Rule("secrets of equal text are one to an exec", lambda at: _of_files(at, "first"), True),
    Rule("secrets of other text are not", lambda at: _of_files(at, "second"), False),
    Rule("unless they have one cache key", lambda at: _of_files(at, "second", cache_key="conformance"), True),
    Rule("a secret that is set by its text may be long", lambda at: _long(at, 600_000), 600_000),
    Rule(
        "however long",
        lambda at: _long(at, MIB + 1),
        MIB + 1,
        embedded=Differs("Size of a secret", Refused("more than 1048576 bytes")),
    ),
    Rule("one that comes from a file too", lambda at: _long_file(at, 600_000), 600_000),
    Rule(
        "however long the file is",
        lambda at: _long_file(at, MIB + 1),
        MIB + 1,
        embedded=Differs("Size of a secret", Refused("more than 1048576 bytes")),
    ),
    Rule("an exec reads all of a long secret file", lambda at: _mounted_long(at), "600000\n"),
    Rule("a variable is longer than Linux takes", lambda at: _variable_long(at), Refused("", dagger.ExecError)),
)


async def _long(at: Subject, size: int) -> int:
    return len(await at.client.set_secret("conformance-long", "x" * size).plaintext())


async def _long_file(at: Subject, size: int) -> int:
    return len(await _from_file(at, "x" * size).plaintext())


async def _mounted_long(at: Subject) -> str:
    secret = at.client.set_secret("conformance-longer", "x" * 600_000)
    return await out(at.base.with_mounted_secret("/run/token", secret), "wc -c </run/token")


async def _variable_long(at: Subject) -> str:
    secret = at.client.set_secret("conformance-longer", "x" * 600_000)
    return await out(at.base.with_secret_variable("TOKEN", secret), "echo $TOKEN")
