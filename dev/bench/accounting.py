"""Processor time by kind: the kernel's accounting of each process that ended, and the step that it belongs to."""

import contextlib
import ctypes
import os
import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.bench.measure import STEP, BenchError, Watch, descendants, program_of

#: Seconds between two looks for new steps: a container takes longer to start.
INTERVAL = 0.02
#: A record is a struct acct_v3 (linux/acct.h).
_RECORD = struct.Struct("<BBHIIIIIIfHHHHHHHH16s")
_VERSION = 3
#: Units of acct_v3's times a second (AHZ).
_TICKS = 100
#: What the programs of an install do. Children count with their parents, so maintainer scripts are those of dpkg.
_INSTALL = {
    **dict.fromkeys(("http", "https", "mirror"), "download"),
    **dict.fromkeys(("apt-get", "store", "gpgv", "sqv", "file", "copy", "rred"), "apt"),
    "dpkg": "dpkg",
    **dict.fromkeys(("dpkg-deb", "dpkg-split"), "dpkg-deb"),
    **dict.fromkeys(("uv", "pip", "pipx", "poetry", "python", "python3"), "Python tools"),
}
_OTHER = "other processes"
#: Between fork and exec, a process has the name of its parent.
_UNSURE = ("", "client")


@dataclass(frozen=True)
class Ended:
    """A process that ended.

    Args:
        process: its number.
        parent: that of its parent when it ended.
        program: the first 15 bytes of its program's name.
        seconds: the processor time of it alone, in hundredths.
    """

    process: int
    parent: int
    program: str
    seconds: float


class Accounting:
    """Accounts for the processes that end in a block, in place of any accounting that this machine does.

    Args:
        file: a new file for the kernel's records.
    """

    def __init__(self, file: Path) -> None:
        #: Why there are no accounts, as in a container without CAP_SYS_PACCT.
        self.refusal = ""
        self._file = file
        self._names: dict[int, str] = {}
        self._watch = Watch(self._look, INTERVAL)

    def __enter__(self) -> "Accounting":
        self._file.touch()
        self.refusal = _acct(os.fsencode(self._file))
        self._watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.stop()
        _acct(None)

    def by_kind(self) -> dict[str, float]:
        """Return the processor seconds of each kind, the largest first."""
        return by_kind(read(self._file), self._names, os.getpid())

    def _look(self) -> None:
        for process in descendants(os.getpid()):
            if self._names.get(process, "") in _UNSURE:
                with contextlib.suppress(OSError):
                    self._names[process] = _name_of(process)


def read(file: Path) -> list[Ended]:
    """Return the processes of an accounting file (acct(5), version 3) in the order in which they ended.

    Raises:
        BenchError: the kernel writes another version.
    """
    records = list(_RECORD.iter_unpack(file.read_bytes()))
    if any(record[1] & 0xF != _VERSION for record in records):
        raise BenchError("The kernel's process accounting is not of version 3 (CONFIG_BSD_PROCESS_ACCT_V3).")
    return [
        Ended(record[6], record[7], record[-1].split(b"\0")[0].decode(errors="replace"), _seconds(*record[10:12]))
        for record in records
    ]


def by_kind(ended: Sequence[Ended], names: Mapping[int, str], root: int) -> dict[str, float]:
    """Return the processor seconds of each kind, the largest first.

    Args:
        ended: the processes in the order in which they ended.
        names: what was seen of them while they ran: `client`, `engine`, or the step that a process began.
        root: the process whose descendants count.
    """
    kinds = {root: _OTHER}
    found: dict[str, float] = defaultdict(float)
    # A parent mostly ends after its children. Numbers are used again, so the nearest later process is the parent.
    # The kernel ends an account with a record of the process that ends it.
    for one in (one for one in reversed(ended) if one.process != root):
        kinds[one.process] = kind = _kind(one, names.get(one.process, ""), kinds.get(one.parent, ""))
        found[kind] += one.seconds
    largest_first = sorted(found.items(), key=lambda item: -item[1])
    return {kind: seconds for kind, seconds in largest_first if kind and seconds}


def _kind(one: Ended, name: str, parents: str) -> str:
    if parents and one.program.startswith("runc"):
        return "runc"
    if ": check " in name:
        return f"check {name.partition(': check ')[2].partition(' as ')[0].partition(':')[0]}"
    if ": " in name:
        return name.partition(": ")[2]
    if name:
        return name
    if parents.startswith("install"):
        doing = _INSTALL.get(one.program)
        if parents == "install: dpkg" and doing != "dpkg-deb":
            return "install: maintainer scripts"
        return f"install: {doing}" if doing and parents != "install: maintainer scripts" else parents
    return parents if parents != "runc" else _OTHER


def _name_of(process: int) -> str:
    words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if words[:2] == ["sh", "-euc"] and len(words) > 3:
        return words[3]
    program = program_of(process)
    return program if program not in (STEP, "runc") else ""


def _seconds(*times: int) -> float:
    # A comp_t has a mantissa of 13 bits and an exponent of base 8 (acct(5)).
    return sum((time & 0x1FFF) << (3 * (time >> 13)) for time in times) / _TICKS


def _acct(file: bytes | None) -> str:
    """Let the kernel account to a file or to none (acct(2)); return why it does not."""
    library = ctypes.CDLL(None, use_errno=True)
    return os.strerror(ctypes.get_errno()) if library.acct(file) else ""
