"""Rules that the embedded engine is not made to keep, and whether its table of differences says so."""

import asyncio
import contextlib
import importlib
import pkgutil
import re
from collections.abc import AsyncIterator
from pathlib import Path

import dagger
import pytest

from tests.conformance import rules as form
from tests.conformance.rules import Differs, Refused, Rule, Subject, out, rules

README = Path(__file__).parents[2] / "engine/README.md"


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[int]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _reaches_this_machine(at: Subject) -> str:
    async with _listening() as port:
        script = f"(: </dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo reached || echo alone"
        return await at.base.with_exec(["bash", "-c", script]).stdout()


async def _emulated(at: Subject) -> bool:
    name, machine = ("arm64", "aarch64") if "amd64" in await at.client.default_platform() else ("amd64", "x86_64")
    other = at.client.container(platform=dagger.Platform(f"linux/{name}")).with_rootfs(at.base.rootfs())
    if at.mode == "dagger":
        other = other.from_(await at.base.image_ref())
    return await out(other, "uname -m") == f"{machine}\n"


async def _serves(at: Subject) -> bool:
    return bool(await at.base.as_service(args=["sleep", "1"]).id())


async def _loads(at: Subject) -> bool:
    return bool(await at.client.module_source(".").id())


async def _stand_in(at: Subject) -> bool:
    return "bootstrap:" in await at.client.container().from_("bootstrap:auto").image_ref()


#: Rows of the table that tests elsewhere state: the machine has to be prepared for them, or they take long.
ELSEWHERE = {
    "pip and apt settings of the host",  # tests/engine/test_host.py
    "Output of an exec",  # tests/engine/faults/test_steps.py
}

test_what_is_not_kept = rules(
    Rule(
        "execs of other platforms are emulated",
        lambda at: _emulated(at),
        True,
        embedded=Differs("Machines and platforms", Refused("does not serve execs of linux/")),
    ),
    Rule(
        "modules are loaded",
        lambda at: _loads(at),
        True,
        embedded=Differs("Modules", Refused(r"does not serve Query\.moduleSource; run this on Dagger's engine")),
    ),
    Rule(
        "services are started",
        lambda at: _serves(at),
        True,
        embedded=Differs("Network of an exec", Refused(r"does not serve Container\.asService")),
    ),
    Rule(
        "an exec has a network of its own",
        lambda at: _reaches_this_machine(at),
        "alone\n",
    ),
    Rule(
        "there is no other registry than a registry",
        lambda at: _stand_in(at),
        Refused(),
        embedded=Differs("`from`", True),
    ),
    Rule(
        "an exec may make device nodes",
        lambda at: out(at.base, "mknod /n c 1 3; stat -c %F /n"),
        "character special file\n",
        embedded=Differs("Device nodes in images", Refused("exit code: 1", dagger.ExecError), mode="user"),
    ),
    Rule(
        "a download needs no checksum",
        lambda at: at.client.http(f"http://{at.registry}/v2/").contents(),
        "{}",
        embedded=Differs("`http`", Refused("has no checksum")),
    ),
)


async def test_the_table_of_differences_names_those_that_are_tolerated_here() -> None:
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"tests.conformance.{module.name}")
    tolerated = {rule.embedded.subject for rule in form.RULES if rule.embedded}
    table = README.read_text().partition("## How it differs")[2]
    listed = set(re.findall(r"^\| (?!subject|---)([^|]+) \|[^|]+\|[^|]+\|$", table, re.MULTILINE))
    assert tolerated | ELSEWHERE == listed


@pytest.mark.parametrize("seen", [2, Refused("words")], ids=["another value", "no error"])
async def test_a_rule_that_does_not_hold_is_seen(subject: Subject, seen: object) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await Rule("one is something else", lambda _: asyncio.sleep(0, 1), seen).hold(subject)
