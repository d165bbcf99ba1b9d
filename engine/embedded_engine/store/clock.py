"""The order of last uses, which stays right when the clock is set back."""

import os
from pathlib import Path


def next_moment(clock: Path, now: int) -> int:
    """Return a time for last uses in nanoseconds, later than all before it, even if the clock was set back."""
    moment = max(now, clock.stat().st_mtime_ns + 1) if clock.exists() else now
    clock.touch()
    os.utime(clock, ns=(moment, moment))
    return moment
