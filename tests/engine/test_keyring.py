"""The keys of the user who started a build are not a step's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from embedded_engine.session import Session

from tests.clients import connected
from tests.engine.confined import perl, session
from tests.ordinary_user import OrdinaryUser

#: Runs a command with a session keyring that holds a key, as pam_keyinit(8) and kinit(1) leave one; its possessor
#: alone sees the key.
_WITH_A_KEY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
keyctl, add_key = map(int, sys.argv[1:3])
assert libc.syscall(keyctl, 1, b"ska-images-test") > 0
key = libc.syscall(add_key, b"user", b"ska-images-canary", b"secret", 6, -3)
assert key > 0 and libc.syscall(keyctl, 5, key, 0x3F000000) == 0
os.execvp(sys.argv[3], sys.argv[3:])
"""
#: keyctl(2) and add_key(2) of this machine.
NUMBERS = {"x86_64": (250, 248, 249), "aarch64": (219, 217, 218)}[os.uname().machine]


def _with_a_key() -> list[str]:
    keyctl, add_key, _ = NUMBERS
    return [sys.executable, "-c", _WITH_A_KEY, str(keyctl), str(add_key)]


def test_the_process_with_a_key_sees_it() -> None:
    done = subprocess.run([*_with_a_key(), "cat", "/proc/keys"], capture_output=True, text=True, check=True)
    assert "ska-images-canary" in done.stdout


@pytest.mark.parametrize("who", ["root", "user"])
@pytest.mark.parametrize("privileged", [False, True])
async def test_a_step_neither_sees_nor_uses_a_key_of_the_user(
    who: str, privileged: bool, engine: Session, store: Path, user: OrdinaryUser, user_store: Path
) -> None:
    words = _with_a_key() if who == "root" else user.words(*_with_a_key())
    script = """
        my ($keyctl, $add_key, $request_key) = map { $_ + 0 } @ARGV;
        my ($user, $name) = ("user", "ska-images-canary");
        for my $call (sub { syscall($request_key, $user, $name, 0, 0) },
                      sub { syscall($keyctl, 10, -4, $user, $name, 0) },
                      sub { syscall($add_key, $user, $name, $name, 5, -2) }) { print $call->() < 0 ? "no " : "yes " }
        open(my $keys, '<', '/proc/keys'); print grep { /canary/ } <$keys>;
    """
    async with session(words, store if who == "root" else user_store) as (running, _), connected(running) as client:
        base = client.container().from_("bootstrap:auto").with_env_variable("TEST", running.token[:8])
        assert await perl(base, script, *map(str, NUMBERS), privileged=privileged) == "no no no "
