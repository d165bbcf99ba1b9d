"""Rules of what makes an exec run again."""

import secrets

import dagger
import pytest

from tests.conformance.rules import Rule, Subject, rules, sh

#: Says something else each time it runs.
AGAIN = "cat /proc/sys/kernel/random/uuid"


async def _same(first: dagger.Container, second: dagger.Container) -> bool:
    """Whether the step ran once for both."""
    return await sh(first, AGAIN).stdout() == await sh(second, AGAIN).stdout()


def _tree(at: Subject, text: str) -> dagger.Directory:
    return at.client.directory().with_new_file("f", text)


def _cache(at: Subject, key: str) -> dagger.Container:
    return at.base.with_mounted_cache("/c", at.client.cache_volume(key))


async def _written(at: Subject) -> bool:
    mounted = _cache(at, f"conformance-{secrets.token_hex(8)}")
    first = await sh(mounted, AGAIN).stdout()
    await sh(mounted, "echo >/c/f").sync()
    return await sh(mounted, AGAIN).stdout() == first


def _uploaded(at: Subject, name: str, text: str) -> dagger.Container:
    (at.directory / name).mkdir()
    (at.directory / name / "f").write_text(text)
    return at.base.with_directory("/d", at.client.host().directory(str(at.directory / name)))


test_what_is_made_once = rules(
    Rule("an exec runs once for the same container", lambda at: _same(at.base, at.base), True),
    Rule(
        "and for another that is made the same way",
        lambda at: _same(at.base.with_new_file("/f", "x"), at.base.with_new_file("/f", "x")),
        True,
    ),
    Rule("the contents of a cache volume are no difference", lambda at: _written(at), True),
    Rule(
        "where equal files came from is no difference",
        lambda at: _same(_uploaded(at, "one", "x"), _uploaded(at, "two", "x")),
        True,
    ),
)


test_what_is_made_again = rules(
    Rule("another file is a difference", lambda at: _same(at.base, at.base.with_new_file("/f", "x")), False),
    Rule("another variable is one", lambda at: _same(at.base, at.base.with_env_variable("A", "1")), False),
    Rule("another user is one", lambda at: _same(at.base, at.base.with_user("nobody")), False),
    Rule("another working directory is one", lambda at: _same(at.base, at.base.with_workdir("/srv")), False),
    Rule(
        "another mounted directory is one",
        lambda at: _same(
            at.base.with_mounted_directory("/m", _tree(at, "1")), at.base.with_mounted_directory("/m", _tree(at, "2"))
        ),
        False,
    ),
    Rule("another place of a mount is one", lambda at: _same(_temp(at, "/a"), _temp(at, "/b")), False),
    Rule("another cache volume is one", lambda at: _same(_cache(at, "one"), _cache(at, "two")), False),
    Rule(
        "other files of this machine are one",
        lambda at: _same(_uploaded(at, "one", "x"), _uploaded(at, "two", "y")),
        False,
    ),
)


def _temp(at: Subject, path: str) -> dagger.Container:
    return at.base.with_mounted_temp(path)


async def test_other_arguments_make_another_exec(subject: Subject) -> None:
    outputs = {
        await sh(subject.base, AGAIN).stdout(),
        await sh(subject.base, AGAIN, stdin="x").stdout(),
        await sh(subject.base, AGAIN, expect=dagger.ReturnType.ANY).stdout(),
        await sh(subject.base, AGAIN, redirect_stdout="/o").stdout(),
        await sh(subject.base, AGAIN, insecure_root_capabilities=True).stdout(),
    }
    assert len(outputs) == 5


async def test_an_exec_error_is_not_cached(subject: Subject) -> None:
    step = sh(subject.base, "cat /proc/sys/kernel/random/uuid; exit 3")
    seen = []
    for _ in range(2):
        with pytest.raises(dagger.ExecError) as caught:
            await step.sync()
        seen.append(caught.value.stdout)
    assert seen[0] != seen[1]
