"""Rules of what is in an image's archive."""

from typing import Any

from dagger import ImageLayerCompression

from tests.conformance.archives import exported, image
from tests.conformance.rules import Differs, Refused, Rule, Subject, out, rules, sh

OCI = "application/vnd.oci.image."


async def _run(at: Subject) -> dict[str, Any]:
    found: dict[str, Any] = (await exported(at, image(at))).config["config"]
    return {name: value for name, value in found.items() if value}


async def _names(at: Subject) -> list[str]:
    names = (await exported(at, image(at))).names()
    return [name for name in ("oci-layout", "index.json", "manifest.json") if name in names]


async def _layer_types(at: Subject, **arguments: Any) -> list[str]:
    return [layer["mediaType"] for layer in (await exported(at, image(at), **arguments)).top["layers"]]


async def _platform(at: Subject) -> str:
    config = (await exported(at, image(at))).config
    return f"{config['os']}/{config['architecture']}"


async def _annotations(at: Subject) -> Any:
    return (await exported(at, image(at))).top["annotations"]


async def _mode(at: Subject) -> int:
    return (await exported(at, image(at))).path.stat().st_mode & 0o777


async def _layers(at: Subject) -> int:
    before = len((await exported(at, at.base)).top["layers"])
    made = sh(at.base, "true").with_new_file("/f", "x")
    return len((await exported(at, made)).top["layers"]) - before


async def _time(at: Subject) -> str:
    made = at.base.with_env_variable("SOURCE_DATE_EPOCH", "1000000000").with_new_file("/f", "x")
    return await out(at.client.container().import_(made.as_tarball()), "stat -c %Y /f")


test_archives = rules(
    Rule(
        "an archive is an OCI layout that docker loads too",
        lambda at: _names(at),
        ["oci-layout", "index.json", "manifest.json"],
    ),
    Rule(
        "it has the container's configuration",
        lambda at: _run(at),
        {
            "Env": ["A=1"],
            "Labels": {"l": "v"},
            "User": "u",
            "WorkingDir": "/w",
            "ExposedPorts": {"80/tcp": {}},
            "Cmd": ["d"],
            "Entrypoint": ["e"],
        },
    ),
    Rule("it is for the engine's platform", lambda at: _is_default(at), True),
    Rule("annotations are the manifest's", lambda at: _annotations(at), {"a": "note"}),
    Rule("layers are compressed with gzip", lambda at: _layer_types(at), [f"{OCI}layer.v1.tar+gzip"]),
    Rule(
        "or with zstd",
        lambda at: _layer_types(at, forced_compression=ImageLayerCompression.Zstd),
        [f"{OCI}layer.v1.tar+zstd"],
    ),
    Rule(
        "or not at all",
        lambda at: _layer_types(at, forced_compression=ImageLayerCompression.Uncompressed),
        [f"{OCI}layer.v1.tar"],
    ),
    Rule("an archive is its owner's", lambda at: _mode(at), 0o600, embedded=Differs("Mode of an archive", 0o644)),
    Rule("a name may be expanded", lambda at: _expanded(at), True),
    Rule("a directory is no place for an archive", lambda at: image(at).export(str(at.directory)), Refused()),
    Rule("an archive can be a file of a container", lambda at: _mounted(at), "image.tar\n"),
    Rule("each change is a layer", lambda at: _layers(at), 2, embedded=Differs("Layer without changes", 1)),
    Rule(
        "a file has the time at which it was made",
        lambda at: _recent(at),
        True,
        embedded=Differs("Times in layers", False),
    ),
)


async def _is_default(at: Subject) -> bool:
    return await _platform(at) == await at.client.default_platform()


async def _expanded(at: Subject) -> bool:
    await image(at).export(f"{at.directory}/$A.tar", expand=True)
    return (at.directory / "1.tar").is_file()


async def _mounted(at: Subject) -> str:
    return await out(
        at.base.with_mounted_file("/m/image.tar", image(at).as_tarball()), "tar -tf /m/* >/dev/null; ls /m"
    )


async def _recent(at: Subject) -> bool:
    return int(await _time(at)) > 1_000_000_000
