"""Layers packed for a test, and opened again."""

import io
import tarfile
from pathlib import Path

from embedded_engine.oci.below import Below
from embedded_engine.oci.layer import write_layer

EPOCH = 1_700_000_000


def packed(upper: Path, *lower: Path, epoch: int | None = EPOCH) -> tarfile.TarFile:
    """Return the layer of a directory over others, the lowest first, opened."""
    out = upper.parent / "layer"
    write_layer(upper, out, below=[Below(one, epoch) for one in lower], epoch=epoch)
    return tarfile.open(fileobj=io.BytesIO(out.read_bytes()))


def names(upper: Path, *lower: Path) -> list[str]:
    """Return the names in the layer of a directory, without the root's."""
    return packed(upper, *lower).getnames()[1:]
