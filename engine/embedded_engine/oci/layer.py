"""An overlay's upper directory, written as an OCI layer in one pass.

Whiteouts and opaque directories are written as the OCI image spec's layer.md says.
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
#: Counts the changes of what the same tree gives.
FORMAT = 3


@dataclass(frozen=True)
class Layer:
    """A layer as image configs and manifests name it.

    Args:
        diff_id: "sha256:…" of the uncompressed tar.
        digest: "sha256:…" of the blob.
        size: bytes of the blob.
        media_type: of the blob.
        uncompressed_size: bytes of the tar; None where only a registry knows the layer.
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

    Owners are numeric, times whole seconds, of hard links the first is the file, whiteouts have no time, and one stands
    for a socket that has taken the place of something.

    A file that the layers below have in the same way has no entry: a step touches much that it leaves as it was. Nor
    has such a directory, unless something in it has one: then the directories above it are in the layer as well, as in
    those of Docker and containerd. Whoever unpacks each layer by itself would else make them up, as root's and with
    mode 0755 (moby pkg/archive, createImpliedDirectories).

    Args:
        upper: the directory, mounted nowhere for writing any more, without redirect_dir and metacopy.
        out: the blob to write; the caller renames it to its digest.
        below: the layers that it was mounted over, the lowest first.
        epoch: later modification times become this one, in seconds since 1970; None keeps them.
        compression: of the blob.

    Raises:
        BadInput: a file's name is one that layers keep for whiteouts, or its path is too long to open.
        EngineError: the overlay was mounted in a way that layers cannot express.
        OSError: reading or writing failed, as with no space left.
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
