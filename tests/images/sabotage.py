"""Ways to break an image, each with the check that must see it and what it must say."""

import re
from dataclasses import dataclass

import dagger

from pipeline.steps.step import Step


@dataclass(frozen=True)
class Sabotage:
    """One way to break an image.

    Args:
        what: the fact that no longer holds.
        image: which is broken.
        check: the name of the check that must fail.
        step: breaks it.
        says: what the check's message must hold, a regular expression.
    """

    what: str
    image: str
    check: str
    step: Step
    says: str


def shell(script: str) -> Step:
    """Break an image with a shell command."""

    def step(container: dagger.Container) -> dagger.Container:
        return container.with_exec(["sh", "-euc", script, "sabotage"])

    return step


def label(name: str, value: str) -> Step:
    return lambda container: container.with_label(name, value)


def variable(name: str, value: str) -> Step:
    return lambda container: container.with_env_variable(name, value)


def stub(path: str, output: str) -> Step:
    """Put a program in the way that says something else."""
    return shell(f"rm -f {path}; printf '#!/bin/sh\\necho \"{output}\"\\n' >{path}; chmod +x {path}")


def left(path: str) -> Step:
    """Leave a file behind that does not belong to an image."""
    return shell(f"mkdir -p $(dirname {path}); echo text >{path}")


def matches(says: str, message: str) -> bool:
    return re.search(says, message) is not None
