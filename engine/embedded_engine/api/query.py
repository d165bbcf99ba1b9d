"""The root fields, secrets, and the client's host."""

import os
import posixpath
import re
from pathlib import Path
from urllib.parse import urlsplit

from embedded_engine.api.fields import Engine, serves
from embedded_engine.api.paths import mode_of
from embedded_engine.graph.changes import NewFile
from embedded_engine.graph.nodes import Download, HostTree, Scratch, digest
from embedded_engine.graph.patterns import EVERYTHING, Selection
from embedded_engine.graph.values import (
    CacheVolume,
    Container,
    CurrentModule,
    Directory,
    File,
    Host,
    Query,
    Secret,
    Value,
)
from embedded_engine.host.errors import BadInput, NotServed
from embedded_engine.make.bases import PLATFORM, host_tree
from embedded_engine.oci.documents import ImageConfig
from embedded_engine.oci.platforms import normalized

#: The version of Dagger with the served API.
VERSION = "v0.21.8"
PLATFORM_NAME = re.compile(r"linux/[a-z0-9_-]+(/v[0-9]+)?")
CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")
#: The largest secret in bytes, as for a Secret of Kubernetes; Dagger's engine has no limit.
LARGEST_SECRET = 1 << 20


@serves("Query.version")
async def version(engine: Engine, this: Query) -> str:
    return VERSION


@serves("Query.defaultPlatform")
async def default_platform(engine: Engine, this: Query) -> str:
    return PLATFORM


@serves("Query.node")
async def node(engine: Engine, this: Query, id: str) -> Value:  # noqa: A002  the API's name
    found: Value = engine.value(id)
    return found


@serves("Query.container")
async def container(engine: Engine, this: Query, platform: str | None = None) -> Container:
    if platform is not None and not PLATFORM_NAME.fullmatch(platform):
        raise BadInput(f"'{platform}' is not a platform; write it as linux/amd64 or linux/arm/v7.")
    system, *rest = (platform or PLATFORM).split("/")
    architecture, variant = normalized(*rest)
    return Container(Scratch(), ImageConfig(architecture=architecture, os=system, variant=variant))


@serves("Query.directory")
async def directory(engine: Engine, this: Query) -> Directory:
    return Directory()


@serves("Query.file")
async def file(engine: Engine, this: Query, name: str, contents: str, permissions: int = 0o644) -> File:
    mode = mode_of(permissions, 0o644)
    return File(NewFile(Scratch(), None, f"/{_file_name(name)}", contents, mode), f"/{name}")


@serves("Query.cacheVolume")
async def cache_volume(
    engine: Engine, this: Query, key: str, source: str | None = None, sharing: str = "SHARED", owner: str = ""
) -> CacheVolume:
    return CacheVolume(digest(["cache", key]), engine.value(source) if source else None, sharing, owner)


@serves("Query.http")
async def http(
    engine: Engine,
    this: Query,
    url: str,
    name: str | None = None,
    permissions: int | None = None,
    checksum: str | None = None,
) -> File:
    if not url.startswith(("https://", "http://")):
        raise BadInput(f"'{url}' is not a web address; write it as https://HOST/PATH.")
    if not checksum or not CHECKSUM.fullmatch(checksum):
        raise BadInput(f"The file '{url}' has no checksum to be known by; give checksum as sha256:… of its content.")
    called = name or posixpath.basename(urlsplit(url).path) or "index"
    mode = 0o600 if permissions is None else permissions
    return File(Download(url, checksum, _file_name(called), mode), f"/{called}")


def _file_name(name: str) -> str:
    if "/" in name or name in ("", ".", ".."):
        raise BadInput(f"'{name}' is not a file name; give a name without '/'.")
    return name


@serves("Query.host")
async def host(engine: Engine, this: Query) -> Host:
    return Host()


@serves("Query.currentModule")
async def current_module(engine: Engine, this: Query) -> CurrentModule:
    return CurrentModule()


@serves("Host.file")
async def host_file(engine: Engine, this: Host, path: str, no_cache: bool = False) -> File:
    at = engine.client / path
    if not at.is_file():
        raise BadInput(f"There is no file '{path}' on this machine; give the path of one that exists.")
    return File(await _host_tree(engine, at, EVERYTHING, no_cache), f"/{at.name}")


@serves("CurrentModule.workdirFile")
async def workdir_file(engine: Engine, this: CurrentModule, path: str) -> File:
    file: File = await host_file(engine, Host(), path)
    return file


@serves("Host.directory")
async def host_directory(
    engine: Engine,
    this: Host,
    path: str,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    no_cache: bool = False,
    gitignore: bool = False,
) -> Directory:
    at = engine.client / path
    if not at.is_dir():
        raise BadInput(f"There is no directory '{path}' on this machine; give the path of one that exists.")
    selection = Selection.of(include, exclude, gitignore)
    return Directory(await _host_tree(engine, at, selection, no_cache))


async def _host_tree(engine: Engine, at: Path, selection: Selection, no_cache: bool) -> HostTree:
    if no_cache:
        return await host_tree(engine.evaluator, at, selection)
    return await engine.once(("host", str(at), digest(selection)), lambda: host_tree(engine.evaluator, at, selection))


@serves("Query.setSecret")
async def set_secret(engine: Engine, this: Query, name: str, plaintext: str) -> Secret:
    return _kept(engine, Secret(f"set:{name}"), plaintext.encode())


@serves("Query.secret")
async def secret(engine: Engine, this: Query, uri: str, cache_key: str | None = None) -> Secret:
    scheme, colon, name = uri.partition(":")
    if not colon:
        raise BadInput(
            f'The secret "{_shortened(uri)}" names no place to read it from; write env://NAME or file://PATH.'
        )
    name = name.removeprefix("//")
    if scheme == "env":
        if name not in os.environ:
            raise BadInput(f'Secret env var not found: "{_shortened(name)}"; export the variable that the URI names.')
        plaintext = os.environb[name.encode()]
    elif scheme == "file":
        plaintext = _read(engine.client / Path(name).expanduser(), uri)
    else:
        raise NotServed(f"secrets of the kind '{scheme}:'")
    return _kept(engine, Secret(cache_key or digest(["secret", plaintext.hex()]), uri), plaintext)


def _shortened(name: str) -> str:
    """Return the start of a name: users mistakenly pass the secret itself (engine/client/secretprovider/env.go)."""
    return f"{name[:3]}..." if len(name) >= 4 else name


def _read(path: Path, uri: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_SECRET + 1)
    except OSError as error:
        raise BadInput(f"The secret {uri} cannot be read: {error.strerror}; see that the file is there.") from None


def _kept(engine: Engine, value: Secret, plaintext: bytes) -> Secret:
    if len(plaintext) > LARGEST_SECRET:
        raise BadInput(f"The secret has more than {LARGEST_SECRET} bytes; mount a file instead.")
    engine.evaluator.secrets[value.name] = plaintext
    return value


@serves("Secret.name")
async def secret_name(engine: Engine, this: Secret) -> str:
    return this.name.removeprefix("set:")


@serves("Secret.uri")
async def secret_uri(engine: Engine, this: Secret) -> str:
    return this.uri


@serves("Secret.plaintext")
async def secret_plaintext(engine: Engine, this: Secret) -> str:
    return engine.evaluator.secrets[this.name].decode(errors="replace")
