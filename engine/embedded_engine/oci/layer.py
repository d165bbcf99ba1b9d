"""Writes an overlay's upper directory as an OCI layer in one pass.

Whiteouts and opaque directories follow the OCI image spec's layer.md.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from embedded_engine.host.rootpath import short
from embedded_engine.oci.below import Below, roots
from embedded_engine.oci.blob import BlobWriter, Compression
from embedded_engine.oci.entries import Entries
from embedded_engine.oci.tarheader import END, padding

MEDIA_TYPES: dict[Compression, str] = {
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
    "uncompressed": "application/vnd.oci.image.layer.v1.tar",
}
#: The version of the packing; it changes when the same tree gives another layer.
FORMAT = 3


@dataclass(frozen=True)
class Layer:
    """A layer in the form of image configurations and manifests.

    Args:
        diff_id: "sha256:…" of the uncompressed tar.
        digest: "sha256:…" of the blob.
        size: the size of the blob in bytes.
        media_type: the media type of the blob.
        uncompressed_size: the size of the tar in bytes; None if only a registry has the layer.
    """

    diff_id: str
    digest: str
    size: int
    media_type: str
    uncompressed_size: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it is known to have no entry."""
        return self.uncompressed_size == len(END)


def write_layer(
    upper: Path, out: Path, *, below: Sequence[Below] = (), epoch: int | None, compression: Compression = "gzip"
) -> Layer:
    """Pack an overlay's upper directory; the same trees give the same bytes.

    Owners are numeric, times are whole seconds, the first of several hard links is the file, whiteouts have no time,
    and a socket that replaced a file becomes a whiteout.

    A file that is the same in the layers below has no entry, because steps touch many files without changing them. An
    unchanged directory has an entry only if something below it has one, as in layers of Docker and containerd. A
    program that unpacks each layer by itself would otherwise create it, owned by root and with mode 0755 (moby
    pkg/archive, createImpliedDirectories).

    Args:
        upper: the directory, no longer mounted for writing, without redirect_dir and metacopy.
        out: the blob to write; the caller renames it to its digest.
        below: the layers below it, the lowest first.
        epoch: the latest modification time, in seconds since 1970; None for no limit.
        compression: the compression of the blob.

    Raises:
        BadInput: a file has a name that layers reserve for whiteouts, or its path is too long to open.
        EngineError: layers cannot express how the overlay was mounted.
        OSError: reading or writing failed, for example because no space is left.
    """
    with ExitStack() as stack, out.open("wb") as file, BlobWriter(file, compression) as blob:
        lower = [replace(one, directory=stack.enter_context(short(one.directory))) for one in reversed(below)]
        root = stack.enter_context(short(upper))
        for path, entry in Entries(root, roots(lower), epoch):
            blob.write(entry.header())
            if entry.size:
                blob.copy(path, entry.size)
                blob.write(bytes(padding(entry.size)))
        blob.write(END)
        written = blob.finish()
    return Layer(written.diff_id, written.digest, written.size, MEDIA_TYPES[compression], written.uncompressed_size)
