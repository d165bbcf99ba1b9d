"""The same content gives the same blob, on every processor of a kind."""

import hashlib
import io
import platform

import pytest
from embedded_engine.oci.blob import BlobWriter, Compression

#: Seen on x86-64 with SSE4.2 (2008), AVX, AVX2 and AVX-512, and on 64-bit ARM (Cortex-A57 and A76). A compressor that
#: writes other bytes gives every image another digest, and no earlier release can then be repeated.
KNOWN: dict[Compression, dict[str, str]] = {
    "gzip": {
        "x86_64": "sha256:d4c5465b64ccd0aef84465cd2ef7562648580f1c2fd9effdaf7223f11be5e71c",
        "aarch64": "sha256:894474423fc6d1e957d1f179dffb18fa036dd0eb49e70058b867e299747aa524",
    },
    "zstd": dict.fromkeys(
        ("x86_64", "aarch64"), "sha256:34e998d0a137e2033057ff79ea15de44b7c0f29e35914c6c7db232be7b7153f1"
    ),
}


def content() -> bytes:
    """Return a few megabytes that a compressor can do something with."""
    block, pieces = b"", []
    for number in range(50_000):
        block = hashlib.sha256(block).digest()
        pieces.append(block[: number % 32] + b"usr/lib/python3/dist-packages/%d\n" % (number // 7))
    return b"".join(pieces)


@pytest.mark.parametrize("compression", KNOWN)
def test_a_blob_has_its_digest_on_every_processor(compression: Compression) -> None:
    out = io.BytesIO()
    with BlobWriter(out, compression) as blob:
        blob.write(content())
        found = blob.finish()
    assert found.digest == f"sha256:{hashlib.sha256(out.getvalue()).hexdigest()}"
    assert found.digest == KNOWN[compression][platform.machine()]
