"""Rules of what a container starts from, and of platforms."""

from typing import Any

import dagger
from dagger import ImageMediaTypes

from tests.conformance.archives import exported, image
from tests.conformance.rules import Refused, Rule, Subject, rules


async def _imported(at: Subject) -> dagger.Container:
    archive = await exported(at, image(at))
    return at.client.container().import_(at.client.host().file(str(archive.path)))


async def _from_merged(at: Subject) -> dict[str, Any]:
    first = at.client.container().with_env_variable("A", "old").with_env_variable("B", "2").with_label("l", "old")
    made = first.with_label("m", "kept").with_user("first").with_exposed_port(5000).import_(image(at).as_tarball())
    ports = [await port.port() for port in await made.exposed_ports()]
    return {
        "A": await made.env_variable("A"),
        "B": await made.env_variable("B"),
        "l": await made.label("l"),
        "m": await made.label("m"),
        "user": await made.user(),
        "ports": sorted(ports),
    }


test_starting = rules(
    Rule("an imported archive has its files", lambda at: _of_import(at, "f"), "text"),
    Rule("and its configuration", lambda at: _of_import(at, "A"), "1"),
    Rule("docker's media types can be imported", lambda at: _of_docker(at), "text"),
    Rule(
        "what is no archive is refused",
        lambda at: at.client.container().import_(at.client.file("x", "x")).sync(),
        Refused(),
    ),
    Rule(
        "an image's variables, labels and ports are merged with those that are there; the rest replaces it",
        lambda at: _from_merged(at),
        {"A": "1", "B": "2", "l": "v", "m": "kept", "user": "u", "ports": [80, 5000]},
    ),
    Rule("a reference has to be one", lambda at: at.client.container().from_("Not A Reference").sync(), Refused()),
    Rule(
        "after a change there is no reference",
        lambda at: at.base.with_label("a", "b").image_ref(),
        Refused("immediately after"),
    ),
)


async def _of_import(at: Subject, name: str) -> str | None:
    made = await _imported(at)
    return await (made.file(f"/{name}").contents() if name == "f" else made.env_variable(name))


async def _of_docker(at: Subject) -> str:
    tarball = image(at).as_tarball(media_types=ImageMediaTypes.DockerMediaTypes)
    return await at.client.container().import_(tarball).file("/f").contents()


def _variants(at: Subject) -> list[dagger.Container]:
    names = ("linux/amd64", "linux/arm64")
    made = [at.client.container(platform=dagger.Platform(name)).with_new_file("/f", name) for name in names]
    return [one.with_annotation("a", "note") for one in made]


async def _index(at: Subject) -> dict[str, Any]:
    archive = await exported(at, at.client.container(), platform_variants=_variants(at))
    manifests = archive.top["manifests"]
    return {
        "platforms": sorted("/".join(one["platform"][part] for part in ("os", "architecture")) for one in manifests),
        "annotations": [one["annotations"] for one in manifests],
        "docker": "manifest.json" in archive.names(),
    }


test_platforms = rules(
    Rule(
        "several platforms have an index, whose entries have the annotations",
        lambda at: _index(at),
        {
            "platforms": ["linux/amd64", "linux/arm64"],
            "annotations": [{"a": "note"}, {"a": "note"}],
            "docker": False,
        },
    ),
    Rule(
        "two for one platform are refused",
        lambda at: at.client.container().export(str(at.directory / "x.tar"), platform_variants=_variants(at) * 2),
        Refused(),
    ),
    Rule("an archive of several gives that which is asked for", lambda at: _picked(at), "linux/arm64"),
)


async def _picked(at: Subject) -> str:
    tarball = at.client.container().as_tarball(platform_variants=_variants(at))
    return await at.client.container(platform=dagger.Platform("linux/arm64")).import_(tarball).file("/f").contents()
