"""The output of a step: kept in files of a limited size, and shown at a pace that people can follow."""

import time
from pathlib import Path
from typing import IO

from embedded_engine.host.errors import BadInput
from embedded_engine.host.events import Step

#: The most bytes of a stream that are kept and can be read as text, as in Dagger's File.contents.
LARGEST = 128 << 20
#: The bytes that are kept at the end of a longer stream: engine/engineutil/ref.go at v0.21.8.
KEPT_END = 100 * 1024
#: A longer line is shown in pieces.
LONGEST_LINE = 1 << 14
#: The bytes that are shown at once, and per second; BuildKit shows 2 MiB of a step and 200 KiB per second.
BURST, RATE = 1 << 20, 200 * 1024
#: The bytes that each line adds to its own, because events of short lines would keep the engine busy.
LINE_COST = 32
#: The bytes at the end of omitted output that are shown later.
_HELD = 1 << 13


class Kept:
    """A stream in a file: all of it, or only its end if it is too long to read.

    The end then follows a hole, so the file has the stream's size but takes little space on the disk.

    Args:
        file: a file that is open for writing.
        whole: keep all of the stream, whatever its length.
    """

    def __init__(self, file: IO[bytes], *, whole: bool = False) -> None:
        self._file, self._whole = file, whole
        self._size = 0
        self._end = bytearray()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._size += len(data)
        self._end += data
        if len(self._end) > 4 * KEPT_END:
            del self._end[:-KEPT_END]
        if self._whole or self._size <= LARGEST:
            self._file.write(data)
        elif self._file.tell():
            self._file.seek(0)
            self._file.truncate()

    def close(self) -> None:
        """Write the rest."""
        if not self._whole and self._size > LARGEST:
            end = self._end[-KEPT_END:]
            self._file.seek(self._size - len(end))
            self._file.write(end)
        self._file.close()


def shorten(output: Path) -> None:
    """Shorten a file to the part that `Kept` would have kept of the stream."""
    size = output.stat().st_size
    if size > LARGEST:
        with output.open("r+b") as file:
            file.seek(size - KEPT_END)
            end = file.read()
            file.truncate(0)
            file.seek(size - len(end))
            file.write(end)


def text_of(output: Path) -> str:
    """Return all of a step's output.

    Raises:
        BadInput: the output was too long to be kept.
    """
    if (size := output.stat().st_size) > LARGEST:
        raise BadInput(
            f"The step's {output.name} has {size} bytes, of which only the end is kept; "
            "have the step write it to a file (redirectStdout, redirectStderr) and export that."
        )
    return output.read_text(errors="replace")


def end_of(output: Path) -> str:
    """Return the end of a step's output, as much as Dagger keeps in an error."""
    with output.open("rb") as stream:
        left_out = output.stat().st_size - KEPT_END
        if left_out <= 0:
            return stream.read().decode(errors="replace")
        note = f"[omitting {left_out} bytes]..."
        stream.seek(left_out + len(note))
        return note + stream.read().decode(errors="replace")


class Display:
    """Shows a stream's lines; if there are too many, only the last ones and the number of those omitted.

    Args:
        step: the step in progress.
        name: the stream's name.
    """

    def __init__(self, step: Step, name: str) -> None:
        self._step, self._name = step, name
        self._rest = b""
        self._allowed, self._at = float(BURST), time.monotonic()
        self._held, self._left_out = b"", 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        text = self._rest + data
        cut = len(text) if len(text) > LONGEST_LINE and b"\n" not in text else text.rfind(b"\n") + 1
        whole, self._rest = text[:cut], text[cut:]
        now = time.monotonic()
        self._allowed, self._at = min(BURST, self._allowed + (now - self._at) * RATE), now
        lines = whole.count(b"\n")
        cost = len(whole) + lines * LINE_COST
        if cost <= self._allowed:
            self._allowed -= cost
            self._catch_up()
            self._pass(whole)
        else:
            self._left_out += lines
            self._held = (self._held + whole[-_HELD:])[-_HELD:]

    def end(self) -> None:
        """Show the rest."""
        self._catch_up()
        self._pass(self._rest)

    def _catch_up(self) -> None:
        # The first of the held lines is likely incomplete.
        _, _, lines = self._held.partition(b"\n")
        if missing := self._left_out - lines.count(b"\n"):
            self._step.log(self._name, f"[{missing} lines are not shown]")
        self._pass(lines)
        self._held, self._left_out = b"", 0

    def _pass(self, lines: bytes) -> None:
        for line in lines.removesuffix(b"\n").split(b"\n") if lines else ():
            self._step.log(self._name, line.decode(errors="replace").rstrip("\r"))
