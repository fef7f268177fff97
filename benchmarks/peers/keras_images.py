"""Plain Keras networks for images, fitted as people fit them, within a time limit.

python keras_images.py {cnn,resnet20} FILE.npz SECONDS [--seed 0] [--stop-at ACCURACY]

Prints one JSON line per epoch: seconds since the start (loading and compiling count) and the accuracy on the
test rows, whose measuring doesn't count.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

STARTED = time.monotonic()

import keras  # noqa: E402 (importing it counts)
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

SILENT: Any = 0


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=("cnn", "resnet20"))
    parser.add_argument("file")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stop-at", type=float, default=1.1)
    wanted = parser.parse_args()
    keras.utils.set_random_seed(wanted.seed)
    with np.load(wanted.file, allow_pickle=False) as file:
        x, y, x_test, y_test = (file[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    x, x_test = (
        (each if each.ndim == 4 else each[..., None]).astype("float32") / 255 for each in (x, x_test)
    )
    y, y_test = y.reshape(-1).astype("int32"), y_test.reshape(-1).astype("int32")
    model = (cnn if wanted.network == "cnn" else resnet20)(x.shape[1:], int(y.max()) + 1)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    aside = 0.0
    while time.monotonic() - STARTED - aside < wanted.seconds:
        model.fit(x, y, batch_size=128, epochs=1, verbose=SILENT)
        spent = time.monotonic() - STARTED - aside
        began = time.monotonic()
        accuracy = float(np.mean(model.predict(x_test, batch_size=1000, verbose=SILENT).argmax(1) == y_test))
        aside += time.monotonic() - began
        print(json.dumps({"seconds": round(spent, 1), "accuracy": accuracy}), flush=True)
        if accuracy >= wanted.stop_at:
            break


def cnn(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Two convolutions and a dense layer, as in introductions."""
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def resnet20(shape: tuple[int, ...], classes: int) -> keras.Model:
    """He et al. 2016, "Deep Residual Learning", section 4.2, as Keras's example has it."""
    given = keras.Input(shape)
    x = _unit(given, 16)
    for stage in range(3):
        for block in range(3):
            strides = 2 if stage and not block else 1
            filters = 16 * 2**stage
            y = _unit(_unit(x, filters, strides), filters, activation=False)
            if strides > 1:
                x = layers.Conv2D(filters, 1, strides=strides, padding="same")(x)
            x = layers.Activation("relu")(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(given, layers.Dense(classes, activation="softmax")(x))


def _unit(x: Any, filters: int, strides: int = 1, *, activation: bool = True) -> Any:
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("relu")(x) if activation else x


if __name__ == "__main__":
    main()
