"""The host's settings for steps, which must not stay in an image: proxies, certificates, pip's and apt's settings.

Elsewhere, only secrets of the form env://NAME are read from the environment.
"""

import asyncio
import configparser
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.host.aptauth import auth_conf
from embedded_engine.host.errors import BadInput, StoreUnusable
from embedded_engine.host.namespace import in_user_namespace
from embedded_engine.host.process import run
from embedded_engine.host.relay import DNS, Service, services_at

#: The directory with the host's settings in a step; it is mounted for the exec and leaves no trace.
GUEST = "/run/embedded-engine-host"

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
#: The variables that name a bundle of certificates for tools, on the host and in a step.
BUNDLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
#: pip's settings about package sources; others do not concern steps.
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
APT_SETTINGS = re.compile(
    r"Acquire::((?i:https?|ftp)::(Proxy|Verify-Peer|Verify-Host|CAInfo|Timeout)\b|Retries|Check-Valid-Until|Check-Date|ForceIPv)"
)
#: A host on the loopback interface, in a URL or before a port.
LOOPBACK = re.compile(
    r"(?:\b([a-z][a-z0-9+.-]*)://(?:[^/@\s\"']*@)?|(?<![\w.:/@-]))(?:\[([0-9a-f:]+)\]|(localhost|127(?:\.\d{1,3}){3})(?![\w.-]))"
    r"(?::(\d{1,5})\b)?",
    re.IGNORECASE,
)
#: The default ports by URL scheme.
PORTS = {"http": 80, "https": 443, "ftp": 21, "socks": 1080, "socks4": 1080, "socks5": 1080, "socks5h": 1080}
#: apt-get(8): the addresses of the machine's sources. Without package lists, apt does not read them all first.
SOURCE_URIS = (
    *("apt-get", "-o", "Dir::State::lists=/dev/null/", "indextargets", "--no-release-info"),
    *("--format", "$(REPO_URI)", "Created-By: Packages"),
)
#: The paths of apt's logins: apt_auth.conf(5).
APT_LOGINS = re.compile(r'Dir::Etc::(?P<kind>netrc|netrcparts) "(?P<path>[^"]+)";')
APT_DIRECTORY = Path("/etc/apt")
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
LOCAL_CERTIFICATES = Path("/usr/local/share/ca-certificates")


@dataclass(frozen=True)
class HostSettings:
    """The host's network settings, read once.

    Args:
        proxies: the proxy variables, each in upper and lower case.
        bundle: a bundle of certificates that differs from the distribution's, if the host has one.
        pip: the text of a pip.conf, empty if the host has no settings.
        apt: the text of an apt.conf, empty if the host has no settings.
        apt_auth: the text of an auth.conf with the logins to the host's sources, empty if there are none.
        store: the default directory of the engine's files.
        services: the loopback services that these settings, apt's sources and the resolver name.
    """

    proxies: tuple[tuple[str, str], ...]
    bundle: Path | None
    pip: str
    apt: str
    apt_auth: str
    store: Path
    services: tuple[Service, ...] = ()

    def env(self) -> dict[str, str]:
        """Return the variables of a step; variables of the image win."""
        env = dict(self.proxies)
        if self.bundle:
            env |= dict.fromkeys(BUNDLES, f"{GUEST}/ca-certificates.crt")
        if self.pip:
            env["PIP_CONFIG_FILE"] = f"{GUEST}/pip.conf"
        if self.apt or self.apt_auth:
            env["APT_CONFIG"] = f"{GUEST}/apt.conf"
        return env

    def write(self, directory: Path) -> None:
        """Write the files that `env` names into the directory that is mounted at GUEST."""
        directory.mkdir(mode=0o755)
        if self.bundle:
            (directory / "ca-certificates.crt").write_bytes(self.bundle.read_bytes())
        if self.pip:
            (directory / "pip.conf").write_text(self.pip)
        self.write_apt(directory, GUEST)

    def write_apt(self, directory: Path, seen_as: str) -> None:
        """Write apt's settings into a directory: apt.conf, and auth.conf, which only root reads.

        Args:
            directory: an existing directory.
            seen_as: the path of the directory for apt.
        """
        apt = self.apt
        if self.apt_auth:
            apt += f'Dir::Etc::netrc "{seen_as}/auth.conf";\n'
            (directory / "auth.conf").touch(mode=0o600)
            (directory / "auth.conf").write_text(self.apt_auth)
        if apt:
            (directory / "apt.conf").write_text(apt)


def find_system_programs() -> None:
    """Add the directory of runc to PATH, which an ordinary user's PATH lacks."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"


async def read_host() -> HostSettings:
    """Read the settings of this machine and this user."""
    env = os.environ
    dump, uris = await asyncio.gather(_output("apt-config", "dump"), _output(*SOURCE_URIS))
    proxies, pip, apt = _proxies(env), _pip(env), _apt(dump)
    texts = [*(value for _, value in proxies), pip, apt, *_apt_sources()]
    return HostSettings(
        proxies=proxies,
        bundle=_bundle(env),
        pip=pip,
        apt=apt,
        apt_auth=auth_conf(uris.split(), _login_files(dump)),
        store=default_store(),
        services=(*named_services("\n".join(texts)), *_name_servers()),
    )


def named_services(text: str) -> tuple[Service, ...]:
    """Return the loopback services that URLs, or pairs of a host and a port, name."""
    found = [
        service
        for scheme, bracketed, host, port in LOOPBACK.findall(text)
        if port or scheme
        for service in services_at(bracketed or host, int(port or PORTS.get(scheme.lower(), 0)))
    ]
    return tuple(dict.fromkeys(found))


def _apt_sources() -> list[str]:
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    lines = [line for file in files if file.suffix in (".list", ".sources") for line in _lines(file)]
    return [line for line in lines if not line.lstrip().startswith("#")]


def _name_servers() -> tuple[Service, ...]:
    words = [line.split() for line in _lines(Path("/etc/resolv.conf"))]
    return tuple(one for word in words if word[:1] == ["nameserver"] for one in services_at("".join(word[1:2]), DNS))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []


async def _output(*argv: str) -> str:
    """Return the output of one of apt's programs; empty if apt is not installed."""
    return (await run(argv, check=False)).stdout if Path("/usr/bin", argv[0]).exists() else ""


def _login_files(dump: str) -> Iterator[Path]:
    for found in APT_LOGINS.finditer(dump):
        path = APT_DIRECTORY / found["path"]
        # In a directory, apt reads files without an extension or with .conf: apt.conf(5).
        inside = sorted(path.glob("*")) if found["kind"] == "netrcparts" else [path]
        yield from (file for file in inside if file.suffix in ("", ".conf"))


def default_store(name: str = "embedded-engine") -> Path:
    """Return the default store of this user.

    Args:
        name: the name of the directory below the user's data directory.

    Raises:
        StoreUnusable: the user has no home directory.
    """
    if os.geteuid() == 0 and not in_user_namespace():
        return Path("/var/lib") / name
    # A relative path is ignored: https://specifications.freedesktop.org/basedir-spec/0.8/
    if (data := Path(os.environ.get("XDG_DATA_HOME", ""))).is_absolute():
        return data / name
    if home := _home():
        return home / ".local/share" / name
    raise StoreUnusable("This user has no home directory for the store; choose a directory.")


def _home() -> Path | None:
    if (home := Path(os.environ.get("HOME", ""))).is_absolute():
        return home
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def natural(text: str) -> int:
    """Return the number of decimal digits; `int` also accepts signs, blanks, underscores and other digits.

    Raises:
        ValueError: the text is something else.
    """
    if not re.fullmatch("[0-9]+", text):
        raise ValueError(text)
    return int(text)


def environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process with further variables."""
    return {**os.environ, **more}


def apt_config() -> list[str]:
    """Return the additional configuration file of apt that the environment names, if any."""
    return [value] if (value := os.environ.get("APT_CONFIG")) else []


def _proxies(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = {name: env.get(name) or env.get(name.lower()) for name in PROXIES}
    return tuple((key, value) for name, value in found.items() if value for key in (name, name.lower()))


def _bundle(env: Mapping[str, str]) -> Path | None:
    for name in BUNDLES:
        if (value := env.get(name)) and Path(value).is_file():
            return Path(value)
    has_own = LOCAL_CERTIFICATES.is_dir() and any(LOCAL_CERTIFICATES.rglob("*.crt"))
    return SYSTEM_BUNDLE if has_own and SYSTEM_BUNDLE.is_file() else None


def _pip(env: Mapping[str, str]) -> str:
    files: list[str | Path] = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf"]
    if home := _home():
        files += [home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    parser = configparser.RawConfigParser()
    for file in [*files, *filter(None, [env.get("PIP_CONFIG_FILE")])]:
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise BadInput(f"pip's settings in {file} cannot be read{_line_of(error)}; correct the file.") from None
    settings = dict(parser["global"]) if parser.has_section("global") else {}
    for name in PIP_SETTINGS:
        for variable in (f"PIP_{name}", f"PIP_DEFAULT_{name}"):
            if value := env.get(variable.upper().replace("-", "_")):
                settings[name] = value
    lines = [f"{name} = {_indented(settings[name])}\n" for name in PIP_SETTINGS if name in settings]
    return "[global]\n" + "".join(lines) if lines else ""


def _line_of(error: configparser.Error | UnicodeDecodeError) -> str:
    # The parser's message repeats the line, which may contain a password.
    listed: list[tuple[int, str]] = getattr(error, "errors", [])
    number = getattr(error, "lineno", None) or (listed[0][0] if listed else None)
    return f" (line {number})" if number else " (it is not UTF-8)" if isinstance(error, UnicodeDecodeError) else ""


def _indented(value: str) -> str:
    return value.strip().replace("\n", "\n  ")


def _apt(dump: str) -> str:
    return "".join(f"{line}\n" for line in dump.splitlines() if APT_SETTINGS.match(line) and '""' not in line)
