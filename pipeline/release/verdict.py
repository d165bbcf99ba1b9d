"""Answers of which the exit code is a part.

`dagger call` has no exit code for a function's result, but hands on that of a failed command. So an answer with an
exit code is printed by a command that ends with it; both command lines know such an answer from a failure by its name.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagger

#: The name of the step: what it prints is the answer, and its exit code is not a failure.
VERDICT = "verdict"


async def verdict(container: "dagger.Container", text: str, exit_code: int) -> str:
    """Return a text, or fail with it and an exit code.

    Args:
        container: any that has a shell.
        text: up to 100 KiB, which is what engines keep of a failed command's output.
        exit_code: 0 returns the text.

    Raises:
        dagger.ExecError: with the text and the exit code, when that is not 0.
    """
    if exit_code == 0:
        return text
    command = ["sh", "-c", 'cat; exit "$1"', VERDICT, str(exit_code)]
    await container.with_exec(command, stdin=text).sync()
    return text


def is_verdict(error: "dagger.ExecError") -> bool:
    """Tell whether a failed command is an answer."""
    return len(error.command) > 3 and error.command[3] == VERDICT
