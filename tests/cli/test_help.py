import dagger
import pytest

from pipeline.cli import help as help_text
from pipeline.cli.functions import Function, constructor, functions_of
from pipeline.cli.options import FLAGS

FUNCTIONS = functions_of(None)


def unwrapped(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("text", [help_text.overview(constructor()), *map(help_text.of_function, FUNCTIONS.values())])
def test_help_fits_in_80_columns(text: str) -> None:
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_the_overview_has_every_function_with_the_first_sentence_of_its_documentation() -> None:
    text = unwrapped(help_text.overview(constructor()))
    assert [f.name for f in FUNCTIONS.values() if unwrapped(f"{f.name} {f.summary}") not in text] == []


def test_the_overview_has_the_flags_of_the_constructor_and_of_the_program() -> None:
    text = unwrapped(help_text.overview(constructor()))
    assert [f.name for f in constructor().flags if f"--{f.name}" not in text or f.doc not in text] == []
    assert [names for names, value, doc in FLAGS if unwrapped(f"{names} {value} {doc}") not in text] == []


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda f: str(f.name))
def test_the_help_of_a_function_has_all_of_its_documentation(function: Function) -> None:
    text = unwrapped(help_text.of_function(function))
    assert unwrapped(function.doc) in text
    assert [flag.name for flag in function.flags if flag.doc not in text] == []


def test_a_required_flag_is_marked() -> None:
    assert "[required]" in help_text.of_function(FUNCTIONS["build"])


def test_the_default_of_a_flag_is_shown() -> None:
    assert "(default 30)" in unwrapped(help_text.of_function(FUNCTIONS["outdated"]))


def test_the_help_of_a_function_names_what_can_be_called_on_its_result() -> None:
    text = help_text.of_function(FUNCTIONS["ska-python"])
    assert "Returns a Container" in text
    assert [name for name in functions_of(dagger.Container) if name not in text] == []


def test_the_help_of_build_all_says_where_the_archives_go() -> None:
    assert "Without --output the directory is exported to dist/." in help_text.of_function(FUNCTIONS["build-all"])
