"""Images from and to registries and archives, by skopeo."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.engine.credentials import Credentials
from pipeline.engine.errors import (
    ArchiveInvalid,
    CommandFailed,
    EngineError,
    ImageUnknown,
    ReferenceInvalid,
    RegistryRefused,
    RegistryUnreachable,
)
from pipeline.engine.process import run

#: Seconds until a registry has to answer the first question.
CONNECT_TIMEOUT = 5.0

#: Docker's reference grammar (distribution/reference), as far as it tells a typing mistake from a reference.
REFERENCE = re.compile(
    r"(?P<name>([a-zA-Z0-9][a-zA-Z0-9.-]*(:\d+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)"
    r"(:(?P<tag>[\w][\w.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)

#: What skopeo says of a definite no, and the error that it is; anything else on the network is a passing fault.
ANSWERS: tuple[tuple[str, type[EngineError], str], ...] = (
    ("manifest unknown", ImageUnknown, "The registry has no image '{}'; check its name, tag and digest."),
    ("name unknown", ImageUnknown, "The registry has no image '{}'; check its name, tag and digest."),
    ("not found", ImageUnknown, "The registry has no image '{}'; check its name, tag and digest."),
    ("unauthorized", RegistryRefused, "The registry wants a login for '{}'; log in with `skopeo login`."),
    (
        "authentication required",
        RegistryRefused,
        "The registry wants a login for '{}'; log in with `skopeo login`.",
    ),
    ("denied", RegistryRefused, "The registry refuses '{}' to this user; ask its owner for access."),
    ("forbidden", RegistryRefused, "The registry refuses '{}' to this user; ask its owner for access."),
)


def normalized(address: str) -> str:
    """Return a reference with registry and namespace, as Docker completes it: `docker.io/library/ubuntu:22.04`.

    Raises:
        ReferenceInvalid: it is no image reference.
    """
    found = REFERENCE.fullmatch(address)
    host, _, rest = address.partition("/")
    has_host = bool(rest) and ("." in host or ":" in host or host == "localhost")
    if not found or (not has_host and found["name"] != found["name"].lower()):
        raise ReferenceInvalid(
            f"'{address}' is no image reference; write it as registry/name:tag@sha256:… with 64 hexadecimal digits."
        )
    if not rest:
        address = f"docker.io/library/{address}"
    elif not has_host:
        address = f"docker.io/{address}"
    return address if found["tag"] or found["digest"] else f"{address}:latest"


async def resolve_digest(address: str, credentials: Credentials) -> str:
    """Ask the registry which manifest a normalized reference names now, `sha256:…`.

    Raises:
        RegistryUnreachable: no answer.
        RegistryRefused, ImageUnknown: a definite no.
    """
    argv = ["skopeo", "--command-timeout", f"{CONNECT_TIMEOUT:.0f}s", "inspect", "--no-tags", *_tls(address)]
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
        digest: of its manifest or index.
        directory: the layout to write.
        platform: picked from an index.
        credentials: the session's logins.

    Raises:
        RegistryUnreachable, RegistryRefused, ImageUnknown: the registry's answer.
    """
    name = _by_digest(address).partition("@")[0]
    source = f"docker://{_without_tag(name)}@{digest}"
    try:
        with credentials.options(address) as (options, files):
            tls = _tls(address, "--src-tls-verify=false")
            await _copy(source, directory, [*_override(platform), *tls, *options], files)
    except CommandFailed as error:
        raise _answer(address, error) from error


async def push(layout: Path, address: str, credentials: Credentials, *, docker_types: bool = False) -> str:
    """Copy all of an OCI layout to a registry, and return the digest that it has there.

    Args:
        layout: a directory.
        address: a normalized reference.
        credentials: the session's logins.
        docker_types: whether skopeo writes docker's media types, which gives another digest.

    Raises:
        RegistryUnreachable, RegistryRefused: the registry's answer.
    """
    with tempfile.NamedTemporaryFile("r", dir=layout.parent, prefix="digest-") as written:
        kept = "--format=v2s2" if docker_types else "--preserve-digests"
        argv = ["skopeo", f"--tmpdir={layout.parent}", "copy", "--quiet", "--all", kept, "--retry-times=3"]
        try:
            with credentials.options(address) as (options, files):
                tls = _tls(address, "--dest-tls-verify=false")
                names = [f"oci:{layout}:image", f"docker://{address}"]
                await run([*argv, *tls, *options, f"--digestfile={written.name}", *names], pass_fds=files)
        except CommandFailed as error:
            raise _answer(address, error) from error
        return written.read().strip()


async def unpack_archive(archive: Path, directory: Path, tag: str, platform: str) -> None:
    """Copy an OCI or docker archive to an OCI layout.

    Raises:
        ArchiveInvalid: it is neither, or damaged.
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
        f"'{archive.name}' is no OCI or docker archive, or it is damaged; make it with "
        "`skopeo copy docker://IMAGE oci-archive:FILE`."
    ) from failures[0]


async def _copy(source: str, directory: Path, options: Sequence[str], files: Sequence[int] = ()) -> None:
    # What it unpacks on the way lies in the session's place too, and goes with it.
    argv = ["skopeo", f"--tmpdir={directory.parent}", "copy", "--quiet", "--remove-signatures", *options]
    await run([*argv, source, f"oci:{directory}:image"], pass_fds=files)


def _override(platform: str) -> list[str]:
    system, architecture, *variant = platform.split("/")
    chosen = [f"--override-os={system}", f"--override-arch={architecture}"]
    return [*chosen, f"--override-variant={variant[0]}"] if variant else chosen


def _by_digest(address: str) -> str:
    """Drop the tag of a reference that has a digest too, which skopeo does not take."""
    name, _, digest = address.partition("@")
    return f"{_without_tag(name)}@{digest}" if digest else address


def _without_tag(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _tls(address: str, option: str = "--tls-verify=false") -> list[str]:
    """Return plain HTTP's option for a registry on this machine, as Dagger has it."""
    host = address.partition("/")[0].partition(":")[0]
    return [option] if host in ("localhost", "127.0.0.1") else []


def _answer(address: str, error: CommandFailed) -> EngineError:
    said = error.stderr.lower()
    if error.returncode < 0 or not said.strip():
        return error  # the program failed, and not the registry
    for words, kind, sentence in ANSWERS:
        if words in said and "no such host" not in said:
            return kind(sentence.format(address))
    host = address.partition("/")[0]
    return RegistryUnreachable(
        f"The registry {host} cannot be reached for '{address}'; check the network and the proxy settings, "
        "or give --base-archive."
    )
