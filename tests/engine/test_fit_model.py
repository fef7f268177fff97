"""A user's own compiled model, trained as `model.fit` would."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError, DataError
from composable.engine.fit_model import Fitting, fit_model

random = np.random.default_rng(0)
X = random.normal(size=(64, 3)).astype("float32")
Y = (X[:, :1] * 2 + 1).astype("float32")


def model(*, optimizer=None, loss="mse", metrics=("mae",), units=1, activation=None):
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    made.compile(optimizer=optimizer or keras.optimizers.Adam(0.02), loss=loss, metrics=list(metrics))
    return made


def fitted(given, rows=(X, Y), *, validation=(X[:10], Y[:10]), **fitting):
    return fit_model(given, rows, Fitting(**{"epochs": 5, "batch_size": 16} | fitting), validation=validation)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        lambda: keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.05, 20)),
    ],
    ids=["sgd", "its own schedule"],
)
def test_whole_batches_give_what_keras_gives(optimizer):
    """All rows in one batch: their order makes no difference."""
    ours, theirs = model(optimizer=optimizer()), model(optimizer=optimizer())
    history = fitted(ours, batch_size=64, epochs=8).history
    expected = theirs.fit(X, Y, batch_size=64, epochs=8, validation_data=(X[:10], Y[:10]), verbose=0).history
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert history["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-4)
    assert history["val_mae"] == pytest.approx(expected["val_mae"], rel=1e-4)
    for mine, keras_own in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=1e-5)


def test_the_optimizer_goes_on_where_it_was():
    ours, theirs = model(), model()
    for _ in range(2):
        fitted(ours, batch_size=64, epochs=3)
    theirs.fit(X, Y, batch_size=64, epochs=6, verbose=0)
    for mine, keras_own in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=1e-5)
    assert int(ours.optimizer.iterations) == 6


def test_several_outputs_with_losses_and_weights_of_their_own():
    def two():
        keras.utils.set_random_seed(0)
        inputs = keras.Input((3,), name="x")
        outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")}
        made = keras.Model(inputs, outputs)
        made.compile("sgd", loss={"a": "mse", "b": "mae"}, loss_weights={"a": 1.0, "b": 0.5})
        return made

    ours, theirs = two(), two()
    history = fitted(ours, (X, {"a": Y, "b": -Y}), validation=None, batch_size=64).history
    expected = theirs.fit(X, {"a": Y, "b": -Y}, batch_size=64, epochs=5, verbose=0).history
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert "val_loss" not in history


def test_class_and_sample_weights_are_keras_own():
    labels = (X[:, 0] > 0).astype("int32")
    weights = random.uniform(0.5, 2, 64).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ours, theirs = (model(loss=loss, units=2, metrics=("accuracy",)) for _ in range(2))
    history = fitted(
        ours, (X, labels, weights), validation=(X, labels), class_weight={0: 3.0}, batch_size=64
    ).history
    both = weights * np.where(labels == 0, 3.0, 1.0)
    expected = theirs.fit(X, labels, sample_weight=both, batch_size=64, epochs=5, verbose=0).history
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert history["val_accuracy"][-1] == pytest.approx(theirs.evaluate(X, labels, verbose=0)[1])


def test_batches_are_streamed():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return X[index * 16 : index * 16 + 16], Y[index * 16 : index * 16 + 16]

    history = fitted(model(), Batches(), epochs=30).history
    assert history["val_loss"][-1] < 0.3 * history["val_loss"][0]


def test_what_can_not_be_trained_is_refused():
    with pytest.raises(ConfigError, match="compiled"):
        fitted(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    with pytest.raises(DataError, match="every row"):
        fitted(model(), (X, Y[:5]))
    with pytest.raises(ConfigError, match="averaged"):
        fitted(model(loss=keras.losses.MeanSquaredError(reduction="sum")))
