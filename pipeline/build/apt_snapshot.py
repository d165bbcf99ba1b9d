"""Moments at which Ubuntu's archive can be frozen: https://snapshot.ubuntu.com"""

from datetime import datetime, timezone

#: How the service writes a moment, in UTC, and the first that it has.
FORMAT = "%Y%m%dT%H%M%SZ"
FIRST = "20230301T000000Z"
#: What stands in the setting when no moment does.
AUTO, OFF = "auto", "off"


def parse(value: str, now: datetime) -> str:
    """Return a moment as the service writes it.

    Args:
        value: 20260131T120000Z, or 20260131 for the start of a day, in UTC.
        now: the present moment, after which the service has nothing.

    Raises:
        ValueError: it is no moment, or the service cannot have it; the text is the sentence for the user.
    """
    layout = {16: FORMAT, 8: "%Y%m%d"}.get(len(value), FORMAT)
    try:
        moment = datetime.strptime(value, layout).replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise ValueError(
            f"The snapshot {value!r} is not a time in UTC; write it as 20260131T120000Z or 20260131, or off."
        ) from error
    found = f"{moment.year:04}{moment:%m%dT%H%M%SZ}"  # %Y does not fill up a year before 1000
    if found < FIRST or moment > now:
        raise ValueError(
            f"There is no snapshot {found} of Ubuntu's archive, only those from {FIRST} until now; "
            "choose one of these, or build with --snapshot off."
        )
    return found


def of_day(moment: datetime) -> str:
    """Return the start of a moment's day; empty where the service did not exist yet."""
    found = moment.strftime("%Y%m%dT000000Z")
    return found if found >= FIRST else ""
