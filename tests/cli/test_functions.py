import inspect

import dagger
import pytest

from pipeline.cli import functions
from pipeline.cli.functions import constructor, functions_of, kebab
from pipeline.module.main import SkaBaseImages


@pytest.mark.parametrize(
    ("name", "written"),
    [("build_all", "build-all"), ("baseArchive", "base-archive"), ("asTarball", "as-tarball"), ("id", "id")],
)
def test_names_are_written_as_dagger_call_writes_them(name: str, written: str) -> None:
    assert kebab(name) == written


def test_every_function_of_the_module_can_be_called() -> None:
    declared = {
        kebab(name)
        for name, method in inspect.getmembers(SkaBaseImages, inspect.isfunction)
        if hasattr(method, "__dagger_function__")
    }
    assert set(functions_of(None)) == declared


def test_the_flags_are_the_parameters_of_the_function() -> None:
    for function in functions_of(None).values():
        parameters = list(inspect.signature(getattr(SkaBaseImages, function.key)).parameters)[1:]
        assert [flag.key for flag in function.flags] == parameters


def test_every_function_and_every_flag_of_the_module_says_what_it_is_for() -> None:
    every = (constructor(), *functions_of(None).values())
    silent = [f.name for f in every if not f.doc]
    silent += [f"{f.name} --{flag.name}" for f in every for flag in f.flags if not flag.doc]
    assert silent == []


def test_a_parameter_without_a_default_is_required() -> None:
    (image,) = (flag for flag in functions_of(None)["build"].flags if flag.name == "image")
    assert image.required


def test_a_function_of_the_sdk_has_the_documentation_of_its_parameters() -> None:
    with_exec = functions_of(dagger.Container)["with-exec"]
    (args,) = (flag for flag in with_exec.flags if flag.name == "args")
    assert args.doc.startswith("Command to execute.")
    assert (args.kind, args.many, args.required) == (str, True, True)
    assert "Parameters" not in with_exec.doc


def test_a_method_that_returns_self_returns_the_class() -> None:
    assert functions_of(dagger.Container)["with-user"].returns is dagger.Container


def test_every_type_of_the_sdk_is_a_class() -> None:
    for owner in (dagger.Container, dagger.Directory, dagger.File):
        for function in functions_of(owner).values():
            kinds = [function.returns, *(flag.kind for flag in function.flags)]
            assert [k for k in kinds if k is not None and "forwardref" in repr(k)] == [], function.name


def test_a_keywords_trailing_underscore_is_no_part_of_the_name() -> None:
    assert functions_of(dagger.Container)["from"].key == "from_"


@pytest.mark.parametrize(
    ("annotation", "kind", "many"),
    [
        (str, str, False),
        (dagger.File | None, dagger.File, False),
        (list[str], str, True),
        (list[str] | None, str, True),
        (None, type(None), False),
    ],
)
def test_an_annotation_is_the_type_of_one_value_and_whether_it_is_a_list(
    annotation: object, kind: type, many: bool
) -> None:
    assert functions.element_type(annotation) == (kind, many)
