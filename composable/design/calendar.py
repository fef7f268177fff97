"""Calendar features from a day number, inside the model: year, month, day, weekday, hour and so on."""

from __future__ import annotations

from typing import Any

from keras import ops

PARTS = ("days", "year", "month", "day", "weekday", "day_of_year", "hour")
_DAYS_TO_ORIGIN = 730425  # from 0000-03-01 to 2000-01-01, in the proleptic Gregorian calendar


def calendar(days: Any) -> Any:
    """The parts of dates (Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).

    All numbers stay below 2**24, where float32 counts exactly. Half a unit is added before each division,
    since a compiler may divide by multiplying with a rounded reciprocal.

    Args:
        days: Days since 2000-01-01, the time of day as the fraction, shape (rows, dates). NaN stays NaN.

    Returns:
        Shape (rows, dates * 7), date by date in the order of `PARTS`.
    """
    day_number = ops.floor(days + 1e-5)
    hour = ops.floor((days - day_number) * 24.0 + 0.01)
    clipped: Any = ops.clip(day_number, -700_000.0, 2_900_000.0)  # the years 83 to 9939
    day = clipped + _DAYS_TO_ORIGIN
    era = _quotient(day, 146_097)
    of_era = day - era * 146_097
    year_of_era = _quotient(
        of_era - _quotient(of_era, 1460) + _quotient(of_era, 36_524) - _quotient(of_era, 146_096), 365
    )
    of_year = of_era - (365 * year_of_era + _quotient(year_of_era, 4) - _quotient(year_of_era, 100))
    shifted = _quotient(5 * of_year + 2, 153)  # months since March
    day_of_month = of_year - _quotient(153 * shifted + 2, 5) + 1
    month = shifted + 3 - 12 * _one_where(shifted > 9.5)
    year = year_of_era + era * 400 + _one_where(month < 2.5)
    weekday = day + 2 - 7 * _quotient(day + 2, 7)  # 0 = Monday
    since_january = of_year + 60 - 366 * _one_where(of_year > 305.5)
    parts = [days, year, month, day_of_month, weekday, since_january, hour]
    stacked = ops.stack(parts, axis=-1)
    return ops.reshape(stacked, (-1, int(days.shape[-1]) * len(PARTS)))


def _quotient(number: Any, divisor: int) -> Any:
    return ops.floor((number + 0.5) / float(divisor))


def _one_where(condition: Any) -> Any:
    return ops.cast(condition, "float32")
