"""Rules of files, of what comes from this machine, and of what goes to it."""

import shutil
from pathlib import Path

import dagger

from tests.conformance.rules import Differs, Refused, Rule, Subject, out, rules

NUMBERS = "".join(f"{number}\n" for number in range(1, 13))
HELLO = "Hello, World!"


def _file(at: Subject, text: str = "text", mode: int = 0o644) -> dagger.File:
    return at.client.directory().with_new_file("sub/f", text, permissions=mode).file("sub/f")


test_files = rules(
    Rule("a file has its text", lambda at: _file(at).contents(), "text"),
    Rule("lines can be left out", lambda at: _part(at, 5, None), "6\n7\n8\n9\n10\n11\n12\n"),
    Rule("or counted", lambda at: _part(at, None, 2), "1\n2\n"),
    Rule("or both", lambda at: _part(at, 5, 5), "6\n7\n8\n9\n10\n"),
    Rule("more than there are is no error", lambda at: _part(at, 11, 5), "12\n"),
    Rule("a file has a size in bytes", lambda at: _file(at, "ä").size(), 2),
    Rule("a file has its own name", lambda at: _file(at).name(), "f"),
    Rule("which can be another", lambda at: _file(at).with_name("n").name(), "n"),
    Rule("and goes with it", lambda at: at.client.directory().with_file("", _file(at).with_name("n")).entries(), ["n"]),
    Rule("a file can be made of text", lambda at: at.client.file("n", "made").contents(), "made"),
    Rule("under a name without a directory", lambda at: at.client.file("a/n", "made").sync(), Refused("a/n")),
    Rule("a file that is not there is an error", lambda at: at.client.directory().file("no").contents(), Refused("no")),
    Rule("its name too", lambda at: at.client.directory().file("a/no").name(), Refused("no")),
    Rule("a file has a state", lambda at: _file(at, mode=0o600).stat().permissions(), 0o600),
    Rule(
        "a file can get another time", lambda at: _stat(at, _file(at).with_timestamps(499162500), "%Y"), "499162500\n"
    ),
    Rule("a file can get another owner", lambda at: _stat(at, _file(at).chown("12:34"), "%u:%g"), "12:34\n"),
    Rule(
        "a digest is that of the contents and the metadata",
        lambda at: at.client.directory().with_new_file("/foo.txt", HELLO).file("/foo.txt").digest(),
        "sha256:8a887cdd3e476c79e1a14a65a6c401673b56071a24561dadb5e152605e72a613",
        embedded=Differs(
            "Digests of files and directories",
            "sha256:7e23f72468b22fbc690540ab868138cdcc3f7cf6d2328f9e74f59cecb6b59a0d",
        ),
    ),
    Rule(
        "or of the contents alone",
        lambda at: (
            at.client.directory().with_new_file("/foo.txt", HELLO).file("/foo.txt").digest(exclude_metadata=True)
        ),
        "sha256:042a7d64a581ef2ee983f21058801cc35663b705e6c55f62fa8e0f18ecc70989",
        embedded=Differs(
            "Digests of files and directories",
            "sha256:dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f",
        ),
    ),
    Rule("other permissions make another digest", lambda at: _equal(at, exclude_metadata=False), False),
    Rule("but not of the contents", lambda at: _equal(at, exclude_metadata=True), True),
)


async def _part(at: Subject, offset: int | None, limit: int | None) -> str:
    return await _file(at, NUMBERS).contents(offset_lines=offset, limit_lines=limit)


async def _stat(at: Subject, file: dagger.File, form: str) -> str:
    return await out(at.base.with_mounted_file("/f", file), f"stat -c {form} /f")


async def _equal(at: Subject, *, exclude_metadata: bool) -> bool:
    digests = [await _file(at, mode=mode).digest(exclude_metadata=exclude_metadata) for mode in (0o644, 0o600)]
    return digests[0] == digests[1]


def _in_container(at: Subject) -> dagger.Container:
    return at.base.with_workdir("/w").with_env_variable("A", "a")


test_files_of_containers = rules(
    Rule(
        "a path starts in the working directory",
        lambda at: _in_container(at).with_new_file("f", "x").file("/w/f").contents(),
        "x",
    ),
    Rule(
        "a path is expanded where that is asked for",
        lambda at: _in_container(at).with_new_file("/$A/f", "x", expand=True).file("/${A}/f", expand=True).contents(),
        "x",
    ),
    Rule(
        "a link's target too",
        lambda at: (
            _in_container(at).with_new_file("a", "x").with_symlink("$A", "l$A", expand=True).file("la").contents()
        ),
        "x",
    ),
    Rule(
        "permissions are what they are set to",
        lambda at: out(_tool(at), "/tool; stat -c %a:%U /tool"),
        "ran\n751:games\n",
    ),
    Rule("a file in a directory that is there keeps its name", lambda at: _copied(at, "/srv"), "/srv/f\n"),
    Rule("with a slash at the end too", lambda at: _copied(at, "/srv/"), "/srv/f\n"),
    Rule("a file may take a new name", lambda at: _copied(at, "/srv/n"), "/srv/n\n"),
    Rule("a path may pass through a link", lambda at: _linked(at).file("/srv/f").contents(), "text"),
    Rule("files can be put in together", lambda at: _together(at).directory("/in").entries(), ["f", "n"]),
    Rule("a directory's name may be a pattern", lambda at: _globbed(at).entries(path="/w"), ["bat/"]),
    Rule("what is taken away need not be there", lambda at: at.base.without_file("/none").exists("/none"), False),
    Rule("a file can be asked for", lambda at: at.base.file("/etc/../etc/passwd").name(), "passwd"),
    Rule("a directory too", lambda at: at.base.with_workdir("/etc").directory("apt").name(), "apt/"),
    Rule("a state too, without the sticky bit", lambda at: at.base.stat("/tmp").permissions(), 0o777),
    Rule("and without setuid and setgid bits", lambda at: _privileged(at).stat("/f").permissions(), 0o755),
    Rule("a new file gets none", lambda at: out(_tool(at, 0o6751), "stat -c %a /tool"), "751\n"),
    Rule("a root directory can be another container's", lambda at: out(_rooted(at), "cat /f; echo $A"), "x1\n"),
    Rule("or any directory", lambda at: at.client.container().with_rootfs(_dir(at)).directory("/").entries(), ["sub/"]),
    Rule("a container without files has none", lambda at: at.client.container().rootfs().entries(), []),
)


def _tool(at: Subject, mode: int = 0o751) -> dagger.Container:
    return at.base.with_new_file("/tool", "#!/bin/sh\necho ran\n", permissions=mode, owner="games")


def _privileged(at: Subject) -> dagger.Container:
    return at.base.with_file("/f", _file(at), permissions=0o6755)


async def _copied(at: Subject, path: str) -> str:
    return await out(at.base.with_file(path, _file(at)), "find /srv -type f")


def _linked(at: Subject) -> dagger.Container:
    return at.base.with_symlink("/srv", "/link").with_file("/link/f", _file(at))


def _together(at: Subject) -> dagger.Container:
    return at.base.with_files("/in", [_file(at), at.client.file("n", "")])


def _globbed(at: Subject) -> dagger.Directory:
    made = at.base.with_workdir("/w")
    for name in ("foo", "moo", "bat/man"):
        made = made.with_new_file(name, "")
    return made.without_files(["*oo"]).directory("/")


def _rooted(at: Subject) -> dagger.Container:
    return at.base.with_env_variable("A", "1").with_rootfs(at.base.with_new_file("/f", "x").rootfs())


def _dir(at: Subject) -> dagger.Directory:
    return at.client.directory().with_new_file("sub/f", "")


def _fill(at: Subject) -> str:
    (at.directory / "sub").mkdir()
    (at.directory / "a.txt").write_text("a")
    (at.directory / "b.md").write_text("b")
    (at.directory / "sub/c.txt").write_text("c")
    (at.directory / ".gitignore").write_text("*.md\n")
    return str(at.directory)


def _host(at: Subject, **arguments: object) -> dagger.Directory:
    return at.client.host().directory(_fill(at), **arguments)  # type: ignore[arg-type]


test_host = rules(
    Rule(
        "a directory of this machine can be read",
        lambda at: _host(at).entries(),
        [".gitignore", "a.txt", "b.md", "sub/"],
    ),
    Rule("exclude leaves out", lambda at: _host(at, exclude=["*.md", ".*"]).entries(), ["a.txt", "sub/"]),
    Rule("include takes nothing else", lambda at: _host(at, include=["*.txt"]).glob("**"), ["a.txt"]),
    Rule(".gitignore is used where that is asked for", lambda at: _host(at, gitignore=True).glob("*.md"), []),
    Rule("a file can be read", lambda at: at.client.host().file(f"{_fill(at)}/sub/c.txt").contents(), "c"),
    Rule("and has its name", lambda at: at.client.host().file(f"{_fill(at)}/sub/c.txt").name(), "c.txt"),
    Rule(
        "one that is not there is an error",
        lambda at: at.client.host().file(f"{at.directory}/no").contents(),
        Refused("no"),
    ),
    Rule("a directory is read once a session", lambda at: _changed(at, no_cache=False), "a"),
    Rule("unless it is to be read again", lambda at: _changed(at, no_cache=True), "new"),
    Rule("files of this machine are root's", lambda at: _placed(at), "root:root\n"),
)


async def _placed(at: Subject) -> str:
    return await out(at.base.with_directory("/p", _host(at)), "stat -c %U:%G /p/a.txt")


async def _changed(at: Subject, *, no_cache: bool) -> str:
    path = _fill(at)
    await at.client.host().directory(path).file("a.txt").contents()
    (at.directory / "a.txt").write_text("new")
    return await at.client.host().directory(path, no_cache=no_cache).file("a.txt").contents()


async def _exported(at: Subject, *, wipe: bool) -> list[str]:
    target = at.directory / "target"
    target.mkdir()
    shutil.chown(target, at.directory.stat().st_uid)
    (target / "old").write_text("")
    exported = await _dir(at).export(str(target), wipe=wipe)
    assert exported == str(target)
    return sorted(str(path.relative_to(target)) for path in target.rglob("*"))


async def _exported_into(at: Subject) -> tuple[bool, str]:
    """Whether the directory is what is returned, and what is in the file."""
    exported = await _file(at).export(str(at.directory), allow_parent_dir_path=True)
    return exported == str(at.directory), (at.directory / "f").read_text()


async def _file_exported(at: Subject, path: Path) -> tuple[str, str]:
    exported = await _file(at).export(str(path))
    return str(Path(exported).relative_to(at.directory)), Path(exported).read_text()


test_export = rules(
    Rule(
        "an exported directory is merged with what is there",
        lambda at: _exported(at, wipe=False),
        ["old", "sub", "sub/f"],
    ),
    Rule("unless that is to be wiped", lambda at: _exported(at, wipe=True), ["sub", "sub/f"]),
    Rule(
        "an exported file makes the directories above it",
        lambda at: _file_exported(at, at.directory / "x/n"),
        ("x/n", "text"),
    ),
    Rule("a directory is no place for a file", lambda at: _file_exported(at, at.directory), Refused()),
    Rule("unless that is meant", lambda at: _exported_into(at), (True, "text")),
)


async def test_an_exported_file_keeps_its_permissions(subject: Subject) -> None:
    await _file(subject, mode=0o744).export(str(subject.directory / "n"))
    assert (subject.directory / "n").stat().st_mode & 0o777 == 0o744
