"""Logins to registries, passed to skopeo in memory: never as an argument, never on a disk."""

import base64
import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: User and password in an address, as in http://user:password@host/.
_LOGIN = re.compile(r"(?<=//)[^/\s]*@")


def without_logins(text: str) -> str:
    """Return a program's output with user and password of every address replaced by ***."""
    return _LOGIN.sub("***@", text)


@dataclass
class Credentials:
    """The logins of a session, by registry host, `registry.example:5000`, with a path if the login is for one.

    For other registries, skopeo uses the user's own login (containers-auth.json(5)).
    """

    logins: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    @contextlib.contextmanager
    def options(self, address: str) -> Iterator[tuple[list[str], list[int]]]:
        """Yield skopeo's options for a reference and the open file that they name, for the duration of a block."""
        login = self.logins.get(_host_of(address))
        if login is None:
            yield [], []
            return
        descriptor = os.memfd_create("registry-auth")
        try:
            os.write(descriptor, json.dumps(_authfile({_host_of(address): login})).encode())
            yield [f"--authfile=/proc/self/fd/{descriptor}"], [descriptor]
        finally:
            os.close(descriptor)

    def add(self, address: str, username: str, password: bytes) -> None:
        """Keep a login for the registry of an address, until the session ends."""
        self.logins[_host_of(address)] = (username, password)

    def remove(self, address: str) -> None:
        """Forget a login."""
        self.logins.pop(_host_of(address), None)


def _host_of(address: str) -> str:
    host = address.removeprefix("https://").removeprefix("http://").partition("/")[0]
    is_host = "." in host or ":" in host or host == "localhost"
    return "docker.io" if not is_host or host in ("index.docker.io", "registry-1.docker.io") else host


def _authfile(logins: Mapping[str, tuple[str, bytes]]) -> dict[str, object]:
    auths = {
        host: {"auth": base64.b64encode(f"{username}:".encode() + password).decode()}
        for host, (username, password) in logins.items()
    }
    return {"auths": auths}
