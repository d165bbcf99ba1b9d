"""Images from and to registries and archives, by skopeo."""

import re
from collections.abc import Sequence
from pathlib import Path

from embedded_engine.host.credentials import Credentials, without_logins
from embedded_engine.host.errors import (
    ArchiveInvalid,
    CommandFailed,
    EngineError,
    ImageUnknown,
    PushFailed,
    ReferenceInvalid,
    RegistryFailed,
    RegistryRefused,
    RegistryUnreachable,
)
from embedded_engine.host.process import run

#: Seconds for a registry to answer the first request.
CONNECT_TIMEOUT = 5.0

#: Docker's reference grammar (distribution/reference), enough of it to detect typing mistakes.
REFERENCE = re.compile(
    r"(?P<name>([a-zA-Z0-9][a-zA-Z0-9.-]*(:\d+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)"
    r"(:(?P<tag>[\w][\w.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)

#: Go's messages about a name, an address or a port that does not answer. They count only for skopeo's first request,
#: the ping, because after it the registry has answered.
PING = re.compile(
    r"(?:(?:writing blob|trying to reuse blob \S+ at destination): )?pinging container registry \S+: (?P<cause>.*)",
    re.DOTALL,
)
SILENCE = re.compile(
    r"no such host|server misbehaving|temporary failure in name resolution|connection refused|no route to host"
    r"|network is unreachable|host is down|i/o timeout|connection timed out|context deadline exceeded"
    r"|Client\.Timeout exceeded|TLS handshake timeout",
    re.IGNORECASE,
)
#: skopeo's log lines with --debug: for an answer 429 before it tries again, and for the answer to its ping.
TOO_MANY_REQUESTS = "Too many requests to"
PINGED = re.compile(r"Ping \S+ status (?!200|401)(\d+)")
#: What skopeo says of an image, with its tag, before the cause.
NAMED = re.compile(r'^(?:Error parsing image name "[^"]*"|(?:writing manifest: )?uploading manifest \S+ to \S+): ')
#: A line of skopeo's log: logrus's text format.
LOGGED = re.compile(r'level=(?P<level>\w+) msg="(?P<text>(?:[^"\\]|\\.)*)"')

UNKNOWN = "The registry has no image '{}'; check its name, tag and digest."
LOGIN = "The registry requires a login for '{}'; log in with `skopeo login`."
DENIED = "The registry refuses '{}' to this user; ask its owner for access."
#: skopeo's messages about definite refusals, with the errors that they mean.
REFUSALS: tuple[tuple[str, type[EngineError], str], ...] = (
    (r"manifest unknown|name unknown|not found|StatusCode: 404", ImageUnknown, UNKNOWN),
    (r"unauthorized|authentication required|StatusCode: 401", RegistryRefused, LOGIN),
    (r"denied|forbidden|StatusCode: 403", RegistryRefused, DENIED),
)
#: skopeo's messages about other answers, with the remedies.
REMEDIES = (
    (r"toomanyrequests|429 Too Many Requests|StatusCode: 429", "wait, or log in with `skopeo login`"),
    (r"x509: |certificate", "add the certificate of its authority to those that this machine trusts"),
    (r"proxyconnect|Proxy Authentication", "check the proxy settings"),
    (r"", "try again later"),
)


def normalized(address: str) -> str:
    """Return a reference with registry and namespace, completed as in Docker: `docker.io/library/ubuntu:22.04`.

    Raises:
        ReferenceInvalid: the text is not an image reference.
    """
    found = REFERENCE.fullmatch(address)
    host, _, rest = address.partition("/")
    has_host = bool(rest) and ("." in host or ":" in host or host == "localhost")
    if not found or (not has_host and found["name"] != found["name"].lower()):
        raise ReferenceInvalid(
            f"'{address}' is not an image reference; write it as registry/name:tag@sha256:… with 64 hexadecimal digits."
        )
    if not rest:
        address = f"docker.io/library/{address}"
    elif not has_host:
        address = f"docker.io/{address}"
    return address if found["tag"] or found["digest"] else f"{address}:latest"


async def resolve_digest(address: str, credentials: Credentials) -> str:
    """Return the digest `sha256:…` of the manifest that a normalized reference names now in its registry.

    Raises:
        RegistryUnreachable: the registry does not answer.
        RegistryRefused, ImageUnknown: the registry refuses.
        RegistryFailed: any other answer.
    """
    argv = ["skopeo", "--debug", "--command-timeout", f"{CONNECT_TIMEOUT:.0f}s", "inspect", "--no-tags", *_tls(address)]
    try:
        with credentials.options(address) as (options, files):
            name = f"docker://{_by_digest(address)}"
            done = await run([*argv, *options, "--format", "{{.Digest}}", name], pass_fds=files)
    except CommandFailed as error:
        raise _answer(address, error) from error
    return done.stdout.strip()


async def pull(address: str, digest: str, directory: Path, platform: str, credentials: Credentials) -> None:
    """Copy an image to an OCI layout; skopeo checks every blob against its digest.

    Args:
        address: a normalized reference.
        digest: the digest of its manifest or index.
        directory: the layout to write.
        platform: the platform to pick from an index.
        credentials: the session's logins.

    The registry has answered `resolve_digest` before.

    Raises:
        RegistryFailed, RegistryRefused, ImageUnknown: the registry's answer.
    """
    name = _by_digest(address).partition("@")[0]
    source = f"docker://{_without_tag(name)}@{digest}"
    try:
        with credentials.options(address) as (options, files):
            tls = _tls(address, "--src-tls-verify=false")
            await _copy(source, directory, [*_override(platform), *tls, *options], files)
    except CommandFailed as error:
        raise _answer(address, error, answered=True) from error


async def push(archive: Path, address: str, directory: Path, credentials: Credentials) -> str:
    """Copy all of an OCI archive to a registry, and return the digest that it has there.

    Args:
        archive: the file.
        address: a normalized reference.
        directory: for temporary files.
        credentials: the session's logins.

    Raises:
        PushFailed, RegistryRefused: the registry's answer.
    """
    written = directory / "digest"
    kept = ["--quiet", "--all", "--preserve-digests", "--retry-times=3", f"--digestfile={written}"]
    try:
        with credentials.options(address) as (options, files):
            tls = _tls(address, "--dest-tls-verify=false")
            names = [f"oci-archive:{archive}", f"docker://{address}"]
            await run(["skopeo", f"--tmpdir={directory}", "copy", *kept, *tls, *options, *names], pass_fds=files)
    except CommandFailed as error:
        raise _answer(address, error, pushed=True) from error
    return written.read_text().strip()


async def unpack_archive(archive: Path, directory: Path, tag: str, platform: str) -> None:
    """Copy an OCI or docker archive to an OCI layout.

    Raises:
        ArchiveInvalid: the file is neither, or is damaged.
    """
    failures = []
    for transport in ("oci-archive", "docker-archive"):
        try:
            source = f"{transport}:{archive}{':' + tag if tag else ''}"
            return await _copy(source, directory, _override(platform))
        except CommandFailed as error:
            if error.returncode < 0:
                raise
            failures.append(error)
    raise ArchiveInvalid(
        f"'{archive.name}' is not an OCI or docker archive, or it is damaged; make it with "
        "`skopeo copy docker://IMAGE oci-archive:FILE`."
    ) from failures[0]


async def _copy(source: str, directory: Path, options: Sequence[str], files: Sequence[int] = ()) -> None:
    # skopeo's temporary files are in the session's directory too, and are removed with it.
    argv = ["skopeo", f"--tmpdir={directory.parent}", "copy", "--quiet", "--remove-signatures", *options]
    await run([*argv, source, f"oci:{directory}:image"], pass_fds=files)


def _override(platform: str) -> list[str]:
    system, architecture, *variant = platform.split("/")
    chosen = [f"--override-os={system}", f"--override-arch={architecture}"]
    return [*chosen, f"--override-variant={variant[0]}"] if variant else chosen


def _by_digest(address: str) -> str:
    """Drop the tag of a reference that has a digest, because skopeo does not accept both."""
    name, _, digest = address.partition("@")
    return f"{_without_tag(name)}@{digest}" if digest else address


def _without_tag(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _tls(address: str, option: str = "--tls-verify=false") -> list[str]:
    """Return the option for plain HTTP if the registry is on this machine, as in Dagger."""
    host = address.partition("/")[0].partition(":")[0]
    return [option] if host in ("localhost", "127.0.0.1") else []


def _answer(address: str, error: CommandFailed, *, answered: bool = False, pushed: bool = False) -> EngineError:
    """Return the error that skopeo's failure means.

    Args:
        address: the normalized reference.
        error: the failure.
        answered: whether the registry is known to have answered before.
        pushed: whether it was asked to take the image.
    """
    logged = [(found["level"], found["text"].replace('\\"', '"')) for found in LOGGED.finditer(error.stderr)]
    if error.returncode < 0 or not any(level == "fatal" for level, _ in logged):
        return error  # the program failed, not the registry
    words = _without_name(address, logged[-1][1])
    ping = PING.match(words)
    host = address.partition("/")[0]
    if ping and not answered and SILENCE.search(ping["cause"]):
        return (PushFailed if pushed else RegistryUnreachable)(
            f"The registry {host} cannot be reached for '{address}' ({_cause(ping['cause'])}); check the network and "
            "the proxy settings."
        )
    if any(text.startswith(TOO_MANY_REQUESTS) for _, text in logged):
        words = "429 Too Many Requests"
    elif refused := [found[1] for _, text in logged if (found := PINGED.match(text))]:
        words = f"HTTP status {refused[-1]}"
    # A host may be called anything, and stands before the cause.
    cause = _cause(PING.sub(r"\g<cause>", words))
    for pattern, kind, sentence in () if ping else REFUSALS:
        if re.search(pattern, cause, re.IGNORECASE):
            return kind(sentence.format(address))
    remedy = next(remedy for pattern, remedy in REMEDIES if re.search(pattern, cause))
    verb, failed = ("take", PushFailed) if pushed else ("give", RegistryFailed)
    return failed(f"The registry {host} did not {verb} '{address}' ({_cause(words)}); {remedy}.")


def _without_name(address: str, text: str) -> str:
    """Drop the image's name from skopeo's output, because a name may contain any of the searched words."""
    _, _, repository = _without_tag(address.partition("@")[0]).partition("/")
    return NAMED.sub("", text).replace(repository, "")


def _cause(text: str) -> str:
    """Return the end of a chain of errors, such as `no such host`, without credentials and control characters."""
    last = re.sub(r'^.*?(Get|Head|Post|Put) "[^"]*": ', "", text, flags=re.DOTALL)
    shown = without_logins(re.sub(r"^.*? in [^ ]*: ", "", last))
    return "".join(character if character.isprintable() else " " for character in shown).strip()[:300]
