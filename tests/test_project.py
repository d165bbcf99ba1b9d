"""What the project says of itself: its documents, its lock files and its set-up."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.build.settings import PYPROJECT, Settings
from pipeline.cli.cache import COMMAND, HELP
from pipeline.cli.functions import constructor, functions_of, is_object
from pipeline.cli.options import FLAGS
from pipeline.cli.renewal import RENEW
from tests.built_images import OF_ONE_LINE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", ".gitlab/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
README = DOCUMENTS[0].read_text()
PROJECT: dict[str, Any] = tomllib.loads(PYPROJECT.read_text())
ENGINE: dict[str, Any] = tomllib.loads((ROOT / "engine/pyproject.toml").read_text())
FUNCTIONS = functions_of(None)


def _commands(program: str) -> list[list[str]]:
    """Return the words after a program in the documents' code."""
    texts = [path.read_text().replace("\\\n", " ") for path in DOCUMENTS]
    lines = [line for text in texts for line in re.findall(r"(?:^    |`|^\$ )([^`\n]+)", text, re.MULTILINE)]
    words = [shlex.split(line, comments=True) for line in lines if program in line and "'" not in line]
    return [line[1:] for line in words if len(line) > 1 and re.fullmatch(rf"(?:\S*/)?{program}", line[0])]


def test_the_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[0] for words in _commands("make")}
    assert {"build-all", "test"} <= named <= targets


def test_make_help_lists_every_target_that_a_user_needs() -> None:
    done = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True)
    assert set(re.findall(r"make ([a-z-]+) ", done.stdout)) >= {
        "build-all",
        "test",
        "test-fast",
        "lint",
        "lock",
        "clean",
    }


@pytest.mark.parametrize("program", ["ska-images", "dagger"])
def test_the_functions_and_flags_of_the_documents_exist(program: str) -> None:
    own = {name for names, _, _ in FLAGS for name in names.split(", ")} | {"-m"}
    own |= set(re.findall(r"--[a-z-]+", HELP))
    flags = own | {f"--{flag.name}" for function in (constructor(), *FUNCTIONS.values()) for flag in function.flags}
    chained = {function.returns for function in FUNCTIONS.values() if is_object(function.returns)}
    flags |= {f"--{flag.name}" for kind in chained for one in functions_of(kind).values() for flag in one.flags}
    lines = _commands(program)
    assert lines
    for words in lines:
        assert {word for word in words if word.startswith("-")} <= flags
        assert "--help" in words or (FUNCTIONS.keys() | {COMMAND, RENEW}) & set(words)


def test_the_readme_names_the_parents_of_the_images() -> None:
    parents = {image.name: image.parent or image.line.base.partition("@")[0] for image in OF_ONE_LINE.values()}
    described = dict(re.findall(r"^\| `(ska-[a-z-]+)` \| `([^`]+)`", README, re.MULTILINE))
    assert described
    assert described.items() <= parents.items()


def test_the_page_for_developers_shows_the_dockerfile_that_the_tests_build() -> None:
    page = (ROOT / "docs/using.md").read_text()
    assert (ROOT / "dockerfiles/python-uv/Dockerfile").read_text() in page


def test_the_page_of_the_settings_names_every_setting() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in page] == []


def test_the_page_on_gitlab_names_every_variable_of_the_project() -> None:
    page = (ROOT / "docs/gitlab.md").read_text()
    texts = [path.read_text() for path in (ROOT / ".gitlab-ci.yml", *(ROOT / ".gitlab/ci").glob("*"))]
    wanted = {"SKA_ENGINE", "SKA_PERSONAL_LABELS"}.union(*(re.findall(r"\b(?:STAGING|PUBLISH)_\w+", t) for t in texts))
    assert {name for name in wanted if f"`{name}`" not in page} == set()


def test_the_changelog_has_the_projects_version() -> None:
    assert f"\n## [{PROJECT['project']['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    headings = re.findall(r"^#+ (.*)", target.read_text(), re.MULTILINE) if anchor else []
    return target.exists() and (not anchor or anchor in {one.lower().replace(" ", "-") for one in headings})


def test_the_links_of_the_documents_lead_to_files() -> None:
    links = [(path, link) for path in DOCUMENTS for link in re.findall(r"\]\(([^):]+)\)", path.read_text())]
    assert links
    assert [(path.name, link) for path, link in links if not _leads_somewhere(path, link)] == []


def _imported(program: Path) -> set[str]:
    """Return the distributions of what a program imports, but for itself, Python's library and the other program."""
    trees = [ast.parse(path.read_text()) for path in program.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    names = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    known = packages_distributions()
    return {canonicalize_name(known[name][0]) for name in names - {"embedded_engine", "pipeline", "tomli"}}


@pytest.mark.slow
def test_each_program_depends_on_what_it_imports_and_on_nothing_else() -> None:
    own = PROJECT["project"]
    module = {name for name, _ in _required(*own["dependencies"], *own["optional-dependencies"]["cli"])}
    # Older Pythons need the one, and httpx looks for the other.
    assert module - {"tomli", "sniffio"} == _imported(ROOT / "pipeline")
    engine = {name for name, _ in _required(*ENGINE["project"]["dependencies"])}
    assert engine == _imported(ROOT / "engine")


@pytest.mark.slow
def test_the_module_loads_where_the_engine_is_not_installed() -> None:
    program = (
        "import importlib, pkgutil, sys\n"
        "sys.modules['embedded_engine'] = None\n"
        "import pipeline\n"
        "for module in pkgutil.walk_packages(pipeline.__path__, 'pipeline.'):\n"
        "    if not module.name.startswith('pipeline.cli.') and module.name != 'pipeline.__main__':\n"
        "        importlib.import_module(module.name)\n"
        "pipeline.SkaBaseImages\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def _locked(name: str) -> dict[str, list[str]]:
    """Return the versions of each package of a lock file; each of them has hashes."""
    versions: dict[str, list[str]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / name).read_text().strip()):
        pinned = re.match(r"([a-z0-9-]+)==([^ ]+)", entry)
        assert pinned, f"{name}: {entry!r} is no pinned package"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"{name}: {pinned[1]} has no hash"
        versions.setdefault(pinned[1], []).append(pinned[2])
    return versions


def _required(*texts: str) -> Iterator[tuple[str, Requirement]]:
    return ((canonicalize_name((requirement := Requirement(text)).name), requirement) for text in texts)


def test_the_developers_lock_holds_every_dependency() -> None:
    project = PROJECT["project"]
    groups = (
        *project["dependencies"],
        *project["optional-dependencies"]["cli"],
        *ENGINE["project"]["dependencies"],
        *PROJECT["dependency-groups"]["dev"],
    )
    locked = _locked("requirements-dev.lock")
    for name, requirement in _required(*groups, *PROJECT["build-system"]["requires"]):
        assert all(requirement.specifier.contains(version) for version in locked[name]), requirement


def test_the_modules_lock_holds_the_modules_dependencies_and_not_the_sdk() -> None:
    locked = _locked("requirements.lock")
    names = {name for name, _ in _required(*PROJECT["project"]["dependencies"])}
    assert names - locked.keys() == {"dagger-io"}


def test_both_locks_hold_the_same_versions() -> None:
    module, developers = _locked("requirements.lock"), _locked("requirements-dev.lock")
    assert module.items() <= developers.items()


def test_dagger_is_sent_what_the_module_needs_and_nothing_else() -> None:
    # Whatever is sent is a part of the key of every cached call.
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    left_out = {pattern.removeprefix("!") for pattern in json.loads((ROOT / "dagger.json").read_text())["include"]}
    sent = {line.partition("/")[0] for line in listed.stdout.splitlines()} - left_out
    built_from = {"LICENSE", "README.md", "pyproject.toml", "requirements.lock"}
    assert sent == {".gitignore", "CHANGELOG.md", "dagger.json", "pipeline", *built_from}


def _machines_hosts() -> set[str]:
    """Return the hosts from which this machine takes packages."""
    apt = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    pip = [Path("/etc/pip.conf"), Path("~/.config/pip/pip.conf").expanduser(), Path("~/.pip/pip.conf").expanduser()]
    texts = [path.read_text(errors="replace") for path in (*apt, *pip) if path.is_file() and path.suffix != ".gpg"]
    texts += [value for name, value in os.environ.items() if name.startswith("PIP_") or name.upper().endswith("_PROXY")]
    return {host for text in texts for host in re.findall(r"\w+://(?:[^/@\s]*@)?([\w.-]+)", text)}


def test_no_file_names_where_this_machine_gets_its_packages() -> None:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    hosts = {host for host in _machines_hosts() if host != "localhost" and not host.startswith("127.")}
    found = {(path.name, host) for path in files for host in hosts if host in path.read_text(errors="replace")}
    assert found == set()
