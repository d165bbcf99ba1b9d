"""Sources, locks and arguments that build-app refuses, each with one sentence that has a remedy."""

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.app.lockfile import find_lock
from pipeline.app.python_project import PythonProject
from pipeline.build.inputs import Build
from pipeline.errors import AppError
from tests.app.conftest import PYPROJECT, ProjectFiles, built_app


async def refusal(project: ProjectFiles, build: Build, **given: Any) -> str:
    """Return the first line of the error with which a project is refused."""
    with pytest.raises(AppError) as raised:
        await built_app(project.order(**given), build)
    assert raised.value.exit_code == 2
    return str(raised.value).splitlines()[0]


async def test_a_source_without_pyproject(project: ProjectFiles, build: Build) -> None:
    assert await refusal(project.with_files({"pyproject.toml": None}), build) == (
        "The directory of --source has no pyproject.toml; give the directory of a Python project."
    )


async def test_a_source_without_a_lock(project: ProjectFiles, build: Build) -> None:
    assert await refusal(project.with_files({"uv.lock": None}), build) == (
        "The project has no lock; run `uv lock`, and commit what it writes."
    )


async def test_a_lock_of_uv_that_does_not_match(project: ProjectFiles, build: Build) -> None:
    other = project.with_files({"pyproject.toml": PYPROJECT.replace('"msgpack>=1.1,<2"', '"msgpack>=1.1,<2", "six"')})
    assert await refusal(other, build) == (
        "uv.lock does not match pyproject.toml; run `uv lock`, and commit what it writes."
    )


async def test_a_lock_of_poetry_that_does_not_match(project: ProjectFiles, build: Build) -> None:
    lock = (Path(__file__).parents[2] / "dockerfiles/python-poetry/poetry.lock").read_text()
    other = project.with_files({"uv.lock": None, "poetry.lock": lock})
    assert await refusal(other, build) == (
        "poetry.lock does not match pyproject.toml; run `poetry lock`, and commit what it writes."
    )


async def test_requirements_without_hashes(project: ProjectFiles, build: Build) -> None:
    other = project.with_files({"uv.lock": None, "requirements.txt": "msgpack==1.1.2\n"})
    assert (await refusal(other, build)).startswith("requirements.txt has no hash for msgpack")


async def test_a_file_that_is_not_the_one_of_the_lock(project: ProjectFiles, build: Build) -> None:
    wrong = f"msgpack==1.1.2 --hash=sha256:{'0' * 64}\n"
    other = project.with_files({"uv.lock": None, "requirements.txt": wrong})
    assert await refusal(other, build) == (
        "The index has other bytes of msgpack==1.1.2 than the lock; find out which is right before you lock again."
    )


async def test_a_project_for_another_python(project: ProjectFiles, build: Build) -> None:
    other = project.with_files({"pyproject.toml": PYPROJECT.replace(">=3.10", ">=3.99")})
    assert await refusal(other, build) == (
        "The project needs Python >=3.99, and this line has another one; choose another --line, or widen "
        "requires-python."
    )


async def test_a_console_script_that_names_nothing(project: ProjectFiles, build: Build) -> None:
    other = project.with_files({"pyproject.toml": PYPROJECT.replace("[project.scripts]", "[project.other]")})
    assert await refusal(other, build) == (
        "The project has no console script; say what starts it, as in --entrypoint 'python -m my_project'."
    )


async def test_an_entrypoint_with_an_open_quote(project: ProjectFiles, build: Build) -> None:
    assert await refusal(project, build, entrypoint="python 'x") == (
        "--entrypoint \"python 'x\" is not a shell's words (No closing quotation); correct its quotes."
    )


async def test_several_console_scripts(project: ProjectFiles, build: Build) -> None:
    scripts = '[project.scripts]\none = "readings:main"\ntwo = "readings:main"\n[project.other]'
    other = project.with_files({"pyproject.toml": PYPROJECT.replace("[project.scripts]", scripts)})
    assert await refusal(other, build) == (
        "The project has several console scripts, one, two; choose one with --entrypoint."
    )


async def test_an_unknown_package_of_the_distribution(project: ProjectFiles, build: Build) -> None:
    assert await refusal(project, build, apt=("libpq55",)) == (
        "The distribution has no package libpq55; correct --apt or --build-apt."
    )


async def test_an_option_in_the_place_of_a_package(project: ProjectFiles, build: Build) -> None:
    assert await refusal(project, build, build_apt=("--purge",)) == (
        "--build-apt takes the name of a package, not '--purge'."
    )


async def test_tests_that_fail(project: ProjectFiles, build: Build) -> None:
    assert await refusal(project, build, test="python -c 'raise SystemExit(7)'") == (
        "The application's tests fail with exit code 7; correct it."
    )


async def test_a_project_that_cannot_be_built(project: ProjectFiles, build: Build) -> None:
    other = project.with_files({"src/readings/__init__.py": None})
    assert await refusal(other, build) == "readings cannot be built as a package; its build backend says why."


async def test_a_missing_team(project: ProjectFiles, build: Build) -> None:
    other = project.with_files({"pyproject.toml": PYPROJECT.replace("team = ", "# team = ")})
    assert await refusal(other, build) == (
        "The application has no team; write it in [tool.ska-images.app] of pyproject.toml, or give --team."
    )


def test_an_unknown_kind_of_lock() -> None:
    with pytest.raises(AppError, match=r"--lock takes one of uv\.lock, .*, not 'Pipfile\.lock'\."):
        find_lock(["Pipfile.lock"], "Pipfile.lock")


def test_several_locks() -> None:
    with pytest.raises(AppError, match=r"several locks, uv\.lock and poetry\.lock; choose one with --lock"):
        find_lock(["poetry.lock", "uv.lock"], "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[project", "pyproject.toml is not TOML"),
        ("[project]\nname = 3\n", "pyproject.toml is not valid at project.name"),
        ('[project]\nname = "-x"\n', "pyproject.toml names the project '-x'"),
        ('[project]\nname = "x"\n[tool.ska-images.app]\nteem = "y"\n', "not valid at tool.ska-images.app.teem"),
        (
            '[project]\nname = "x"\n[[tool.uv.index]]\nurl = "https://user:pass@index.example/simple"\n',
            "holds the credentials of a package index; remove them, and give --netrc",
        ),
    ],
)
def test_a_pyproject_that_is_wrong(text: str, sentence: str) -> None:
    with pytest.raises(AppError, match=re.escape(sentence)):
        PythonProject(text)
