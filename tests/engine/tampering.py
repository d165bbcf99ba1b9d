"""Layers made wrong on purpose, so that a comparison that sees nothing is seen."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace

from embedded_engine.oci.layer import Layer
from embedded_engine.store.store import Store


def _is_whiteout(entry: tarfile.TarInfo) -> bool:
    return entry.name.rpartition("/")[2].startswith(".wh.") and not _is_opaque(entry)


def _is_opaque(entry: tarfile.TarInfo) -> bool:
    return entry.name.endswith(".wh..wh..opq")


def _with(**attributes: object) -> Callable[[tarfile.TarInfo], tarfile.TarInfo | None]:
    def change(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        if not entry.name.rpartition("/")[2].startswith(".wh."):
            for name, value in attributes.items():
                setattr(entry, name, value)
        return entry

    return change


#: What becomes of each entry; None is left out.
TAMPERING: dict[str, Callable[[tarfile.TarInfo], tarfile.TarInfo | None]] = {
    "whiteout": lambda entry: None if _is_whiteout(entry) else entry,
    "opaque": lambda entry: None if _is_opaque(entry) else entry,
    "link": lambda entry: _as_file(entry) if entry.islnk() else entry,
    "mode": _with(mode=0o701),
    "owner": _with(uid=77),
    "time": _with(mtime=77),
    "xattrs": _with(pax_headers={}),
    "device": _with(devminor=9),
    "entry": lambda entry: None if entry.issym() else entry,
}


def _as_file(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.type, entry.linkname = tarfile.REGTYPE, ""
    return entry


def tampered(store: Store, layer: Layer, how: str) -> Layer:
    """Return a layer that differs from another one in one respect."""
    out = io.BytesIO()
    with (
        tarfile.open(store.blob(layer.digest)) as source,
        tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for entry in source:
            content = source.extractfile(entry) if entry.isreg() else None
            if made := TAMPERING[how](entry):
                target.addfile(made, content)
    blob = gzip.compress(out.getvalue())
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    store.blob(digest).write_bytes(blob)
    diff_id = "sha256:" + hashlib.sha256(out.getvalue()).hexdigest()
    return replace(layer, digest=digest, diff_id=diff_id, size=len(blob))
