"""What a step prints: kept in files of a bounded size, and shown at a pace that somebody can follow."""

import time
from pathlib import Path
from typing import IO

from embedded_engine.host.errors import BadInput
from embedded_engine.host.events import Step

#: So many bytes of a stream can be read as text, and are kept; as Dagger's File.contents.
LARGEST = 128 << 20
#: Of a stream that is longer, so many bytes at its end: engine/engineutil/ref.go at v0.21.8.
KEPT_END = 100 * 1024
#: A line longer than this is passed on in pieces.
LONGEST_LINE = 1 << 14
#: Bytes that are shown at once, and in a second; BuildKit shows 2 MiB of a step and 200 KiB a second.
BURST, RATE = 1 << 20, 200 * 1024
#: Bytes that a line counts for beside its own: events of short lines would otherwise keep the engine busy.
LINE_COST = 32
#: Of what is left out, so many bytes at the end are shown later.
_HELD = 1 << 13


class Kept:
    """A stream in a file: whole, or if it is longer than can be read, its end only.

    The end then stands at its place behind a hole, so that the file's size is the stream's and its room on the disk
    is not.

    Args:
        file: opened for writing.
        whole: keep all of it, whatever its length.
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
        """Write what is left."""
        if not self._whole and self._size > LARGEST:
            end = self._end[-KEPT_END:]
            self._file.seek(self._size - len(end))
            self._file.write(end)
        self._file.close()


def shorten(output: Path) -> None:
    """Keep of a file what `Kept` would have kept of the stream."""
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
        BadInput: it is longer than what is kept.
    """
    if (size := output.stat().st_size) > LARGEST:
        raise BadInput(
            f"The step's {output.name} has {size} bytes, of which only the end is kept; "
            "have the step write it to a file (redirectStdout, redirectStderr) and export that."
        )
    return output.read_text(errors="replace")


def end_of(output: Path) -> str:
    """Return the end of a step's output, as much of it as Dagger keeps in an error."""
    with output.open("rb") as stream:
        left_out = output.stat().st_size - KEPT_END
        if left_out <= 0:
            return stream.read().decode(errors="replace")
        note = f"[omitting {left_out} bytes]..."
        stream.seek(left_out + len(note))
        return note + stream.read().decode(errors="replace")


class Display:
    """A stream's lines, passed on to a step's watchers: of more than they can follow, the end and a count.

    Args:
        step: what is watched.
        name: the stream's.
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
        """Pass on what is left."""
        self._catch_up()
        self._pass(self._rest)

    def _catch_up(self) -> None:
        # The first line of what was held is likely cut.
        _, _, lines = self._held.partition(b"\n")
        if missing := self._left_out - lines.count(b"\n"):
            self._step.log(self._name, f"[{missing} lines are not shown]")
        self._pass(lines)
        self._held, self._left_out = b"", 0

    def _pass(self, lines: bytes) -> None:
        for line in lines.removesuffix(b"\n").split(b"\n") if lines else ():
            self._step.log(self._name, line.decode(errors="replace").rstrip("\r"))
