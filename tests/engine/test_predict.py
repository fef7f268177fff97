"""Predictions in batches of few sizes."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from composable.engine.predict import SIZES, predict
from tests.engine.cohorts import X, build


@pytest.mark.parametrize("rows", [0, 1, 2, 31, 33, 1025, 8193])
def test_predictions_do_not_depend_on_the_batches(rows):
    model = build()
    numbers = np.random.default_rng(rows).normal(size=(rows, 3)).astype("float32")
    (answer,) = predict(model, {"numbers": numbers})
    assert answer.shape == (rows, 1)
    expected = keras.ops.convert_to_numpy(keras.tree.flatten(model({"numbers": numbers}))[0])
    np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_no_rows_give_no_answers_for_every_output():
    inputs = keras.Input((3,), name="numbers")
    model = keras.Model({"numbers": inputs}, [keras.layers.Dense(2)(inputs), keras.layers.Dense(5)(inputs)])
    assert [answer.shape for answer in predict(model, {"numbers": X[:0]})] == [(0, 2), (0, 5)]


def test_images_are_asked_about_in_small_batches(monkeypatch):
    images = keras.Input((2, 2, 1), name="images")
    model = keras.Model({"images": images}, keras.layers.Flatten()(images))
    sizes, ask = [], model.predict_on_batch
    monkeypatch.setattr(
        model, "predict_on_batch", lambda batch: sizes.append(len(batch["images"])) or ask(batch)
    )
    images = np.random.default_rng(0).integers(0, 256, (300, 2, 2, 1)).astype("uint8")
    (outputs,) = predict(model, {"images": images})
    assert sizes == [128, 128, 128]
    np.testing.assert_array_equal(outputs, images.reshape(300, 4))


def test_batches_have_few_sizes(monkeypatch):
    """A backend compiles each size once."""
    model, seen = build(), set()
    monkeypatch.setattr(
        model,
        "predict_on_batch",
        lambda batch: seen.add(len(batch["numbers"])) or [np.zeros((len(batch["numbers"]), 1))],
    )
    for rows in (1, 3, 31, 32, 33, 900, 1024, 5000, 9000, 20_000):
        predict(model, {"numbers": np.zeros((rows, 3), "float32")})
    assert seen <= set(SIZES)
