import datetime as dt

import numpy as np
import pytest

from composable.design.tables import PARTS, calendar

ORIGIN = dt.datetime(2000, 1, 1)


@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(2000, 2, 29, 23, 0),
        dt.datetime(1900, 3, 1),
        dt.datetime(1999, 12, 31, 6, 0),
        dt.datetime(2024, 2, 29, 12, 0),
        dt.datetime(2100, 2, 28, 1, 0),
        dt.datetime(1970, 1, 1),
    ],
)
def test_the_parts_of_a_date_are_those_of_the_calendar(moment):
    days = (moment - ORIGIN) / dt.timedelta(days=1)
    parts = dict(zip(PARTS, np.asarray(calendar(np.array([[days]], "float32")))[0], strict=True))
    assert (parts["year"], parts["month"], parts["day"]) == (moment.year, moment.month, moment.day)
    assert parts["weekday"] == moment.weekday()
    assert parts["hour"] == moment.hour


def test_every_day_of_four_centuries_counts_up_by_one():
    days = np.arange(-73_000, 73_000, dtype="float32")[:, None]
    found = np.asarray(calendar(days))
    expected = [(d.year, d.month, d.day) for d in (ORIGIN + dt.timedelta(days=int(n)) for n in days[::97, 0])]
    assert [tuple(int(v) for v in row[1:4]) for row in found[::97]] == expected


def test_a_missing_date_has_missing_parts():
    assert np.isnan(np.asarray(calendar(np.array([[np.nan]], "float32")))).all()
