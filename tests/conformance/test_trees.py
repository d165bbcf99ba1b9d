"""Rules of what is known of files and directories: links, existence, states, digests, differences, owners, times."""

import dagger
from dagger import ExistsType

from tests.conformance.rules import Differs, Refused, Rule, Subject, out, rules


def _new(at: Subject) -> dagger.Directory:
    return at.client.directory()


def _tree(at: Subject) -> dagger.Directory:
    new = _new(at).with_new_file("a.txt", "a").with_new_file("b.txt", "b").with_new_file("c.txt.rar", "c")
    return new.with_new_file("subdir/d.txt", "d").with_new_file("subdir/e.txt.rar", "e")


def _sub(at: Subject) -> dagger.Directory:
    return _tree(at).directory("subdir")


def _placed(at: Subject, directory: dagger.Directory) -> dagger.Container:
    return at.base.with_directory("/p", directory)


def _modes(at: Subject) -> dagger.Directory:
    return _new(at).with_new_file("f", "", permissions=0o444).with_new_directory("d", permissions=0o700)


async def _text(directory: dagger.Directory, path: str) -> str:
    return await directory.file(path).contents()


async def _sorted(directory: dagger.Directory, pattern: str) -> list[str]:
    return sorted(await directory.glob(pattern))


def _links(at: Subject) -> dagger.Directory:
    return _new(at).with_new_file("d/f", "text").with_symlink("d/f", "link").with_symlink("none", "broken")


test_links = rules(
    Rule("a link leads to its target", lambda at: _text(_links(at), "link"), "text"),
    Rule("an absolute one begins at the root", lambda at: _text(_links(at).with_symlink("/d/f", "x/y"), "x/y"), "text"),
    Rule("a path may pass through one", lambda at: _text(_links(at).with_symlink("d", "e"), "e/f"), "text"),
    Rule("none leads outside", lambda at: _text(_links(at).with_symlink("../../../d/f", "up"), "up"), "text"),
    Rule(
        "a link takes no other file's place", lambda at: _links(at).with_symlink("x", "link").sync(), Refused("exists")
    ),
    Rule("a link can be taken away", lambda at: _links(at).without_file("link").entries(), ["broken", "d/"]),
    Rule("what it leads to stays", lambda at: _text(_links(at).without_file("link"), "d/f"), "text"),
    Rule(
        "a link is copied as one", lambda at: out(_placed(at, _links(at)), "readlink /p/link /p/broken"), "d/f\nnone\n"
    ),
)

test_existence = rules(
    Rule("a file exists", lambda at: _links(at).exists("d/f"), True),
    Rule("what is not there does not", lambda at: _links(at).exists("no"), False),
    Rule("a directory may be expected", lambda at: _is(at, "d", ExistsType.DIRECTORY_TYPE), True),
    Rule("a file is none", lambda at: _is(at, "d/f", ExistsType.DIRECTORY_TYPE), False),
    Rule("a file may be expected", lambda at: _is(at, "d/f", ExistsType.REGULAR_TYPE), True),
    Rule("a directory is none", lambda at: _is(at, "d", ExistsType.REGULAR_TYPE), False),
    Rule("a link may be expected", lambda at: _is(at, "link", ExistsType.SYMLINK_TYPE), True),
    Rule("a file is no link", lambda at: _is(at, "d/f", ExistsType.SYMLINK_TYPE), False),
    Rule("a link is what it leads to", lambda at: _is(at, "link", ExistsType.REGULAR_TYPE), True),
    Rule("unless it is not followed", lambda at: _is(at, "link", ExistsType.REGULAR_TYPE, follow=False), False),
    Rule("a broken link does not exist", lambda at: _links(at).exists("broken"), False),
    Rule("unless it is not followed", lambda at: _links(at).exists("broken", do_not_follow_symlinks=True), True),
)


async def _is(at: Subject, path: str, kind: ExistsType, follow: bool = True) -> bool:
    return await _links(at).exists(path, expected_type=kind, do_not_follow_symlinks=not follow)


test_knowledge = rules(
    Rule("the root has a slash for its name", lambda at: _new(at).name(), "/"),
    Rule(
        "another directory its own and a slash",
        lambda at: _new(at).with_new_directory("a/b").directory("a/b").name(),
        "b/",
    ),
    Rule("one that is not there has none", lambda at: _new(at).directory("no").name(), Refused("no")),
    Rule("a file has a size", lambda at: _links(at).stat("d/f").size(), 4),
    Rule("a name", lambda at: _links(at).stat("d/f").name(), "f"),
    Rule("the name of what a link leads to", lambda at: _links(at).stat("link").name(), "f"),
    Rule("unless it is not followed", lambda at: _links(at).stat("link", do_not_follow_symlinks=True).name(), "link"),
    Rule("permissions", lambda at: _modes(at).stat("d").permissions(), 0o700),
    Rule("and a type", lambda at: _links(at).stat("d").file_type(), dagger.FileType.DIRECTORY),
    Rule(
        "a link has that of what it leads to", lambda at: _links(at).stat("link").file_type(), dagger.FileType.REGULAR
    ),
    Rule(
        "unless it is not followed",
        lambda at: _links(at).stat("link", do_not_follow_symlinks=True).file_type(),
        dagger.FileType.SYMLINK,
    ),
    Rule("what is not there is an error", lambda at: _links(at).stat("no").size(), Refused("no")),
    Rule(
        "a digest is that of the contents and the metadata",
        lambda at: _new(at).with_new_file("/foo.txt", "Hello, World!").digest(),
        "sha256:48ac4b4b73af8a75a3c77e9dc6211d89321c6ed4f13c6987c6837ac58645bd89",
        embedded=Differs(
            "Digests of files and directories",
            "sha256:93f8342e5c0957fb1bb1bd21cf75e79845edd389a8a4bea7241492633800bc4b",
        ),
    ),
    Rule("equal directories have equal ones", lambda at: _equal(at, "x", 0o644), True),
    Rule("another text makes another", lambda at: _equal(at, "y", 0o644), False),
    Rule("other permissions too", lambda at: _equal(at, "x", 0o755), False),
)


async def _equal(at: Subject, text: str, mode: int) -> bool:
    first = _new(at).with_new_file("one/f", "x").directory("one")
    second = _new(at).with_new_file("two/f", text, permissions=mode).directory("two")
    return await first.digest() == await second.digest()


test_differences = rules(
    Rule(
        "a difference is what the first lacks",
        lambda at: _tree(at).diff(_tree(at).with_new_file("n", "")).entries(),
        ["n"],
    ),
    Rule("or has otherwise", lambda at: _tree(at).diff(_tree(at).with_new_file("a.txt", "x")).entries(), ["a.txt"]),
    Rule(
        "deep down too",
        lambda at: _sorted(_tree(at).diff(_tree(at).with_new_file("subdir/n", "")), "**"),
        ["subdir/", "subdir/n"],
    ),
    Rule("equal directories have none", lambda at: _tree(at).diff(_tree(at)).entries(), []),
    Rule("of nothing it is all", lambda at: _new(at).diff(_sub(at)).entries(), ["d.txt", "e.txt.rar"]),
)

test_owners_and_times = rules(
    Rule(
        "what is in a directory can be given to numbers",
        lambda at: out(_placed(at, _tree(at).chown("subdir", "12:34")), "stat -c %u:%g /p/subdir /p/subdir/d.txt /p"),
        "12:34\n12:34\n0:0\n",
    ),
    Rule(
        "or to names of the same files",
        lambda at: out(_placed(at, _root(at).chown("/new", "games:tty").directory("new")), "stat -c %U:%G /p/f"),
        "games:tty\n",
    ),
    Rule(
        "what is put into a container can be given to its users",
        lambda at: out(at.base.with_directory("/p", _tree(at), owner="nobody"), "stat -c %U /p/subdir/d.txt"),
        "nobody\n",
    ),
    Rule(
        "all of a directory can get one time",
        lambda at: out(
            _placed(at, _tree(at).with_timestamps(499162500)), "stat -c %Y /p/a.txt /p/subdir /p/subdir/d.txt"
        ),
        "499162500\n" * 3,
    ),
)


def _root(at: Subject) -> dagger.Directory:
    return at.base.rootfs().with_new_file("new/f", "")
