"""Rules of what is mounted for execs: directories, files, caches and memory, and what becomes of writes there."""

import asyncio
import secrets

import dagger
from dagger import CacheSharingMode

from tests.conformance.rules import Refused, Rule, Subject, out, rules, sh


def _tree(at: Subject) -> dagger.Directory:
    return at.client.directory().with_new_file("f", "text").with_new_file("sub/g", "more")


def _mounted(at: Subject, **arguments: object) -> dagger.Container:
    return at.base.with_mounted_directory("/m", _tree(at), **arguments)  # type: ignore[arg-type]


test_places = rules(
    Rule(
        "mounts are listed in the order in which they were made",
        lambda at: _mounted(at).with_mounted_temp("/a").mounts(),
        ["/m", "/a"],
    ),
    Rule(
        "a mount starts in the working directory",
        lambda at: at.base.with_workdir("/w").with_mounted_temp("t").mounts(),
        ["/w/t"],
    ),
    Rule(
        "a mount's place is expanded where that is asked for",
        lambda at: at.base.with_env_variable("A", "a").with_mounted_temp("/$A/t", expand=True).mounts(),
        ["/a/t"],
    ),
    Rule(
        "a mount at the same place replaces the first",
        lambda at: out(_mounted(at).with_mounted_directory("/m", at.client.directory()), "ls /m"),
        "",
    ),
    Rule(
        "a mount above takes the place of those below it",
        lambda at: at.base.with_mounted_temp("/m/a").with_mounted_temp("/m").mounts(),
        ["/m"],
    ),
    Rule(
        "a mount may lie in another",
        lambda at: out(_mounted(at).with_mounted_file("/m/sub/h", _tree(at).file("f")), "cat /m/sub/h; ls /m/sub"),
        "textg\nh\n",
    ),
    Rule("a mount can be taken away", lambda at: _mounted(at).without_mount("/m").mounts(), []),
    Rule(
        "what it hid is there again",
        lambda at: out(at.base.with_mounted_temp("/etc").without_mount("/etc"), "test -s /etc/passwd; echo"),
        "\n",
    ),
)

test_directories_and_files = rules(
    Rule("an exec reads a mounted directory", lambda at: out(_mounted(at), "cat /m/f /m/sub/g"), "textmore"),
    Rule(
        "a directory within a directory can be mounted",
        lambda at: out(at.base.with_mounted_directory("/m", _tree(at).directory("sub")), "ls /m"),
        "g\n",
    ),
    Rule(
        "an exec reads a mounted file",
        lambda at: out(at.base.with_mounted_file("/x/y", _tree(at).file("f")), "cat /x/y"),
        "text",
    ),
    Rule("an empty directory can be mounted", lambda at: out(_empty(at), "ls -A /m"), ""),
    Rule(
        "an exec's writes are there for the next", lambda at: out(sh(_mounted(at), "echo >>/m/f"), "cat /m/f"), "text\n"
    ),
    Rule(
        "and for the one after that",
        lambda at: out(sh(sh(_mounted(at), "rm /m/f"), "echo b >/m/sub/b"), "find /m -type f | sort"),
        "/m/sub/b\n/m/sub/g\n",
    ),
    Rule(
        "a file's too",
        lambda at: out(sh(at.base.with_mounted_file("/y", _tree(at).file("f")), "echo 2 >>/y"), "cat /y"),
        "text2\n",
    ),
    Rule(
        "they can be read from the container",
        lambda at: sh(_mounted(at), "echo n >/m/sub/n").directory("/m/sub").entries(),
        ["g", "n"],
    ),
    Rule(
        "they can be mounted elsewhere",
        lambda at: out(
            at.base.with_mounted_directory("/o", sh(_empty(at), "echo n >/m/n").directory("/m")), "cat /o/n"
        ),
        "n\n",
    ),
    Rule("they do not change what was mounted", lambda at: _source_after_writes(at), "text"),
    Rule("they are in no layer", lambda at: sh(_mounted(at), "echo >/m/n").without_mount("/m").exists("/m"), False),
    Rule(
        "a change from outside is one of the mount",
        lambda at: out(_mounted(at).with_new_file("/m/n", "new").with_symlink("n", "/m/l"), "cat /m/l /m/f"),
        "newtext",
    ),
    Rule(
        "and not of the container's own files",
        lambda at: _mounted(at).with_directory("/m/d", _tree(at)).without_mount("/m").exists("/m"),
        False,
    ),
    Rule("a mounted directory may refuse writes", lambda at: _write(at, read_only=True), "refused\n"),
    Rule("unless it does not", lambda at: _write(at), "written\n"),
    Rule(
        "a mounted directory may be given to a user of the container",
        lambda at: out(_mounted(at, owner="nobody:daemon"), "stat -c %U:%G /m /m/sub/g"),
        "nobody:daemon\nnobody:daemon\n",
    ),
    Rule(
        "a mounted file too",
        lambda at: out(at.base.with_mounted_file("/y", _tree(at).file("f"), owner="games"), "stat -c %U /y"),
        "games\n",
    ),
    Rule("a file of a mount can be asked for", lambda at: _mounted(at).file("/m/sub/g").contents(), "more"),
    Rule("its state too", lambda at: _mounted(at).stat("/m/sub/g").size(), 4),
    Rule("whether it exists too", lambda at: _mounted(at).exists("/m/sub/g"), True),
    Rule("what does not is an error", lambda at: _mounted(at).file("/m/none").contents(), Refused("/?none")),
)


def _empty(at: Subject) -> dagger.Container:
    return at.base.with_mounted_directory("/m", at.client.directory())


async def _source_after_writes(at: Subject) -> str:
    tree = _tree(at)
    await sh(at.base.with_mounted_directory("/m", tree), "echo changed >/m/f").sync()
    return await tree.file("f").contents()


async def _write(at: Subject, **arguments: object) -> str:
    return await out(_mounted(at, **arguments), "if touch /m/n 2>/dev/null; then echo written; else echo refused; fi")


test_memory = rules(
    Rule(
        "a temporary file system is memory",
        lambda at: out(at.base.with_mounted_temp("/t"), "stat --file-system -c %T /t"),
        "tmpfs\n",
    ),
    Rule(
        "with a size where one is given",
        lambda at: out(at.base.with_mounted_temp("/t", size=8 << 20), "df --output=size /t | tail -1 | tr -d ' '"),
        "8192\n",
    ),
    Rule(
        "what is written there is gone with the exec",
        lambda at: out(sh(at.base.with_mounted_temp("/t"), "echo >/t/f"), "ls /t"),
        "",
    ),
    Rule(
        "and cannot be read from the container",
        lambda at: at.base.with_mounted_temp("/t").file("/t/f").contents(),
        Refused("/?t"),
    ),
)


def _volume(at: Subject) -> dagger.CacheVolume:
    return at.client.cache_volume(f"conformance-{secrets.token_hex(8)}")


async def _written_and_read(at: Subject, **arguments: object) -> str:
    mounted = at.base.with_mounted_cache("/c", _volume(at), **arguments)  # type: ignore[arg-type]
    await sh(mounted, "echo kept >>/c/f").sync()
    return await out(mounted.with_env_variable("SECOND", "1"), "cat /c/f")


async def _at_once(at: Subject, script: str, sharing: CacheSharingMode) -> list[str]:
    mounted = at.base.with_mounted_cache("/c", _volume(at), sharing=sharing)
    return await asyncio.gather(*(out(mounted.with_env_variable("N", n), script) for n in "12"))


#: Ends well only while another exec runs it too.
MEETS = "touch /c/$N; for i in $(seq 200); do test -e /c/1 -a -e /c/2 && echo met && exit; sleep 0.1; done; exit 1"
#: Ends well only while no other exec runs it.
ALONE = "mkdir /c/lock; sleep 0.3; rmdir /c/lock; echo alone"

test_caches = rules(
    Rule("a cache volume outlives the exec", lambda at: _written_and_read(at), "kept\n"),
    Rule(
        "a new one starts with its source",
        lambda at: _written_and_read(at, source=at.client.directory().with_new_file("f", "first\n")),
        "first\nkept\n",
    ),
    Rule(
        "it may be given to a user of the container",
        lambda at: out(at.base.with_mounted_cache("/c", _volume(at), owner="nobody"), "stat -c %U /c"),
        "nobody\n",
    ),
    Rule("execs share it", lambda at: _at_once(at, MEETS, CacheSharingMode.SHARED), ["met\n", "met\n"]),
    Rule(
        "unless it is locked: then they wait for each other",
        lambda at: _at_once(at, ALONE, CacheSharingMode.LOCKED),
        ["alone\n", "alone\n"],
    ),
    Rule("or private", lambda at: _at_once(at, ALONE, CacheSharingMode.PRIVATE), ["alone\n", "alone\n"]),
    Rule("it cannot be read from the container", lambda at: _read_cache(at), Refused("cache")),
    Rule("it is in no layer", lambda at: _cached(at).without_mount("/c").exists("/c"), False),
)


def _cached(at: Subject) -> dagger.Container:
    return sh(at.base.with_mounted_cache("/c", _volume(at)), "echo >/c/f")


async def _read_cache(at: Subject) -> str:
    return await _cached(at).file("/c/f").contents()
