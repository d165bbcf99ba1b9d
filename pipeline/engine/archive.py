"""Archives of images: an OCI layout in a tar file.

Source: https://github.com/opencontainers/image-spec 1.0, image-layout.md; docker's manifest.json: moby
image/spec/v1.2.md.
"""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.engine.oci import INDEX, MANIFEST, Documents, canonical_json, digest_of


def write_archive(out: Path, documents: Documents, blobs: Mapping[str, Path], *, ref_name: str = "latest") -> None:
    """Write an OCI layout as a tar file, with docker's manifest.json for a `docker load` that is older than 25.

    Args:
        out: the file; the caller renames it.
        documents: of the image.
        blobs: its layers by digest.
        ref_name: the tag in the layout.
    """
    digests = [layer["digest"] for layer in json.loads(documents.manifest)["layers"]]
    manifest = {"mediaType": MANIFEST, "digest": documents.digest, "size": len(documents.manifest)}
    manifest["annotations"] = {"org.opencontainers.image.ref.name": ref_name}
    docker = {
        "Config": f"blobs/sha256/{digest_of(documents.config)[7:]}",
        "RepoTags": None,
        "Layers": [f"blobs/sha256/{digest[7:]}" for digest in digests],
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]}
    small = {
        "oci-layout": canonical_json({"imageLayoutVersion": "1.0.0"}).encode(),
        "index.json": canonical_json(index).encode(),
        "manifest.json": canonical_json([docker]).encode(),
        f"blobs/sha256/{documents.digest[7:]}": documents.manifest,
        docker["Config"]: documents.config,
    }
    with (
        out.open("wb") as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, data in small.items():
            archive.addfile(_entry(str(name), len(data)), io.BytesIO(data))
        for digest in dict.fromkeys(digests):
            with blobs[digest].open("rb") as blob:
                archive.addfile(_entry(f"blobs/sha256/{digest[7:]}", blobs[digest].stat().st_size), blob)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry
