"""Rules of what a container starts from, and of platforms."""

from typing import Any

import dagger

from tests.conformance.archives import exported, image, pushed
from tests.conformance.rules import Refused, Rule, Subject, rules


async def _imported(at: Subject) -> dagger.Container:
    archive = await exported(at, image(at))
    return at.client.container().import_(at.client.host().file(str(archive.path)))


def _configured(at: Subject) -> dagger.Container:
    made = at.client.container().with_env_variable("A", "old").with_env_variable("B", "2").with_label("l", "old")
    return made.with_label("m", "kept").with_user("first").with_exposed_port(5000)


async def _imported_over(at: Subject) -> dict[str, Any]:
    return await _seen(_configured(at).import_(image(at).as_tarball()))


async def _pulled_over(at: Subject) -> dict[str, Any]:
    name = await pushed(at, image(at), "conformance/configured:1")
    return await _seen(_configured(at).from_(name))


async def _seen(made: dagger.Container) -> dict[str, Any]:
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
    Rule("an image of docker's media types can be pulled", lambda at: _of_docker(at), "text"),
    Rule(
        "what is not an archive is refused",
        lambda at: at.client.container().import_(at.client.file("x", "x")).sync(),
        Refused(),
    ),
    Rule(
        "an image's variables, labels and ports are merged with those that are there; the rest replaces it",
        lambda at: _pulled_over(at),
        {"A": "1", "B": "2", "l": "v", "m": "kept", "user": "u", "ports": [80, 5000]},
    ),
    Rule(
        "an imported archive's configuration replaces all that is there",
        lambda at: _imported_over(at),
        {"A": "1", "B": None, "l": "v", "m": None, "user": "u", "ports": [80]},
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
    name = await pushed(at, image(at), "conformance/docker:1", "--format=v2s2")
    return await at.client.container().from_(name).file("/f").contents()


def _variants(at: Subject) -> list[dagger.Container]:
    names = ("linux/amd64", "linux/arm64")
    made = [at.client.container(platform=dagger.Platform(name)).with_new_file("/f", name) for name in names]
    return [one.with_annotation("a", "note") for one in made]


def _platforms(manifests: list[dict[str, Any]]) -> list[str]:
    return sorted("/".join(one["platform"][part] for part in ("os", "architecture")) for one in manifests)


async def _twice(at: Subject) -> list[str]:
    archive = await exported(at, at.client.container(), platform_variants=_variants(at) * 2)
    return _platforms(archive.top["manifests"])


async def _named(at: Subject, name: str) -> str:
    return await at.client.container(platform=dagger.Platform(name)).platform()


async def _index(at: Subject) -> dict[str, Any]:
    archive = await exported(at, at.client.container(), platform_variants=_variants(at))
    manifests = archive.top["manifests"]
    return {
        "platforms": _platforms(manifests),
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
    Rule("of two for one platform one is taken", lambda at: _twice(at), ["linux/amd64", "linux/arm64"]),
    Rule("a platform has one name", lambda at: _named(at, "linux/x86_64"), "linux/amd64"),
    Rule("the same for each machine", lambda at: _named(at, "linux/aarch64"), "linux/arm64"),
    Rule("without the variant that all have", lambda at: _named(at, "linux/arm64/v8"), "linux/arm64"),
    Rule("with the one that is meant", lambda at: _named(at, "linux/arm"), "linux/arm/v7"),
    Rule("an archive of several gives that which is asked for", lambda at: _picked(at), "linux/arm64"),
)


async def _picked(at: Subject) -> str:
    tarball = at.client.container().as_tarball(platform_variants=_variants(at))
    return await at.client.container(platform=dagger.Platform("linux/arm64")).import_(tarball).file("/f").contents()
