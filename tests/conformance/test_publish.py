"""Rules of registries: what publish returns and puts there, what from finds, and who may."""

import re
import secrets

import dagger

from tests.conformance.rules import Rule, Subject, rules


def _name(at: Subject) -> str:
    """A name that no other case publishes under."""
    return f"{at.registry}/conformance/image:{secrets.token_hex(4)}"


def _image(at: Subject, text: str = "text") -> dagger.Container:
    return at.client.container().with_new_file("/f", text).with_default_args(["d"]).with_label("l", "v")


async def _published(at: Subject) -> tuple[bool, str]:
    name = _name(at)
    said = await _image(at).publish(name)
    return bool(re.fullmatch(re.escape(name) + "@sha256:[0-9a-f]{64}", said)), said


async def _again(at: Subject) -> bool:
    """Whether the digest is that of the tag; the name may be another one that was published with this content."""
    name, _, digest = (await _published(at))[1].partition("@")
    return (await at.client.container().from_(name).image_ref()).partition("@")[2] == digest


async def _moved(at: Subject) -> str:
    """What a tag gives that is given to another image in the same session."""
    name = _name(at)
    await _image(at, "first").publish(name)
    await at.client.container().from_(name).file("/f").contents()
    await _image(at, "second").publish(name)
    return await at.client.container().from_(name).file("/f").contents()


async def _pulled(at: Subject) -> tuple[str, list[str], str | None]:
    made = at.client.container().from_((await _published(at))[1])
    return await made.file("/f").contents(), await made.default_args(), await made.label("l")


async def _platforms(at: Subject) -> list[str]:
    names = [dagger.Platform(name) for name in ("linux/amd64", "linux/arm64")]
    variants = [at.client.container(platform=name).with_new_file("/f", str(name)) for name in names]
    said = await at.client.container().publish(_name(at), platform_variants=variants)
    return [await at.client.container(platform=name).from_(said).file("/f").contents() for name in names]


test_registries = rules(
    Rule("publish returns the name with the digest", lambda at: _is_named(at), True),
    Rule("from gives what was published", lambda at: _pulled(at), ("text", ["d"], "v")),
    Rule("from says which image a tag is", lambda at: _again(at), True),
    Rule("a tag is looked up once a session", lambda at: _moved(at), "first"),
    Rule("several platforms are published as one", lambda at: _platforms(at), ["linux/amd64", "linux/arm64"]),
)


async def _is_named(at: Subject) -> bool:
    return (await _published(at))[0]
