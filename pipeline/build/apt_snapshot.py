"""Snapshots of Ubuntu's archive: https://snapshot.ubuntu.com"""

from datetime import datetime, timezone

#: The service's format of a time, in UTC, and its first snapshot.
FORMAT = "%Y%m%dT%H%M%SZ"
FIRST = "20230301T000000Z"
#: Values of the setting that are not times.
AUTO, OFF = "auto", "off"


def parse(value: str, now: datetime) -> str:
    """Return a snapshot's time in the service's format.

    Args:
        value: 20260131T120000Z, or 20260131 for the start of a day, in UTC.
        now: the present time, after which there is no snapshot.

    Raises:
        ValueError: it is not a time, or has no snapshot; the text is a sentence for the user.
    """
    layout = {16: FORMAT, 8: "%Y%m%d"}.get(len(value), FORMAT)
    try:
        moment = datetime.strptime(value, layout).replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise ValueError(
            f"The snapshot {value!r} is not a time in UTC; write it as 20260131T120000Z or 20260131, or off."
        ) from error
    found = f"{moment.year:04}{moment:%m%dT%H%M%SZ}"  # %Y does not pad a year before 1000
    if found < FIRST or moment > now:
        raise ValueError(
            f"The snapshot {found} of Ubuntu's archive does not exist; choose a time from {FIRST} until now, "
            "or build with --snapshot off."
        )
    return found


def of_day(moment: datetime) -> str:
    """Return the snapshot at the start of a time's day; empty if the service did not exist yet."""
    found = moment.strftime("%Y%m%dT000000Z")
    return found if found >= FIRST else ""
