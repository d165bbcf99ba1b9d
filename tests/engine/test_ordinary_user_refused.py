"""A machine that does not allow an ordinary user's engine: one sentence, with the command that helps."""

from dataclasses import replace
from pathlib import Path

import dagger
import pytest

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


def _refused(user: OrdinaryUser, *argv: str | Path) -> str:
    """Return the one line that an engine says before it ends with exit code 2."""
    done = user.engine(*argv)
    assert done.returncode == 2, done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    return lines[0]


@pytest.mark.slow
def test_the_command_line_ends_with_2_where_the_user_can_help(user: OrdinaryUser) -> None:
    done = user.on(subuid="").ska_images("images")
    assert done.returncode == 2
    assert done.stdout.startswith(f"Error: The user '{NAME}' has no subordinate ids ")


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


def test_a_switch_of_a_distribution_is_named(user: OrdinaryUser) -> None:
    # Debian's and Ubuntu's own switches are not in every kernel: here is a file of that name, and the namespaces
    # are refused by the one that every kernel has.
    switch = "mount -t tmpfs none /proc/sys/kernel; echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns\n"
    assert _refused(user.on(switch, before=["sh", "-euc", NO_MORE_NAMESPACES, "sh"])) == (
        "Error: This machine does not let ordinary users make user namespaces: "
        "kernel.apparmor_restrict_unprivileged_userns is 1; allow it with "
        "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or run as root."
    )


def test_another_refusal_is_said_in_the_words_of_who_was_refused(user: OrdinaryUser) -> None:
    # As in a container with allowPrivilegeEscalation: false.
    assert _refused(user.on(before=["setpriv", "--no-new-privs"])) == (
        "Error: This machine does not let the embedded engine make namespaces: newuidmap: write to uid_map failed: "
        "Operation not permitted; run it outside a container, or in a privileged one."
    )


def test_the_store_of_another_user_is_refused(
    user: OrdinaryUser, user_store: Path, store: Path, engine: object
) -> None:
    assert user.engine("--store", user_store).returncode == 0
    sentence = "Error: The store {} belongs to another user, or was made with other subordinate ids; "
    assert _refused(user, "--store", store).startswith(sentence.format(store))
    as_root = replace(user, machine=None)
    assert _refused(as_root, "--store", user_store).startswith(sentence.format(user_store))


@pytest.mark.slow
async def test_a_store_on_a_file_system_that_cannot_be_below_an_overlay_is_named(user: OrdinaryUser) -> None:
    # The root file system of a container, say.
    prepare = """\
        mkdir -p "$HOME/overlay/lower" "$HOME/overlay/upper" "$HOME/overlay/work" "$HOME/overlay/store"
        cd "$HOME/overlay"
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay store
        chown "$(stat -c %u "$HOME")" store
    """
    store = user.home / "overlay/store"
    async with user.on(prepare).client(store) as client:
        with pytest.raises(dagger.QueryError, match=f"cannot be mounted on {store}.* Linux is 5.11 or newer") as caught:
            await client.directory().with_new_file("f", "x").file("f").contents()
    assert caught.value.error.extensions["code"] == "STORE_UNUSABLE"
