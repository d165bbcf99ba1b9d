import pytest

from pipeline.cli.arguments import Invocation, parse, require
from pipeline.cli.functions import constructor
from pipeline.cli.options import UsageError


def parsed(line: str) -> Invocation:
    return parse(line.split(), constructor())


def given(line: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return what was given, by function and flag; the constructor's under "new"."""
    invocation = parsed(line)
    found = {"new": {flag.name: words for flag, words in invocation.constructor.given.items()}}
    for call in invocation.calls:
        found[call.function.name] = {flag.name: words for flag, words in call.given.items()}
    return found


@pytest.mark.parametrize("line", ["build --image ska-base", "build --image=ska-base"])
def test_a_value_follows_its_flag_or_an_equals_sign(line: str) -> None:
    assert given(line)["build"] == {"image": ("ska-base",)}


@pytest.mark.parametrize("line", ["--base b@c images", "images --base b@c", "images --base=b@c"])
def test_the_constructors_flags_stand_before_or_after_the_function(line: str) -> None:
    assert given(line) == {"new": {"base": ("b@c",)}, "images": {}}


def test_functions_are_called_one_on_the_other() -> None:
    assert given("ska-python with-exec --args=python,-V with-user --name nonroot stdout") == {
        "new": {},
        "ska-python": {},
        "with-exec": {"args": ("python,-V",)},
        "with-user": {"name": ("nonroot",)},
        "stdout": {},
    }


def test_a_repeated_flag_keeps_every_value() -> None:
    assert given("--label a=1 --label=b=2 images")["new"] == {"label": ("a=1", "b=2")}


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--use-entrypoint", "true"), ("--use-entrypoint=true", "true"), ("--use-entrypoint=false", "false")],
)
def test_a_boolean_does_not_take_the_next_word(flag: str, value: str) -> None:
    found = given(f"ska-python with-exec --args=a {flag} stdout")
    assert found["with-exec"]["use-entrypoint"] == (value,)
    assert "stdout" in found


@pytest.mark.parametrize("flag", ["--baseArchive", "--base_archive", "--base-archive"])
def test_other_casings_of_a_flag_are_the_flag(flag: str) -> None:
    assert given(f"{flag}=X_y.tar images")["new"] == {"base-archive": ("X_y.tar",)}


def test_a_value_keeps_its_equals_signs_and_dashes() -> None:
    assert given("--label=a=b=--c images")["new"] == {"label": ("a=b=--c",)}


def test_a_missing_required_flag_is_said_as_dagger_says_it() -> None:
    with pytest.raises(UsageError, match=r'^required flag\(s\) "image" not set$'):
        require(parsed("build"))


def test_flags_without_a_function_are_no_call() -> None:
    with pytest.raises(UsageError, match="no function was named"):
        require(parsed("--base b@c"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("bild", 'unknown function "bild"; did you mean build?'),
        ("qqqqq", 'unknown function "qqqqq"; see `ska-images --help`.'),
        ("build --imgae x", "unknown flag --imgae for build; did you mean --image?"),
        ("--bsae=x images", "unknown flag --bsae for ska-images; did you mean --base?"),
        ("images --qqqqq=secret", "unknown flag --qqqqq for images; see `ska-images --help`."),
        ("ska-python stdot", 'unknown function "stdot" of Container; did you mean stdout?'),
        ("images stdout", 'unexpected word "stdout": the result of images has no functions.'),
        ("verify host/name:1", 'unexpected word "host/name:1"; verify takes it as --reference=host/name:1'),
        ("ska-python with-exec ls", 'unexpected word "ls"; with-exec takes it as --args=ls'),
    ],
)
def test_a_wrong_word_is_named_with_the_nearest_right_one(line: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(line)
    assert str(caught.value) == sentence


def test_the_value_of_an_unknown_flag_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        parsed("images --pasword=hunter2")
    assert "hunter2" not in str(caught.value)
