"""Results with an exit code.

`dagger call` has no exit code for a function's result, but it passes on the exit code of a failed command. A result
with an exit code is therefore printed by a command that exits with it; both command lines tell it from a failure by the
command's name.
"""

from typing import TYPE_CHECKING

from pipeline.errors import ReleaseError

if TYPE_CHECKING:
    import dagger

#: The name of the step whose output is the result, and whose exit code is not a failure.
VERDICT = "verdict"
#: The bytes of a failed command's output that engines keep.
KEPT = 100 * 1024


async def verdict(container: "dagger.Container", text: str, exit_code: int) -> str:
    """Return a text, or fail with it and an exit code.

    Args:
        container: any container with a shell.
        text: the result.
        exit_code: 0 returns the text.

    Raises:
        ReleaseError: the text is longer than the output of a failed command that engines keep.
        dagger.ExecError: the exit code is not 0; the error has the text and the exit code.
    """
    if exit_code == 0:
        return text
    if (size := len(text.encode())) > KEPT:
        raise ReleaseError(
            f"The result has {size} bytes, and with an exit code at most {KEPT} can be returned; examine fewer images "
            "at once, or give --exit-code 0."
        )
    command = ["sh", "-c", 'cat; exit "$1"', VERDICT, str(exit_code)]
    await container.with_exec(command, stdin=text).sync()
    return text


def is_verdict(error: "dagger.ExecError") -> bool:
    """Return whether a failed command is a result."""
    return len(error.command) > 3 and error.command[3] == VERDICT
