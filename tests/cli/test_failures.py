import io
from typing import Any

import dagger
import pytest
from dagger._exceptions import QueryErrorValue
from gql import gql

from pipeline.cli.failures import report
from pipeline.cli.options import UsageError
from pipeline.cli.remedies import REMEDIES


def query_error(message: str, **extensions: Any) -> dagger.QueryError:
    return dagger.QueryError([QueryErrorValue(message, extensions=extensions)], gql("{version}"))


def exec_error(command: list[str], code: int, stdout: str = "", stderr: str = "") -> dagger.QueryError:
    extensions = {"_type": "EXEC_ERROR", "cmd": command, "exitCode": code, "stdout": stdout, "stderr": stderr}
    return query_error(f"exit code: {code}", **extensions)


def reported(error: BaseException, *, shown: bool = False) -> tuple[int, str]:
    stream = io.StringIO()
    code = report(error, shown=shown, stream=stream)
    return code, stream.getvalue()


def test_what_the_user_can_correct_is_one_sentence_and_exit_code_2() -> None:
    assert reported(UsageError("no such thing.")) == (2, "Error: no such thing.\n")


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_an_error_of_the_engine_that_the_user_can_correct_exits_with_2_and_names_the_flag(code: str) -> None:
    assert reported(query_error("The sentence.", _type="ENGINE_ERROR", code=code)) == (
        2,
        f"Error: The sentence{REMEDIES[code]}.\n",
    )


def test_other_errors_of_the_engine_exit_with_1() -> None:
    assert reported(query_error("A defect.", _type="ENGINE_ERROR", code="INTERNAL"))[0] == 1


def test_a_failed_command_gives_its_exit_code_and_its_output() -> None:
    error = exec_error(["false", "it"], 3, "out\n", "err\n")
    assert reported(error) == (3, "Error: `false it` failed with exit code 3.\nStdout:\nout\nStderr:\nerr\n")


def test_a_step_is_called_by_its_name() -> None:
    error = exec_error(["sh", "-euc", "exit 4", "ska-base: harden"], 4)
    assert reported(error) == (4, 'Error: step "ska-base: harden" failed with exit code 4.\n')


def test_output_that_is_on_the_screen_is_not_repeated() -> None:
    assert "boom" not in reported(exec_error(["false"], 1, stderr="boom"), shown=True)[1]


def test_of_long_output_the_last_20_lines_are_shown() -> None:
    text = reported(exec_error(["false"], 1, stdout="\n".join(f"line {n}" for n in range(50))))[1]
    assert "[30 lines before]\nline 30\n" in text
    assert text.endswith("line 49\n")
    assert "line 29" not in text


def test_a_group_of_errors_is_its_first_one() -> None:
    group: Any = RuntimeError("group")
    group.exceptions = (UsageError("first."), UsageError("second."))
    assert reported(group) == (2, "Error: first.\n")


def test_a_file_that_cannot_be_written_is_named() -> None:
    assert reported(PermissionError(13, "Permission denied", "/x/y")) == (2, "Error: /x/y: Permission denied.\n")


def test_a_full_disk_can_be_corrected() -> None:
    assert reported(OSError(28, "No space left on device")) == (2, "Error: No space left on device.\n")


def test_an_unforeseen_error_is_one_line_and_exit_code_1() -> None:
    code, text = reported(ZeroDivisionError("by zero"))
    assert code == 1
    assert text == "Error: by zero (SKA_DEBUG=1 shows where).\n"


def test_a_traceback_is_shown_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_DEBUG", "1")
    assert "ZeroDivisionError: by zero" in reported(ZeroDivisionError("by zero"))[1]
