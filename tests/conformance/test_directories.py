"""Rules of directories: what is put into them, taken out of them, and found in them."""

import dagger

from tests.conformance.rules import Refused, Rule, Subject, out, rules


def _new(at: Subject) -> dagger.Directory:
    return at.client.directory()


def _tree(at: Subject) -> dagger.Directory:
    new = _new(at).with_new_file("a.txt", "a").with_new_file("b.txt", "b").with_new_file("c.txt.rar", "c")
    return new.with_new_file("subdir/d.txt", "d").with_new_file("subdir/e.txt.rar", "e")


test_putting_in = rules(
    Rule(
        "directories end with a slash in a list, which is sorted",
        lambda at: _tree(at).entries(),
        ["a.txt", "b.txt", "c.txt.rar", "subdir/"],
    ),
    Rule("a list may be of a path", lambda at: _tree(at).entries(path="subdir"), ["d.txt", "e.txt.rar"]),
    Rule(
        "a new directory is made with those above it",
        lambda at: _new(at).with_new_directory("x/y").glob("**"),
        ["x/", "x/y/"],
    ),
    Rule("a new file too", lambda at: _new(at).with_new_file("x/y", "").glob("**"), ["x/", "x/y"]),
    Rule("a new file replaces one", lambda at: _text(_tree(at).with_new_file("a.txt", "new"), "a.txt"), "new"),
    Rule(
        "a file may get another name", lambda at: _text(_new(at).with_file("x/n", _tree(at).file("a.txt")), "x/n"), "a"
    ),
    Rule("or keep its own in a directory", lambda at: _into(at, ""), ["a.txt"]),
    Rule("which may be named", lambda at: _into(at, "/"), ["a.txt"]),
    Rule("files keep their names", lambda at: _several(at).entries(path="in"), ["a.txt", "d.txt"]),
    Rule(
        "a directory's contents are merged with what is there",
        lambda at: _new(at).with_new_file("z", "").with_directory("", _tree(at)).entries(),
        ["a.txt", "b.txt", "c.txt.rar", "subdir/", "z"],
    ),
    Rule(
        "and go before it",
        lambda at: _text(_new(at).with_new_file("a.txt", "old").with_directory("/", _tree(at)), "a.txt"),
        "a",
    ),
    Rule(
        "an empty directory can be put into an empty one",
        lambda at: _new(at).with_directory("/", _new(at)).entries(),
        [],
    ),
    Rule(
        "a directory in a directory keeps the others out of reach",
        lambda at: _sub(at).file("a.txt").contents(),
        Refused(),
    ),
    Rule("and is changed by itself", lambda at: _sub(at).with_new_file("n", "").entries(), ["d.txt", "e.txt.rar", "n"]),
    Rule("nothing can be made outside it", lambda at: _sub(at).with_new_directory("../n").sync(), Refused("outside")),
    Rule(
        "permissions are kept",
        lambda at: out(_placed(at, _modes(at)), "stat -c %a /p /p/f /p/d"),
        "755\n444\n700\n",
    ),
    Rule(
        "unless others are given, for all of it",
        lambda at: out(
            _placed(at, _new(at).with_directory("q", _modes(at), permissions=0o751)), "stat -c %a /p/q /p/q/f /p/q/d"
        ),
        "751\n751\n751\n",
    ),
    Rule(
        "which a container takes no notice of",
        lambda at: out(at.base.with_directory("/p", _modes(at), permissions=0o751), "stat -c %a /p /p/f /p/d"),
        "755\n444\n700\n",
    ),
    Rule(
        "a new file has permissions and no other bits",
        lambda at: out(_placed(at, _new(at).with_new_file("f", "", permissions=0o6751)), "stat -c %a /p/f"),
        "751\n",
    ),
    Rule(
        "a new directory too",
        lambda at: out(_placed(at, _new(at).with_new_directory("d", permissions=0o1770)), "stat -c %a /p/d"),
        "770\n",
    ),
    Rule(
        "of no permissions it has its own",
        lambda at: out(_placed(at, _default(at)), "stat -c %a /p/f /p/d"),
        "644\n755\n",
    ),
    Rule(
        "a file that is put in may get all",
        lambda at: out(
            _placed(at, _new(at).with_file("n", _modes(at).file("f"), permissions=0o6751)), "stat -c %a /p/n"
        ),
        "6751\n",
    ),
    Rule("a change makes another directory", lambda at: _unchanged(at), []),
)


def _modes(at: Subject) -> dagger.Directory:
    return _new(at).with_new_file("f", "", permissions=0o444).with_new_directory("d", permissions=0o700)


def _default(at: Subject) -> dagger.Directory:
    return _new(at).with_new_file("f", "", permissions=0).with_new_directory("d", permissions=0)


def _placed(at: Subject, directory: dagger.Directory) -> dagger.Container:
    return at.base.with_directory("/p", directory)


def _sub(at: Subject) -> dagger.Directory:
    return _tree(at).directory("subdir")


def _several(at: Subject) -> dagger.Directory:
    return _new(at).with_files("in", [_tree(at).file("a.txt"), _tree(at).file("subdir/d.txt")])


async def _text(directory: dagger.Directory, path: str) -> str:
    return await directory.file(path).contents()


async def _into(at: Subject, path: str) -> list[str]:
    return await _new(at).with_file(path, _tree(at).file("a.txt")).entries()


async def _unchanged(at: Subject) -> list[str]:
    new = _new(at)
    await new.with_new_file("f", "").sync()
    return await new.entries()


test_taking_out = rules(
    Rule("a file can be taken away", lambda at: _sub(at).without_file("d.txt").entries(), ["e.txt.rar"]),
    Rule(
        "files can be taken away",
        lambda at: _tree(at).without_files(["a.txt", "subdir/d.txt"]).glob("**/*.txt"),
        ["b.txt"],
    ),
    Rule("a directory can be taken away", lambda at: _tree(at).without_directory("subdir").glob("sub*"), []),
    Rule("what is not there is no error", lambda at: _sub(at).without_file("none").entries(), ["d.txt", "e.txt.rar"]),
    Rule(
        "a pattern takes all that it fits",
        lambda at: _tree(at).without_file("*.txt").entries(),
        ["c.txt.rar", "subdir/"],
    ),
    Rule("directories too", lambda at: _tree(at).without_directory("sub*").entries(), ["a.txt", "b.txt", "c.txt.rar"]),
    Rule("exclude leaves out", lambda at: _tree(at).filter(exclude=["*.rar"]).entries(), ["a.txt", "b.txt", "subdir/"]),
    Rule("only where a pattern reaches", lambda at: _sub(at).filter(exclude=["*.rar"]).entries(), ["d.txt"]),
    Rule("include takes nothing else", lambda at: _tree(at).filter(include=["*.rar"]).glob("**"), ["c.txt.rar"]),
    Rule("exclude goes before include", lambda at: _both(at, ["*.txt"], ["b.txt"]), ["a.txt"]),
    Rule("always", lambda at: _both(at, ["a.txt"], ["*.txt"]), []),
    Rule("a directory is left out with all in it", lambda at: _tree(at).filter(exclude=["subdir"]).glob("sub*/**"), []),
    Rule(
        "two stars reach everywhere",
        lambda at: _tree(at).filter(exclude=["**/*.rar"]).entries(path="subdir"),
        ["d.txt"],
    ),
    Rule(
        "an exclamation mark takes it in again",
        lambda at: _tree(at).filter(exclude=["*.txt", "!b.txt"]).glob("*.txt"),
        ["b.txt"],
    ),
    Rule(
        "copying selects likewise",
        lambda at: _new(at).with_directory("n", _tree(at), include=["**/*.rar"], exclude=["c*"]).glob("**"),
        ["n/", "n/subdir/", "n/subdir/e.txt.rar"],
    ),
    Rule(
        ".gitignore is used where that is asked for",
        lambda at: _tree(at).with_new_file(".gitignore", "b.txt\nsubdir/\n").filter(gitignore=True).entries(),
        [".gitignore", "a.txt", "c.txt.rar"],
    ),
    Rule(
        "and only there",
        lambda at: _tree(at).with_new_file(".gitignore", "*").filter().glob("*.rar"),
        ["c.txt.rar"],
    ),
)


async def _both(at: Subject, include: list[str], exclude: list[str]) -> list[str]:
    return await _tree(at).filter(include=include, exclude=exclude).entries()


test_globs = rules(
    Rule("a star stays in its directory", lambda at: _sorted(_tree(at), "*.txt"), ["a.txt", "b.txt"]),
    Rule("two reach everywhere", lambda at: _sorted(_tree(at), "**/*.txt"), ["a.txt", "b.txt", "subdir/d.txt"]),
    Rule("below a directory too", lambda at: _sorted(_tree(at), "subdir/**/*.txt"), ["subdir/d.txt"]),
    Rule("paths begin in the directory", lambda at: _sorted(_sub(at), "*"), ["d.txt", "e.txt.rar"]),
    Rule("what fits nothing is an empty list", lambda at: _sorted(_new(at), "**/*"), []),
    Rule("a directory that is not there is an error", lambda at: _sorted(_new(at).directory("no"), "*"), Refused("no")),
)


async def _sorted(directory: dagger.Directory, pattern: str) -> list[str]:
    return sorted(await directory.glob(pattern))
