"""The directions between the parts of the project, read from its imports and calls."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pipeline"
ENGINE = PACKAGE / "engine"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_LINES = 300

#: The one module that starts programs, and waits for them.
PROCESS = "pipeline/engine/process.py"
RUNS = re.compile(
    r"asyncio\.create_subprocess_\w+|subprocess\.(run|Popen|call|check_\w+)|os\.(system|popen|spawn\w+|fork)"
)
#: Replaces its own process, for which there is nothing to wait.
MAIN = "pipeline/engine/__main__.py"
#: Who reads the environment, and what for.
ENVIRONMENT = {
    "pipeline/settings.py": "the settings of a build",
    "pipeline/cli/options.py": "the command line's own switches",
    "pipeline/cli/session.py": "where Dagger's own program is",
    "pipeline/cli/app.py": "what the terminal can do",
    "pipeline/cli/values.py": "a secret given as env://NAME",
    "pipeline/engine/api/query.py": "a secret given as env://NAME",
    "pipeline/engine/host.py": "the proxies, certificates and package indexes of the host",
}


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{ast.unparse(node)} is relative"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _used(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {_dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _inside(path: Path, directory: Path) -> bool:
    return directory in path.parents


def test_the_engine_imports_nothing_of_the_pipeline() -> None:
    inside = [path for path in SOURCES if _inside(path, ENGINE)]
    assert {(_id(path), name) for path in inside for name in _ours(path) if not _of_the_engine(name)} == set()


def test_one_module_of_the_command_line_imports_the_engine() -> None:
    outside = [path for path in SOURCES if not _inside(path, ENGINE)]
    assert {place for path in outside for place in _importers_of_the_engine(path)} == {
        "pipeline/cli/session.py:_engine",
        "pipeline/cli/session.py:unstarted",
    }


def _importers_of_the_engine(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    everywhere = len(list(_engine_imports(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (found := len(list(_engine_imports(node)))):
            everywhere -= found
            yield f"{_id(path)}:{node.name}"
    if everywhere:
        yield f"{_id(path)}:at its top"


def _engine_imports(tree: ast.AST) -> Iterator[str]:
    return (name for name in _imported(tree) if _of_the_engine(name))


def _of_the_engine(name: str) -> bool:
    return f"{name}.".startswith("pipeline.engine.")


def _ours(path: Path) -> Iterator[str]:
    return (name for name in _imported(ast.parse(path.read_text())) if name.split(".")[0] == "pipeline")


def test_the_module_holds_no_logic() -> None:
    logic = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.Try, ast.With, ast.AsyncWith)
    for name in ("module.py", "release/functions.py", "trust/functions.py"):
        tree = ast.parse((PACKAGE / name).read_text())
        assert [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, logic)] == []


def test_every_file_is_read_in_one_sitting() -> None:
    lines = {_id(path): len(path.read_text().splitlines()) for path in [*SOURCES, *TESTS]}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_one_module_runs_programs() -> None:
    assert {_id(path) for path in SOURCES if any(RUNS.fullmatch(name) for name in _used(path))} == {PROCESS}
    assert {_id(path) for path in SOURCES if any(name.startswith("os.exec") for name in _used(path))} <= {MAIN}


def test_few_modules_read_the_environment() -> None:
    reading = {"os.environ", "os.environb", "os.getenv"}
    assert {_id(path) for path in SOURCES if _used(path) & reading} <= ENVIRONMENT.keys()


def test_every_module_says_what_it_is_for() -> None:
    code = [path for path in SOURCES if path.read_text().strip()]
    assert [_id(path) for path in code if not ast.get_docstring(ast.parse(path.read_text()))] == []
