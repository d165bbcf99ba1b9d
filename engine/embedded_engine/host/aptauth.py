"""Logins to apt's sources, in a file that only root reads: apt_auth.conf(5)."""

import netrc
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from embedded_engine.host.errors import BadInput


def without_login(uri: str) -> str:
    """Return a URI without user and password."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def auth_conf(uris: Iterable[str], files: Iterable[Path]) -> str:
    """Return the logins that sources need, and no others.

    Args:
        uris: the URIs of the sources; a user and password in one win, as in apt.
        files: auth.conf and similar files; those that this user may not read are ignored, as apt does.

    Returns:
        The text of an auth.conf; empty if no source needs a login.

    Raises:
        BadInput: a file is malformed, or the format cannot express a login.
    """
    listed = list(dict.fromkeys(uris))
    logins = [login for uri in listed if (login := _login_in(uri))]
    hosts = {urlsplit(uri).hostname for uri in listed}
    logins += [entry for path in files for entry in _entries(path) if _host(entry[0]) in hosts]
    return "".join(_line(*login) for login in logins)


def _login_in(uri: str) -> tuple[str, str, str] | None:
    parts = urlsplit(uri)
    if parts.username is None:
        return None
    # Without the scheme, apt would send the login over TLS only.
    return without_login(uri).rstrip("/"), unquote(parts.username), unquote(parts.password or "")


def _entries(path: Path) -> list[tuple[str, str, str]]:
    try:
        known = netrc.netrc(str(path)).hosts
    except OSError:
        return []
    except (netrc.NetrcParseError, UnicodeDecodeError) as error:
        raise BadInput(f"apt's logins in {path} cannot be read ({_reason(error)}); correct the file.") from None
    return [(machine, login or "", password or "") for machine, (login, _, password) in known.items()]


def _reason(error: netrc.NetrcParseError | UnicodeDecodeError) -> str:
    # The parser's message repeats its input, which may be a password.
    return f"line {error.lineno}" if isinstance(error, netrc.NetrcParseError) else "it is not UTF-8"


def _host(machine: str) -> str | None:
    return urlsplit(machine if "://" in machine else f"//{machine}").hostname


def _line(machine: str, login: str, password: str) -> str:
    if any(character.isspace() for character in login + password):
        raise BadInput(f"The login for apt's source {machine} holds white space, which apt cannot read; change it.")
    return f"machine {machine} login {login}" + (f" password {password}\n" if password else "\n")
