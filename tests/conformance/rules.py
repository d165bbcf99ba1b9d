"""The form of a case: a rule of Dagger's engine in one sentence, how it is observed, and what must be seen."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagger
import pytest


@dataclass(frozen=True)
class Subject:
    """An engine under test, and what each case starts from.

    Args:
        client: of the public SDK.
        base: a container of a small Debian or Ubuntu.
        directory: an empty directory of this machine, for files that come from and go to it.
        registry: host and port of a registry that takes everything.
        mode: `dagger` for Dagger's own; for the engine of this project, how it is run.
    """

    client: dagger.Client
    base: dagger.Container
    directory: Path
    registry: str
    mode: str


Observe = Callable[[Subject], Awaitable[object]]


@dataclass(frozen=True)
class Refused:
    """What must be seen is an error.

    Args:
        words: a regular expression for a part of its message, in any letters; empty where Dagger's own text is no rule.
        kind: the error's class.
    """

    words: str = ""
    kind: type[Exception] = dagger.QueryError


@dataclass(frozen=True)
class Differs:
    """A difference that is tolerated.

    Args:
        subject: the row of the table of differences in engine/README.md.
        seen: what is seen instead.
        mode: the one way of running the engine that differs; empty for all.
    """

    subject: str
    seen: object
    mode: str = ""

    def is_for(self, mode: str) -> bool:
        """Return whether an engine that is run this way may differ."""
        return mode in (self.mode or mode,) and mode != "dagger"


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        sentence: what Dagger's engine does; names the case.
        observe: asks the engine.
        seen: what must be seen.
        embedded: the tolerated difference of the embedded engine, if it has one.
    """

    sentence: str
    observe: Observe
    seen: object
    embedded: Differs | None = None

    async def hold(self, subject: Subject) -> None:
        """Fail unless the engine does what the rule says, or differs as the rule tolerates."""
        seen = self.embedded.seen if self.embedded and self.embedded.is_for(subject.mode) else self.seen
        if isinstance(seen, Refused):
            with pytest.raises(seen.kind, match=re.compile(seen.words, re.IGNORECASE)):
                await self.observe(subject)
        else:
            assert await self.observe(subject) == seen


#: Every rule, as the modules beside this one state them.
RULES: list[Rule] = []


def rules(*stated: Rule) -> Callable[..., Awaitable[None]]:
    """Return a test that runs once for each rule."""
    RULES.extend(stated)

    @pytest.mark.parametrize("rule", stated, ids=lambda rule: rule.sentence)
    async def test(subject: Subject, rule: Rule) -> None:
        await rule.hold(subject)

    return test


def sh(container: dagger.Container, script: str, **arguments: Any) -> dagger.Container:
    """Run a script of the shell."""
    return container.with_exec(["sh", "-euc", script], **arguments)


async def out(container: dagger.Container, script: str, **arguments: Any) -> str:
    """Run a script of the shell and return what it prints."""
    return await sh(container, script, **arguments).stdout()
