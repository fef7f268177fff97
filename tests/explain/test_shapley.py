"""Shapley values: known answers, and sums that are exact however many columns there are."""

from __future__ import annotations

import numpy as np
import pytest

from composable.data.encoding import Slot
from composable.explain.contributions import EXACT, background_size, shapley_values

RNG = np.random.default_rng(0)


def table(columns, rows=16):
    inputs = {"numbers": RNG.normal(size=(rows, columns)), "words": RNG.integers(0, 9, (rows, 4))}
    slots = {f"c{n}": [Slot(f"c{n}", "numbers", n)] for n in range(columns)}
    return inputs, slots | {"text": [Slot("text", "words", 0, 3), Slot("text", "words", 3)]}


def curved(inputs):
    """A score in which columns act together, and one of the texts alone."""
    x, words = inputs["numbers"], inputs["words"]
    return np.stack([np.tanh(x).prod(axis=1) + x[:, 0] * words[:, 0], words.sum(axis=1)], axis=1)


def mean(scores, inputs):
    return scores(inputs).mean(axis=0)


@pytest.mark.parametrize("columns", [2, EXACT - 1, 12])
def test_they_sum_to_the_prediction_minus_the_mean_one(columns):
    background, slots = table(columns)
    row = {name: values[0] + 1 for name, values in background.items()}
    found = shapley_values(curved, row, background, slots, seed=1)
    own = curved({name: value[None] for name, value in row.items()})[0]
    assert found.shape == (len(slots), 2)
    np.testing.assert_allclose(found.sum(axis=0), own - mean(curved, background))


@pytest.mark.parametrize("columns", [3, 12])
def test_of_a_sum_each_column_adds_its_own_term(columns):
    weights = np.arange(1.0, columns + 1)
    background, slots = table(columns)
    row = {name: values[0] + 1 for name, values in background.items()}
    found = shapley_values(
        lambda inputs: (inputs["numbers"] @ weights)[:, None], row, background, slots, seed=1
    )
    expected = weights * (row["numbers"] - background["numbers"].mean(axis=0))
    np.testing.assert_allclose(found[:, 0], [*expected, 0.0], atol=1e-9)


def test_columns_that_act_together_share_what_they_add():
    background = {"numbers": np.zeros((1, 2))}
    slots = {name: [Slot(name, "numbers", n)] for n, name in enumerate("ab")}
    both = shapley_values(
        lambda inputs: inputs["numbers"].prod(axis=1, keepdims=True),
        {"numbers": np.array([2.0, 3.0])},
        background,
        slots,
        seed=0,
    )
    np.testing.assert_allclose(both[:, 0], [3.0, 3.0])


def test_sampled_orders_come_near_the_exact_values():
    background, slots = table(EXACT + 1, rows=64)
    del slots["text"]
    row = {name: values[0] for name, values in background.items()}

    def scores(inputs):
        """The last column does nothing, so that it changes nothing to leave it out."""
        return np.tanh(inputs["numbers"][:, :-1].sum(axis=1, keepdims=True))

    sampled = shapley_values(scores, row, background, slots, seed=0)
    del slots[f"c{EXACT}"]
    exact = shapley_values(scores, row, background, slots, seed=0)
    np.testing.assert_allclose(sampled[:-1], exact, atol=0.1)
    np.testing.assert_allclose(sampled[-1], 0.0)


def test_wide_rows_are_compared_with_fewer_background_rows():
    assert background_size(EXACT, 64) == 64
    assert background_size(1000, 64) == 4
    assert background_size(3, 2) == 2
