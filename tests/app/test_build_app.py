"""What build-app makes of a project."""

import json
import subprocess
from dataclasses import replace

import dagger
import pytest
from dagger import dag

from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.errors import GateError
from pipeline.metadata import parse
from tests.app.conftest import MODULE, PYPROJECT, UV, ProjectFiles, built_app, reported_app


async def layers_of(container: dagger.Container, build: Build) -> list[str]:
    """Return the digests of an image's layers."""
    tool = build.workbench.container
    shell = tool.with_mounted_file("/mnt/image.tar", container.as_tarball())
    command = "digest=$(tar -xOf /mnt/image.tar index.json | grep -o 'sha256:[0-9a-f]*' | head -n 1)\n"
    command += "tar -xOf /mnt/image.tar blobs/sha256/${digest#sha256:}"
    manifest = json.loads(await shell.with_exec(["sh", "-euc", command, "read the manifest"]).stdout())
    return [layer["digest"] for layer in manifest["layers"]]


async def test_an_application_runs_by_its_console_script(project: ProjectFiles, build: Build) -> None:
    container = await built_app(project.order(), build)
    assert await container.entrypoint() == ["readings"]
    assert await container.with_exec([], use_entrypoint=True).stdout() == "4 bytes\n"


async def test_an_application_runs_as_nonroot_in_its_directory(project: ProjectFiles, build: Build) -> None:
    container = await built_app(project.order(), build)
    assert (await container.user(), await container.workdir()) == ("nonroot", "/src")


async def test_labels_and_file_name_the_application_and_its_base(project: ProjectFiles, build: Build) -> None:
    container = await built_app(project.order(), build)
    labels = {await label.name(): await label.value() for label in await container.labels()}
    expected = {
        "int.skao.image.created": build.settings.created,
        "int.skao.image.version": "1.2.3",
        "int.skao.image.tags": "1.2.3",
        "int.skao.image.team": "Team Readings",
        "int.skao.image.url": "https://readings.example/docs",
        "int.skao.image.source": "https://readings.example/source",
        "int.skao.image.baseImage": build.reference("ska-python"),
    }
    assert {name: labels[name] for name in expected} == expected
    assert parse(await container.file("/etc/skao.metadata").contents()) == expected
    assert labels["org.opencontainers.image.title"] == "readings"


async def test_arguments_go_before_what_pyproject_says(project: ProjectFiles, build: Build) -> None:
    given = {"version": "2.0.0", "team": "Team Other", "url": "", "source": ""}
    container = await built_app(project.order(given=given), build)
    assert await container.label("int.skao.image.version") == "2.0.0"
    assert await container.label("int.skao.image.team") == "Team Other"


async def test_a_change_of_the_source_leaves_the_layer_of_the_dependencies(project: ProjectFiles, build: Build) -> None:
    changed = project.with_files({"src/readings/__init__.py": MODULE.replace("range(3)", "range(4)")})
    before = await layers_of(await built_app(project.order(), build), build)
    after = await layers_of(await built_app(changed.order(), build), build)
    differing = [one for one, other in zip(before, after, strict=True) if one != other]
    assert len(differing) == 1


async def test_a_new_version_of_the_project_leaves_the_layer_of_the_dependencies(
    project: ProjectFiles, build: Build
) -> None:
    texts = {
        name: project.files[name].replace('version = "1.2.3"', 'version = "1.3.0"')
        for name in ("pyproject.toml", "uv.lock")
    }
    before = await layers_of(await built_app(project.order(), build), build)
    after = await layers_of(await built_app(project.with_files(texts).order(), build), build)
    # Those of the project and of the metadata.
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 2


async def test_a_project_that_is_no_package_runs_from_its_source(project: ProjectFiles, build: Build) -> None:
    text = PYPROJECT.replace("[project.scripts]", "[project.other]") + "\n[tool.uv]\npackage = false\n"
    files = {"pyproject.toml": text, "src/readings/__main__.py": "import readings\n\nreadings.main()\n"}
    order = project.with_files({**files, "uv.lock": _unpackaged(project)}).order(entrypoint="python -m readings")
    container = await built_app(order, build)
    assert await container.with_exec([], use_entrypoint=True).stdout() == "4 bytes\n"


def _unpackaged(project: ProjectFiles) -> str:
    return project.files["uv.lock"].replace('source = { editable = "." }', 'source = { virtual = "." }')


@pytest.mark.parametrize("lock", ["requirements.txt", "pylock.toml"])
async def test_every_kind_of_lock_gives_the_same_layer_of_dependencies(
    project: ProjectFiles, build: Build, lock: str
) -> None:
    command = {
        "requirements.txt": "uv export -q --locked --no-dev --no-emit-project -o /tmp/lock",
        "pylock.toml": "uv export -q --locked --no-dev --no-emit-project --format pylock.toml -o /tmp/pylock.toml && "
        "mv /tmp/pylock.toml /tmp/lock",
    }[lock]
    builder = (await _builder(build)).with_workdir("/tmp/readings")
    made = builder.with_directory(".", project.directory()).with_exec(["sh", "-euc", command, "make the lock"])
    other = project.with_files({"uv.lock": None, lock: await made.file("/tmp/lock").contents()})
    assert await layers_of(await built_app(other.order(), build), build) == await layers_of(
        await built_app(project.order(), build), build
    )


async def _builder(build: Build) -> dagger.Container:
    return await chain("ska-build-python", build).sync()


async def test_tests_run_with_the_development_dependencies(project: ProjectFiles, build: Build) -> None:
    container = await built_app(project.order(test="pytest -q"), build)
    listed = await container.with_exec(
        ["python", "-c", "import importlib.util as u; print(u.find_spec('pytest'))"]
    ).stdout()
    assert listed == "None\n"


async def test_a_package_of_the_distribution_is_in_the_image(project: ProjectFiles, build: Build) -> None:
    container = await built_app(project.order(apt=("libpq5",)), build)
    assert await container.with_exec(["sh", "-c", "ls /usr/lib/*/libpq.so.5"]).stdout() != ""


async def test_the_report_has_archive_layers_and_checks(project: ProjectFiles, build: Build) -> None:
    directory = await reported_app(project.order(), build)
    report = json.loads(await directory.file("app-report.json").contents())
    assert (report["name"], report["version"], len(report["layers"])) == ("readings", "1.2.3", 8)
    assert {check["name"] for check in report["checks"]} >= {"app-imports", "app-starts", "runtime-only"}
    assert "readings.tar" in await directory.entries()


SABOTAGE = {
    "app-imports": {"src/readings/__init__.py": "import does_not_exist\n"},
    "app-starts": {"src/readings/__init__.py": "def other() -> None:\n    pass\n"},
}


@pytest.mark.parametrize("check", SABOTAGE)
async def test_an_application_that_cannot_work_is_refused(project: ProjectFiles, build: Build, check: str) -> None:
    with pytest.raises(GateError, match=rf"FAIL +{check} "):
        await built_app(project.with_files(SABOTAGE[check]).order(), build)


async def test_a_file_that_the_user_cannot_read_is_refused(project: ProjectFiles, build: Build) -> None:
    text = PYPROJECT.replace("[project.scripts]", "[project.other]") + "\n[tool.uv]\npackage = false\n"
    files = {"pyproject.toml": text, "uv.lock": _unpackaged(project)}
    source = project.with_files(files).directory().with_new_file("src/readings/key", "x", permissions=0o600)
    order = replace(project.order(entrypoint="python -m readings"), source=source)
    with pytest.raises(GateError, match=r"FAIL +app-files .*/src/readings/key"):
        await built_app(order, build)


@pytest.mark.parametrize("module", ["readingz", "readings", "readings.nothing"])
async def test_a_module_that_python_cannot_start_is_refused(project: ProjectFiles, build: Build, module: str) -> None:
    with pytest.raises(GateError, match=rf"FAIL +app-starts .*python -m {module}: there is no such module"):
        await built_app(project.order(entrypoint=f"python -m {module}"), build)


async def test_a_compiler_in_the_image_is_refused(project: ProjectFiles, build: Build) -> None:
    with pytest.raises(GateError, match=r"FAIL +runtime-only .*gcc"):
        await built_app(project.order(apt=("gcc",)), build)


async def test_pip_in_the_environment_is_refused(project: ProjectFiles, build: Build) -> None:
    requirements = await _requirements("pip")
    other = project.with_files({"uv.lock": None, "requirements.txt": requirements})
    with pytest.raises(GateError, match=r"FAIL +app-environment +pip in the environment"):
        await built_app(other.order(), build)


async def _requirements(name: str) -> str:

    argv = [str(UV), "pip", "compile", "--quiet", "--generate-hashes", "--python-version", "3.11", "-"]
    wanted = f"{name}\nmsgpack>=1.1,<2\n"
    done = subprocess.run(argv, input=wanted, text=True, check=True, stdout=subprocess.PIPE)
    return str(done.stdout)


async def test_the_same_source_gives_the_same_digest_in_another_directory(project: ProjectFiles, build: Build) -> None:
    other = replace(
        project.order(), source=dag.directory().with_directory("/a/b", project.directory()).directory("/a/b")
    )
    first = await (await built_app(project.order(), build)).as_tarball().digest()
    assert await (await built_app(other, build)).as_tarball().digest() == first


async def test_files_that_are_not_source_stay_out_of_the_image(project: ProjectFiles, build: Build) -> None:
    text = PYPROJECT.replace("[project.scripts]", "[project.other]") + "\n[tool.uv]\npackage = false\n"
    left_out = {
        ".env": "TOKEN=secret\n",
        "build/x.py": "x\n",
        "readings.tar": "layers",
        "notes/draft.md": "x\n",
        ".dockerignore": "notes\n",
    }
    kept = {"readings/__init__.py": MODULE, "readings/__main__.py": "", "src/readings/__init__.py": None}
    files = {"pyproject.toml": text, "uv.lock": _unpackaged(project), **kept, **left_out}
    container = await built_app(project.with_files(files).order(entrypoint="python -m readings"), build)
    found = await container.with_exec(
        ["find", "/src", "-path", "/src/.venv", "-prune", "-o", "-type", "f", "-print"]
    ).stdout()
    assert set(found.split()) == {
        f"/src/{name}"
        for name in (".dockerignore", "pyproject.toml", "uv.lock", "readings/__init__.py", "readings/__main__.py")
    } | {"/src/tests/test_readings.py"}
