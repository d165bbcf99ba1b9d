"""Rules of what from finds in a registry."""

import re
import secrets

import dagger

from tests.conformance.archives import pushed
from tests.conformance.rules import Rule, Subject, rules


def _name(at: Subject) -> str:
    """A name that no other case pushes to."""
    return f"conformance/image:{secrets.token_hex(4)}"


def _image(at: Subject, text: str = "text") -> dagger.Container:
    return at.client.container().with_new_file("/f", text).with_default_args(["d"]).with_label("l", "v")


async def _again(at: Subject) -> bool:
    """Whether the digest is that of the tag; the name may be another one that was pushed with this content."""
    name, _, digest = (await pushed(at, _image(at), _name(at))).partition("@")
    return (await at.client.container().from_(name).image_ref()).partition("@")[2] == digest


async def _moved(at: Subject) -> str:
    """What a tag gives that is given to another image in the same session."""
    name = _name(at)
    await pushed(at, _image(at, "first"), name)
    await at.client.container().from_(f"{at.registry}/{name}").file("/f").contents()
    await pushed(at, _image(at, "second"), name)
    return await at.client.container().from_(f"{at.registry}/{name}").file("/f").contents()


async def _pulled(at: Subject) -> tuple[str, list[str], str | None]:
    made = at.client.container().from_(await pushed(at, _image(at), _name(at)))
    return await made.file("/f").contents(), await made.default_args(), await made.label("l")


async def _platforms(at: Subject) -> list[str]:
    names = [dagger.Platform(name) for name in ("linux/amd64", "linux/arm64")]
    variants = [at.client.container(platform=name).with_new_file("/f", str(name)) for name in names]
    pulled = await pushed(at, at.client.container(), _name(at), platform_variants=variants)
    return [await at.client.container(platform=name).from_(pulled).file("/f").contents() for name in names]


async def _published(at: Subject) -> tuple[bool, str]:
    """Whether publish returns a digest, and what is found under it."""
    name = f"{at.registry}/{_name(at)}"
    published = await _image(at).publish(name)
    found = await at.client.container().from_(published).file("/f").contents()
    return bool(re.fullmatch(re.escape(name) + "@sha256:[0-9a-f]{64}", published)), found


test_registries = rules(
    Rule("publish returns the name with the digest that it has", lambda at: _published(at), (True, "text")),
    Rule("from gives what was pushed", lambda at: _pulled(at), ("text", ["d"], "v")),
    Rule("from says which image a tag is", lambda at: _again(at), True),
    Rule("a tag is looked up once a session", lambda at: _moved(at), "first"),
    Rule("from gives the platform that is asked for", lambda at: _platforms(at), ["linux/amd64", "linux/arm64"]),
)
