"""The names of registries, repositories and images.

Source: https://github.com/distribution/reference/blob/v0.6.0/reference.go
"""

import ipaddress
import re
from dataclasses import dataclass

from pipeline.errors import SettingsError

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
#: The host of docker.io's API.
_DOCKER_HUB = "registry-1.docker.io"
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
PATH = re.compile(r"[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*")


@dataclass(frozen=True)
class Address:
    """A registry, and a path of repositories in it.

    Args:
        host: the registry's host, with its port if it has one.
        path: the repositories' common path; empty for none.
    """

    host: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.host}/{self.path}" if self.path else self.host

    @property
    def name(self) -> str:
        """The host without its port."""
        return self.host.partition(":")[0]

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, where nobody can listen in."""
        try:
            return self.name == "localhost" or ipaddress.ip_address(self.name).is_loopback
        except ValueError:
            return False

    def repository(self, name: str) -> str:
        """Return the path of an image's repository within the host."""
        return f"{self.path}/{name}" if self.path else name


@dataclass(frozen=True)
class Reference:
    """An image in a registry, named by a tag, a digest, or both.

    Args:
        address: the registry and the path of the image's repository.
        name: the last part of the repository's name.
        tag: empty for none.
        digest: `sha256:…`; empty for none.
    """

    address: Address
    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.address}/{self.name}{tag}{digest}"


def parse_address(text: str) -> Address:
    """Parse HOST[:PORT][/PATH].

    Raises:
        SettingsError: the text has a scheme, has no valid host, or has a path that repositories cannot have.
    """
    host, slash, path = text.partition("/")
    if "://" in text:
        raise SettingsError(f"The registry {text!r} has a scheme; write it without: {text.partition('://')[2]!r}.")
    if not _HOST.fullmatch(host) or not ("." in host or ":" in host or host == "localhost"):
        # Docker's rule: a first part without a dot or a port is a path on Docker Hub.
        raise SettingsError(
            f"The registry {text!r} does not begin with a host; write HOST[:PORT][/PATH], as in localhost:5000."
        )
    if slash and not PATH.fullmatch(path):
        raise SettingsError(
            f"The path {path!r} of the registry {text!r} is not valid for repositories; use lowercase letters and "
            "digits, single slashes and no `..`."
        )
    return Address(host, path)


def parse_reference(text: str) -> Reference:
    """Parse HOST[:PORT]/[PATH/]NAME[:TAG][@DIGEST].

    Raises:
        SettingsError: the text is not a reference, or has neither a tag nor a digest.
    """
    whole, at, digest = text.partition("@")
    before, slash, last = whole.rpartition("/")
    name, colon, tag = last.partition(":")
    if not (slash and name and PATH.fullmatch(name)) or not (tag or digest):
        raise SettingsError(
            f"The reference {text!r} does not name a published image; write HOST/NAME:TAG or HOST/NAME@sha256:…."
        )
    if (colon and not TAG.fullmatch(tag)) or (at and not DIGEST.fullmatch(digest)):
        raise SettingsError(
            f"The reference {text!r} has a malformed tag or digest; a digest is sha256: and 64 hexadecimal digits."
        )
    return Reference(parse_address(before), name, tag, digest)


def parse_image(text: str) -> Reference:
    """Parse a reference as Docker does: ubuntu:22.04 means docker.io/library/ubuntu:22.04.

    Raises:
        SettingsError: the text is not a reference, or has neither a tag nor a digest.
    """
    host, slash, rest = text.partition("/")
    if not slash:
        host, rest = _DOCKER_HUB, f"library/{text}"
    elif not ("." in host or ":" in host or host == "localhost"):
        host, rest = _DOCKER_HUB, text
    return parse_reference(f"{_DOCKER_HUB if host == 'docker.io' else host}/{rest}")
