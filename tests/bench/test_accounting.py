"""The processor time by kind that `make bench` prints."""

import os

import pytest

from dev.bench.accounting import Ended, by_kind


def test_what_others_compute_is_left_out() -> None:
    assert by_kind([Ended(5, 4, "dpkg", 3.0), Ended(7, 1, "sh", 2.0)], {}, root=1) == {"other processes": 2.0}


#: Processes below `sh -euc … "ska-base: install"` (10), in the order in which they end.
INSTALL = (
    Ended(12, 11, "http", 1.0),
    Ended(15, 14, "tar", 0.25),
    Ended(14, 13, "dpkg-deb", 2.0),
    Ended(17, 16, "python3", 4.0),
    Ended(16, 13, "python3.postinst", 0.5),
    Ended(13, 11, "dpkg", 8.0),
    Ended(11, 10, "apt-get", 16.0),
    Ended(18, 10, "uv", 32.0),
    Ended(10, 3, "sh", 0.0),
    Ended(3, 2, "runc", 64.0),
    Ended(2, 1, "python", 128.0),
)
NAMES = {2: "engine", 10: "ska-base: install"}


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        ("engine", 128.0),
        ("runc", 64.0),
        ("install: Python tools", 32.0),
        ("install: apt", 16.0),
        ("install: dpkg", 8.0),
        ("install: maintainer scripts", 4.5),
        ("install: dpkg-deb", 2.25),
        ("install: download", 1.0),
    ],
)
def test_the_programs_of_an_install_are_told_apart(kind: str, seconds: float) -> None:
    assert by_kind(INSTALL, NAMES, root=1)[kind] == seconds


def test_a_number_that_is_used_again_belongs_to_the_process_that_ended_next() -> None:
    ended = [
        Ended(4, 3, "sleep", 1.0),
        Ended(3, 1, "python", 2.0),
        Ended(4, 3, "sleep", 4.0),
        Ended(3, os.getpid(), "sh", 8.0),
    ]
    assert by_kind(ended, {}, root=os.getpid()) == {"other processes": 12.0}
