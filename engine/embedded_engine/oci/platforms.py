"""Normalizes the names of platforms."""

#: Go's names of architectures, by other common names.
_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
#: Other names of an architecture and a variant; the base variant of an architecture has no name.
_VARIANTS = {
    ("amd64", "v1"): ("amd64", ""),
    ("arm64", "8"): ("arm64", ""),
    ("arm64", "v8"): ("arm64", ""),
    ("arm", ""): ("arm", "v7"),
    ("armhf", ""): ("arm", "v7"),
    ("armel", ""): ("arm", "v6"),
}


def normalized(architecture: str, variant: str = "") -> tuple[str, str]:
    """Return the normalized architecture and variant of a platform.

    Args:
        architecture: `amd64`, or another name of it.
        variant: `v7`, or empty.

    Source: https://github.com/containerd/platforms, Normalize. Dagger's engine applies it to the platforms of arguments
    and of images.
    """
    known = _ARCHITECTURES.get(architecture, architecture)
    return _VARIANTS.get((known, variant), (known, variant))
