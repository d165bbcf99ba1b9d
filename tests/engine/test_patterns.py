"""Which paths include and exclude patterns, .gitignore files and globs mean."""

from pathlib import Path

import pytest
from embedded_engine.graph.patterns import EVERYTHING, Patterns, Selection, glob
from embedded_engine.host.errors import BadInput


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree of sources."""
    for name in ("a.py", "b.txt", "sub/c.py", "sub/deep/d.py", "sub/deep/e.txt", "build/out.o", "keep/build/x.o"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("*.py", "a.py", True),
        ("*.py", "sub/c.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "sub/deep/d.py", True),
        ("sub", "sub/deep/d.py", True),
        ("sub/**", "sub/c.py", True),
        ("/sub/", "sub/c.py", True),
        ("?.txt", "b.txt", True),
        ("?.txt", "bb.txt", False),
        ("[ab].py", "a.py", True),
        ("[!ab].py", "a.py", False),
        (r"\*.py", "*.py", True),
        (r"\*.py", "a.py", False),
        ("a.py", "aXpy", False),
    ],
)
def test_a_pattern_means_what_it_means_in_dockerignore(pattern: str, path: str, meant: bool) -> None:
    assert Patterns([pattern]).match(path) is meant


def test_the_last_pattern_that_fits_decides() -> None:
    patterns = Patterns(["*.txt", "!b.txt", "sub"])
    assert [patterns.match(path) for path in ("a.txt", "b.txt", "sub/b.txt")] == [True, False, True]


def test_a_class_that_is_not_closed_is_refused() -> None:
    with pytest.raises(BadInput, match=r"The pattern 'a\[b' has a '\[' that is not closed"):
        Patterns(["a[b"])


def test_everything_names_no_paths(tree: Path) -> None:
    assert EVERYTHING.paths(tree) is None


def test_included_files_bring_the_directories_on_the_way_and_no_others(tree: Path) -> None:
    assert Selection(include=("**/d.py",)).paths(tree) == frozenset({"sub", "sub/deep", "sub/deep/d.py"})


def test_what_is_excluded_is_taken_from_what_is_included(tree: Path) -> None:
    chosen = Selection(include=("sub",), exclude=("**/*.txt",)).paths(tree)
    assert chosen == frozenset({"sub", "sub/c.py", "sub/deep", "sub/deep/d.py"})


def test_an_exception_brings_back_a_file_of_an_excluded_directory(tree: Path) -> None:
    chosen = Selection(exclude=("sub", "!sub/c.py")).paths(tree)
    assert chosen is not None
    assert {"sub", "sub/c.py"} <= chosen
    assert "sub/deep" not in chosen


def test_gitignore_files_leave_out_what_they_name_below_them(tree: Path) -> None:
    (tree / ".gitignore").write_text("/build\n*.txt\n")
    (tree / "sub/.gitignore").write_text("!e.txt\n")
    chosen = Selection(gitignore=True).paths(tree)
    assert chosen is not None
    assert {"sub/deep/e.txt", "keep/build/x.o"} <= chosen
    assert not {"build", "build/out.o", "b.txt"} & chosen


def test_a_glob_lists_paths_and_marks_directories(tree: Path) -> None:
    assert glob(tree, "**/*.py") == ["a.py", "sub/c.py", "sub/deep/d.py"]
    assert glob(tree, "sub/*") == ["sub/c.py", "sub/deep/"]
