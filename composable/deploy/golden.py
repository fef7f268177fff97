"""Rows that try every branch of a bundle: known, respelled, unseen and missing values, far-out numbers.

They are made from the card, so no row of anyone's data has to be kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from composable.core.seeds import derive
from composable.data.schema import DATE_ORIGIN
from composable.deploy.card import BundleCard
from composable.deploy.onnx_front import number_marks

ROWS = 64
UNSEEN = "a value that nobody has seen"


def golden_rows(card: BundleCard, *, rows: int = ROWS) -> pd.DataFrame:
    """Typed rows: numbers as float64, dates as datetime64, categories and texts as text or None.

    The last three rows: everything missing, everything unseen and beyond the ranges, and farther yet.
    """
    columns: dict[str, pd.Series] = {}
    for number in card.encoding.numbers:
        values = _numbers(card, number.column, rows)
        marks = number_marks(card.schema.column(number.column))[:rows]
        values[: len(marks)] = marks
        columns[number.column] = pd.Series(values, dtype="float64")
    for date in card.encoding.dates:
        columns[date] = _dates(date, rows)
    for text in card.encoding.texts:
        columns[text.column] = _texts([*text.words, *text.pairs], text.column, rows, words=5)
    for table in card.encoding.categories:  # after the texts: some columns are read as both
        columns[table.column] = _texts([*table.values, *table.spellings], table.column, rows, words=1)
    return pd.DataFrame(columns)


def golden_images(card: BundleCard, *, rows: int = ROWS) -> dict[str, np.ndarray]:
    """By column: images (rows, height, width, channels) from smooth to noisy, a black one and a white one."""
    found = {}
    for image in card.encoding.images:
        random = _random(image.column)
        coarse = random.uniform(0, 255, (rows, 4, 4, image.channels))
        down, right = (np.arange(side) * 4 // side for side in (image.height, image.width))
        noise = random.normal(0, 1, (rows, *image.shape)) * np.linspace(0, 60, rows)[:, None, None, None]
        levels = coarse[:, down][:, :, right] + noise
        levels[-2:] = np.array([0, 255])[:, None, None, None]
        found[image.column] = np.clip(np.round(levels), 0, 255).astype("uint8")
    return found


def _numbers(card: BundleCard, column: str, rows: int) -> np.ndarray:
    low, high = card.ranges.get(column, (-1.0, 1.0))
    values = _random(column).uniform(low, high, rows)
    values[_gaps(column, rows)] = np.nan
    values[-4:] = np.inf, np.nan, high + 10 * (high - low) + 1, 1e300
    return values


def _dates(column: str, rows: int) -> pd.Series:
    minutes = _random(column).integers(-20 * 525_600, 40 * 525_600, rows)
    dates = pd.Series(pd.Timestamp(DATE_ORIGIN) + pd.to_timedelta(minutes, unit="min"))
    dates[_gaps(column, rows)] = pd.NaT
    dates.iloc[-3] = pd.NaT
    return dates


def _texts(known: list[str], column: str, rows: int, *, words: int) -> pd.Series:
    random = _random(column)
    values = [" ".join(random.choice(known, words)) if known else UNSEEN for _ in range(rows)]
    found = pd.Series(values, dtype=object)
    found[_gaps(column, rows)] = None
    found.iloc[-3:] = [None, UNSEEN, UNSEEN.upper()]
    return found


def _gaps(column: str, rows: int) -> np.ndarray:
    return _random(column + "/gaps").random(rows) < 0.1


def _random(name: str) -> np.random.Generator:
    return np.random.default_rng(derive(0, "golden", name))
