from pathlib import Path
from typing import Any

import dagger
import pytest

from pipeline.cli.arguments import Call
from pipeline.cli.functions import Flag, Function
from pipeline.cli.options import UsageError
from pipeline.cli.values import arguments


def convert(kind: type, *words: str, many: bool = False) -> Any:
    flag = Flag("some-flag", "some_flag", kind, many, "", None, False)
    function = Function("f", "f", "", (flag,), None, False)
    return arguments(Call(function, {flag: words}))["some_flag"]


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [
        (str, "a,b", "a,b"),
        (int, "3", 3),
        (float, "0.5", 0.5),
        (bool, "true", True),
        (bool, "false", False),
        (dagger.Platform, "linux/arm64", dagger.Platform("linux/arm64")),
        (dagger.ReturnType, "any", dagger.ReturnType.ANY),
        (dagger.ImageMediaTypes, "OCIMediaTypes", dagger.ImageMediaTypes.OCIMediaTypes),
    ],
)
def test_a_word_becomes_a_value_of_the_flags_type(kind: type, word: str, value: object) -> None:
    assert convert(kind, word) == value


def test_the_last_of_repeated_values_counts() -> None:
    assert convert(str, "a", "b") == "b"


def test_a_newline_in_a_list_goes_on_to_whoever_refuses_it() -> None:
    assert convert(str, "a\nb=c", many=True) == ["a\nb=c"]


def test_a_list_is_comma_separated_or_repeated() -> None:
    assert convert(str, "a,b", "c", many=True) == ["a", "b", "c"]


def test_a_quoted_part_of_a_list_keeps_its_commas() -> None:
    assert convert(str, 'sh,-c,"echo a,b"', many=True) == ["sh", "-c", "echo a,b"]


def test_a_list_of_numbers_holds_numbers() -> None:
    assert convert(int, "1,2", many=True) == [1, 2]


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_file_is_a_path(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "base.tar"
    path.write_bytes(b"")
    assert isinstance(convert(dagger.File, f"{prefix}{path}"), dagger.File)


def test_a_directory_is_a_path(tmp_path: Path) -> None:
    assert isinstance(convert(dagger.Directory, str(tmp_path)), dagger.Directory)


@pytest.mark.parametrize(
    ("kind", "word", "sentence"),
    [
        (int, "x", '--some-flag takes a whole number such as 30, not "x".'),
        (float, "x", '--some-flag takes a number such as 0.5, not "x".'),
        (
            dagger.ReturnType,
            "none",
            '--some-flag takes one of any, failure, success, not "none".',
        ),
        (dagger.File, "nowhere", '--some-flag takes the path of a file, and "nowhere" is not one.'),
        (dagger.File, "/", '--some-flag takes the path of a file, and "/" is not one.'),
        (
            dagger.Directory,
            "nowhere",
            '--some-flag takes the path of a directory, and "nowhere" is not one.',
        ),
        (dagger.Service, "x", "--some-flag takes a Service, which only `dagger call` can create."),
    ],
)
def test_a_word_that_is_no_value_is_refused_in_a_sentence(kind: type, word: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        convert(kind, word)
    assert str(caught.value) == sentence


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    assert isinstance(convert(dagger.Secret, "env://TOKEN"), dagger.Secret)


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("hunter2")
    assert isinstance(convert(dagger.Secret, f"file://{path}"), dagger.Secret)


@pytest.mark.parametrize("word", ["hunter2", "plain://hunter2", "cmd://hunter2"])
def test_a_secret_in_plain_text_is_refused_and_not_repeated(word: str) -> None:
    with pytest.raises(UsageError, match="never as plain text") as caught:
        convert(dagger.Secret, word)
    assert "hunter2" not in str(caught.value)


def test_a_secret_of_a_missing_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(UsageError, match="the environment variable TOKEN is not set"):
        convert(dagger.Secret, "env://TOKEN")
