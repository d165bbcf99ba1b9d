"""The engine of an ordinary user: the same images as root's, and a clear sentence where a machine does not allow it."""

from pathlib import Path

from tests.conftest import Built
from tests.ordinary_user import NAME, OrdinaryUser

#: Runs the rest of the words where no further user namespace may be made.
NO_MORE_NAMESPACES = """\
unshare --user sleep 60 &
holder=$!
trap 'kill $holder' EXIT
until [ "$(readlink /proc/$holder/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
for kind in uid gid; do echo 0 0 4294967295 >/proc/$holder/${kind}_map; done
nsenter --user=/proc/$holder/ns/user --setuid=0 --setgid=0 \
    sh -euc 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "$@"
"""


def _refused(user: OrdinaryUser, *argv: str | Path, env: dict[str, str] | None = None) -> str:
    """Return the one line that the command line says before it ends with exit code 2."""
    done = user.run(*argv, env=env) if argv else user.ska_images("images")
    assert done.returncode == 2, done.stdout
    (line,) = done.stdout.splitlines()
    return line


def test_its_images_are_those_of_root(built: Built, built_by_user: Built) -> None:
    assert {image["name"]: image["digest"] for image in built_by_user.report["images"]} == {
        image["name"]: image["digest"] for image in built.report["images"]
    }


def test_what_it_hands_out_belongs_to_the_user(built_by_user: Built, user: OrdinaryUser) -> None:
    owner = user.home.stat().st_uid
    assert {path.stat().st_uid for path in [built_by_user.dist, *built_by_user.dist.iterdir()]} == {owner}


def test_without_subordinate_ids_there_is_the_command_that_adds_them(user: OrdinaryUser) -> None:
    assert _refused(user.on(subuid="", subgid="other:100000:65536\n")) == (
        f"Error: The user '{NAME}' has no subordinate ids in /etc/subuid and /etc/subgid, and the files of images need "
        "65535; add them with `sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 "
        f"{NAME}`, or run as root."
    )


def test_too_few_subordinate_ids_are_counted(user: OrdinaryUser) -> None:
    assert _refused(user.on(subgid=f"{NAME}:100000:5000\n")).startswith(
        f"Error: The user '{NAME}' has 5000 subordinate ids in /etc/subgid, and the files of images need 65535; "
        "add them with `sudo usermod --add-subgids 2000065536-2000131071 "
    )


def test_without_newuidmap_its_package_is_named(user: OrdinaryUser) -> None:
    hidden = user.on("for name in newuidmap newgidmap; do mount --bind /dev/null $(command -v $name); done\n")
    assert _refused(hidden) == ("Error: This machine lacks newuidmap, newgidmap; install: apt-get install uidmap")


def test_where_user_namespaces_are_off_there_is_the_command_that_allows_them(user: OrdinaryUser) -> None:
    assert _refused(user.on(before=["sh", "-euc", NO_MORE_NAMESPACES, "sh"])) == (
        "Error: This machine does not let ordinary users make user namespaces: user.max_user_namespaces is 0; "
        "allow it with `sudo sysctl -w user.max_user_namespaces=65536`, or run as root."
    )
