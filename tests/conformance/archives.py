"""Archives of images, as the rules look at them."""

import json
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagger

from tests.conformance.rules import Subject


@dataclass(frozen=True)
class Archive:
    """An OCI archive, read."""

    path: Path

    def document(self, name: str) -> Any:
        """Return one of its JSON documents."""
        with tarfile.open(self.path) as archive:
            file = archive.extractfile(name)
            assert file
            return json.loads(file.read())

    def names(self) -> set[str]:
        """Return the names of its files."""
        with tarfile.open(self.path) as archive:
            return set(archive.getnames())

    @property
    def top(self) -> dict[str, Any]:
        """What its index.json leads to: the manifest, or the index of several."""
        return self.blob(self.document("index.json")["manifests"][0])

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of its one image."""
        return self.blob(self.top["config"])

    def blob(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        """Return the document that a descriptor names."""
        found: dict[str, Any] = self.document(f"blobs/{descriptor['digest'].replace(':', '/')}")
        return found


def image(at: Subject) -> dagger.Container:
    """An image with something in each part of its configuration."""
    made = at.client.container().with_new_file("/f", "text").with_env_variable("A", "1").with_label("l", "v")
    made = made.with_user("u").with_workdir("/w").with_exposed_port(80).with_annotation("a", "note")
    return made.with_default_args(["d"]).with_entrypoint(["e"], keep_default_args=True)


async def pushed(at: Subject, container: dagger.Container, name: str, *options: str, **arguments: Any) -> str:
    """Copy a container to the registry, and return its name with the digest.

    Args:
        at: the engine and the registry.
        container: what is copied.
        name: in the registry, `repository:tag`.
        options: of `skopeo copy`.
        arguments: of the export.
    """
    archive, reference = await exported(at, container, **arguments), f"{at.registry}/{name}"
    with tempfile.NamedTemporaryFile("r") as digest:
        argv = [
            "skopeo",
            "copy",
            "--quiet",
            "--all",
            "--dest-tls-verify=false",
            f"--digestfile={digest.name}",
            *options,
        ]
        subprocess.run([*argv, f"oci-archive:{archive.path}", f"docker://{reference}"], check=True)
        return f"{reference}@{digest.read()}"


async def exported(at: Subject, container: dagger.Container, **arguments: Any) -> Archive:
    path = at.directory / "image.tar"
    assert await container.export(str(path), **arguments) == str(path)
    return Archive(path)
