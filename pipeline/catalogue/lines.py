"""The lines: one entry for each distribution that families are built on.

`ska-images renew-bases` writes the digests anew. The ends of life are those of distro-info-data
(https://debian.pages.debian.net/distro-info-data/ubuntu.csv).
"""

from datetime import date

from pipeline.catalogue.image import Line

#: Ubuntu's images of 24.04 and later bring this account with the number 1000, which belongs to users of the images.
_UBUNTU = ("ubuntu",)

LINES: tuple[Line, ...] = (
    Line(
        name="ubuntu22",
        suffix="",
        base="ubuntu:22.04@sha256:962f6cadeae0ea6284001009daa4cc9a8c37e75d1f5191cf0eb83fe565b63dd7",
        distribution="ubuntu-22.04",
        stand_in="debian-12",
        end_of_life=date(2027, 6, 1),
        users=_UBUNTU,
    ),
    Line(
        name="ubuntu24",
        suffix="-ubuntu24",
        base="ubuntu:24.04@sha256:b648a2094b746b16f8e688364f6fa0504788b209f328c54bf9e677f238a142df",
        distribution="ubuntu-24.04",
        stand_in="debian-13",
        end_of_life=date(2029, 5, 31),
        users=_UBUNTU,
    ),
    Line(
        name="ubuntu26",
        suffix="-ubuntu26",
        base="ubuntu:26.04@sha256:e17b7bc0f0123c030d24551ef8f2d0afd52394b1d57a00a819099c47a39e19e5",
        distribution="ubuntu-26.04",
        stand_in="debian-sid",
        end_of_life=date(2031, 5, 29),
        users=_UBUNTU,
        # A supervisor of services in Go, with vulnerabilities of its own.
        paths=("/usr/bin/pebble",),
    ),
)
