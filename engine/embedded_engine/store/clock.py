"""The order of last uses, which a clock that was set back does not change."""

import os
from pathlib import Path


def next_moment(clock: Path, now: int) -> int:
    """Return a time for last uses, in nanoseconds: later than all before it, also when the clock was set back."""
    moment = max(now, clock.stat().st_mtime_ns + 1) if clock.exists() else now
    clock.touch()
    os.utime(clock, ns=(moment, moment))
    return moment
