"""Series altered while a network learns: what is missing stays missing, what is drawn decides."""

import numpy as np
import pytest

from composable.design.part import Part
from composable.engine.augment import augmented, draws
from composable.engine.augmentations import jitter, scale, window

ROWS, STEPS = 6, 20


def series():
    values = np.cumsum(np.random.default_rng(0).normal(size=(ROWS, STEPS, 2)), axis=1).astype("float32")
    values[0, 12:] = np.nan
    values[1] = np.nan
    return values


def altered(part, values, epoch=0):
    (drawn,) = draws([part], np.arange(ROWS)[None], seed=0, epoch=epoch, first=0)
    inputs = {"series": values, "numbers": np.ones((ROWS, 3), "float32")}
    found = augmented([part], inputs, drawn)
    np.testing.assert_array_equal(np.asarray(found["numbers"]), inputs["numbers"])
    return np.asarray(found["series"])


@pytest.mark.parametrize("part", [Part(jitter), Part(scale), Part(window)], ids=lambda part: part.name)
def test_rows_change_from_epoch_to_epoch_and_stay_much_alike(part):
    values = series()
    first, second = altered(part, values), altered(part, values, epoch=1)
    assert np.abs(first[2:] - second[2:]).max() > 1e-3
    assert np.corrcoef(first[2:].ravel(), values[2:].ravel())[0, 1] > 0.9
    assert np.isnan(first[1]).all()


@pytest.mark.parametrize("part", [Part(jitter), Part(scale)], ids=lambda part: part.name)
def test_what_is_missing_stays_missing(part):
    values = series()
    np.testing.assert_array_equal(np.isnan(altered(part, values)), np.isnan(values))


def test_a_window_is_a_part_in_its_order():
    found = altered(
        Part(window, least=0.5), np.tile(np.arange(STEPS, dtype="float32")[:, None], (ROWS, 1, 2))
    )
    assert (np.diff(found, axis=1) >= 0).all()
    assert 0.45 * STEPS <= np.ptp(found, axis=1).min() < STEPS - 1
