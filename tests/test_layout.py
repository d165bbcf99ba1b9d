"""The house: its rooms, the directions between them, and what each may touch, read from imports and calls."""

import ast
import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from pipeline.cli.functions import constructor, functions_of
from pipeline.cli.options import FLAGS

ROOT = Path(__file__).parents[1]
PIPELINE = ROOT / "pipeline"
ENGINE = ROOT / "engine/embedded_engine"
PROGRAMS = (PIPELINE, ENGINE)
SOURCES = sorted(path for program in PROGRAMS for path in program.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_LINES = 300

#: The rooms of each program from the ground up. A room may import those below it; rooms in one line are of one height.
STOREYS: Mapping[Path, tuple[tuple[str, ...], ...]] = {
    PIPELINE: (
        ("errors", "concurrency", "text_files", "checksum", "escape", "metadata", "statement", "strict"),
        ("registry",),
        ("steps",),
        ("checks",),
        ("catalogue",),
        ("build",),
        ("gates",),
        ("signing",),
        ("evidence",),
        ("release",),
        ("app",),
        ("module",),
        ("cli",),
        ("__main__", "__init__"),
    ),
    ENGINE: (
        ("host",),
        ("oci", "store"),
        ("graph",),
        ("make",),
        ("api",),
        ("connections", "parser", "server", "session", "unstarted"),
        ("__main__", "__init__"),
    ),
}
#: The one module that starts programs, and waits for them.
PROCESS = "engine/embedded_engine/host/process.py"
RUNS = re.compile(
    r"asyncio\.create_subprocess_\w+|subprocess\.(run|Popen|call|check_\w+)|os\.(system|popen|spawn\w+|fork)"
)
#: Replaces its own process, for which there is nothing to wait.
MAIN = "engine/embedded_engine/__main__.py"
#: Who reads the environment, and what for.
ENVIRONMENT = {
    "pipeline/build/settings.py": "the settings of a build",
    "pipeline/cli/options.py": "the command line's own switches",
    "pipeline/cli/record.py": "where the user's caches are",
    "pipeline/cli/session.py": "where Dagger's own program is",
    "pipeline/cli/app.py": "what the terminal can do",
    "pipeline/cli/values.py": "a secret given as env://NAME",
    "engine/embedded_engine/api/query.py": "a secret given as env://NAME",
    "engine/embedded_engine/host/settings.py": "the proxies, certificates and package indexes of the host",
}


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _module(path: Path) -> str:
    """Return a file's dotted name, in which a package is its __init__."""
    program = next(program for program in PROGRAMS if program in path.parents)
    return ".".join(path.relative_to(program.parent).with_suffix("").parts)


MODULES = {_module(path): path for path in SOURCES}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{ast.unparse(node)} is relative"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _imports(module: str) -> set[str]:
    """Return the modules of the project that a module imports."""
    found = set()
    for name in _imported(ast.parse(MODULES[module].read_text())):
        parts = name.split(".")
        names = (".".join(parts[:count]) + end for count in range(len(parts), 0, -1) for end in ("", ".__init__"))
        found |= {next((name for name in names if name in MODULES), "")} - {"", module}
    return found


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _used(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {_dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_no_arrow_between_rooms_points_up(program: Path) -> None:
    height = {room: storey for storey, rooms in enumerate(STOREYS[program]) for room in rooms}
    rooms = {module: module.split(".")[1] for module in MODULES if module.startswith(f"{program.name}.")}
    assert set(rooms.values()) == height.keys()
    assert [
        f"{module} imports {name}"
        for module, room in sorted(rooms.items())
        for name in sorted(_imports(module))
        if name in rooms and height[rooms[name]] > height[room]
    ] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    done: set[str] = set()

    def walk(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " → ".join([*above[above.index(module) :], module])
        if module not in done:
            for name in _imports(module):
                walk(name, (*above, module))
            done.add(module)

    for module in sorted(MODULES):
        walk(module, ())


def test_the_engine_imports_nothing_of_the_pipeline() -> None:
    assert [(module, name) for module in MODULES for name in _foreign(module, "embedded_engine", "pipeline")] == []


def test_the_engine_knows_no_word_of_the_pipelines() -> None:
    functions = (constructor(), *functions_of(None).values())
    flags = {f"--{flag.name}" for function in functions for flag in function.flags}
    flags |= {name for names, _, _ in FLAGS for name in names.split(", ") if name.startswith("--")}
    words = re.compile(rf"(?i)\bska\b|\bpipeline\b|(?:{'|'.join(sorted(flags))})(?![\w-])")
    files = [path for path in ENGINE.rglob("*") if path.suffix in (".py", ".graphql")]
    found = {(_id(path).partition("/")[2], word) for path in files for word in words.findall(path.read_text())}
    # Its own programs have a flag of that name, and apt and skopeo have the other.
    own = {(f"embedded_engine/{program}.py", "--store") for program in ("__main__", "session", "store/cache")}
    assert {(name, word) for name, word in found if word != "--format"} <= own


def test_the_session_of_the_command_line_alone_imports_the_engine() -> None:
    importers = {module for module in MODULES if list(_foreign(module, "pipeline", "embedded_engine"))}
    assert importers == {"pipeline.cli.session"}


def _foreign(module: str, program: str, other: str) -> Iterator[str]:
    if module.split(".")[0] == program:
        yield from (name for name in _imports(module) if name.split(".")[0] == other)


def test_the_module_holds_no_logic() -> None:
    logic = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.Try, ast.With, ast.AsyncWith)
    for path in sorted((PIPELINE / "module").glob("*.py")):
        tree = ast.parse(path.read_text())
        assert [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, logic)] == []


def test_every_package_maps_its_rooms_as_they_are() -> None:
    for path in SOURCES:
        if path.name != "__init__.py":
            continue
        document = ast.get_docstring(ast.parse(path.read_text())) or ""
        mapped = set(re.findall(r"^(\w+) +\S", document.partition("\n\n")[2], re.MULTILINE))
        rooms = {one.stem for one in path.parent.glob("*.py")} | {
            one.parent.name for one in path.parent.glob("*/__init__.py")
        }
        assert mapped == rooms - {"__init__", "__main__"}, _id(path)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_no_two_modules_of_a_program_have_names_that_are_mistaken_for_each_other(program: Path) -> None:
    names = sorted(path.stem for path in program.rglob("*.py") if path.stem not in ("__init__", "__main__"))
    assert [pair for pair in _mistakable(names) if set(pair) != {"file", "files"}] == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_no_two_classes_of_a_program_have_names_that_are_mistaken_for_each_other(program: Path) -> None:
    trees = [ast.parse(path.read_text()) for path in program.rglob("*.py")]
    names = sorted(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert _mistakable(name for name in names if not name.startswith("_")) == []


def _mistakable(names: Iterator[str] | list[str]) -> list[tuple[str, str]]:
    """Return pairs of names that are the same, or of which one has a letter more or another letter."""
    listed = list(names)
    pairs = ((one, other) for place, one in enumerate(listed) for other in listed[place + 1 :])
    return [pair for pair in pairs if _distance(*pair) <= 1]


def _distance(one: str, other: str) -> int:
    if abs(len(one) - len(other)) > 1:
        return 2
    changes = (
        max(end - start, stop - begin)
        for kind, start, end, begin, stop in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
        if kind != "equal"
    )
    return sum(changes)


def test_every_file_is_read_in_one_sitting() -> None:
    lines = {_id(path): len(path.read_text().splitlines()) for path in [*SOURCES, *TESTS]}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_one_module_runs_programs() -> None:
    assert {_id(path) for path in SOURCES if any(RUNS.fullmatch(name) for name in _used(path))} == {PROCESS}
    assert {_id(path) for path in SOURCES if any(name.startswith("os.exec") for name in _used(path))} <= {MAIN}


def test_few_modules_read_the_environment() -> None:
    reading = {"os.environ", "os.environb", "os.getenv"}
    assert {_id(path) for path in SOURCES if _used(path) & reading} == ENVIRONMENT.keys()


def test_every_module_says_what_it_is_for() -> None:
    code = [path for path in SOURCES if path.read_text().strip()]
    assert [_id(path) for path in code if not ast.get_docstring(ast.parse(path.read_text()))] == []
