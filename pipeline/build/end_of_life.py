"""The end of a distribution's standard support, after which its images get no security updates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipeline.catalogue.lines import Line

#: Days before the end from which people are warned: time for two quarterly releases of what is built on an image.
NOTICE = 180


@dataclass(frozen=True)
class EndOfLife:
    """When the support of something ends.

    Args:
        subject: what it is, for sentences, as in `The line ubuntu22`.
        day: the last day of its support.
    """

    subject: str
    day: date

    def is_past(self, today: date) -> bool:
        """Return whether the support has ended."""
        return today > self.day

    def warning(self, today: date) -> str:
        """Return a sentence from NOTICE days before the end; before that an empty text."""
        left = (self.day - today).days
        if left > NOTICE:
            return ""
        if left < 0:
            return f"{self.subject} got its last security updates on {self.day}; move to a newer line."
        when = "today" if left == 0 else f"{left} day{'' if left == 1 else 's'} from today"
        return f"{self.subject} gets security updates until {self.day}, {when}; move to a newer line."


def of_line(line: Line) -> EndOfLife:
    """Return the end of life of a line."""
    return EndOfLife(f"The line {line.name}", line.end_of_life)


def warnings(lines: Iterable[Line], today: date) -> list[str]:
    """Return the warnings about lines, a sentence each."""
    return [sentence for line in lines if (sentence := of_line(line).warning(today))]
