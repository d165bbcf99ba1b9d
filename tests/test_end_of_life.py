"""The end of a line: from when people are warned, and in which words."""

from datetime import date

import pytest

from pipeline.build.end_of_life import EndOfLife, of_line, warnings
from pipeline.catalogue.lines import LINES

END = EndOfLife("The line old", date(2027, 6, 1))


@pytest.mark.parametrize(
    ("today", "sentence"),
    [
        (date(2026, 12, 2), ""),
        (
            date(2026, 12, 3),
            "The line old gets security updates until 2027-06-01, 180 days from today; move to",
        ),
        (date(2027, 5, 31), "The line old gets security updates until 2027-06-01, 1 day from today; move to"),
        (date(2027, 6, 1), "The line old gets security updates until 2027-06-01, today; move to"),
        (date(2027, 6, 2), "The line old got its last security updates on 2027-06-01; move to"),
    ],
)
def test_people_are_warned_from_180_days_before(today: date, sentence: str) -> None:
    assert END.warning(today) == (f"{sentence} a newer line." if sentence else "")


def test_the_last_day_is_not_past() -> None:
    assert [END.is_past(day) for day in (END.day, date(2027, 6, 2))] == [False, True]


def test_only_lines_near_their_end_are_warned_about() -> None:
    assert warnings(LINES, LINES[0].end_of_life) == [of_line(LINES[0]).warning(LINES[0].end_of_life)]
