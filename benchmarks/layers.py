"""The layers of training copies on the CPU beside Keras's: milliseconds of each alone, and of training steps.

On JAX the copied's steps run within one compiled `lax.scan`, as the engine runs them. Each layer is compared
with Keras's in the same place (measured once where that takes seconds), whole networks with Keras's own
`fit`. On TensorFlow there is only `fit`, with what it reaches:

python benchmarks/layers.py [--runs 5] [--only steps] [--networks pooled resnet_20]
KERAS_BACKEND=tensorflow python benchmarks/layers.py --only steps
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from conditions import conditions

from composable.core.backend import choose_backend

choose_backend()

import keras  # noqa: E402
from keras import layers  # noqa: E402

from composable.engine.training_copy import training_copy  # noqa: E402
from composable.zoo.fast_cifar import fast_cifar  # noqa: E402
from composable.zoo.mobilenet import mobilenet_v2  # noqa: E402
from composable.zoo.resnet_cifar import resnet_cifar  # noqa: E402

ROWS = 128
STEPS = 2  # in one scan: of a single one, XLA makes no loop
CROSS_ENTROPY = "sparse_categorical_crossentropy"
SLOW = 2.0  # seconds, beyond which a program isn't run again
ALONE: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "3x3, 16 channels": (lambda: layers.Conv2D(16, 3, padding="same"), (32, 32, 16)),
    "3x3, 64 channels": (lambda: layers.Conv2D(64, 3, padding="same"), (8, 8, 64)),
    "3x3, strides 2": (lambda: layers.Conv2D(32, 3, 2, padding="same"), (32, 32, 16)),
    "1x1, 24 to 144": (lambda: layers.Conv2D(144, 1), (16, 16, 24)),
    "3x3, 32 groups": (lambda: layers.Conv2D(128, 3, padding="same", groups=32), (16, 16, 128)),
    "4x4 transposed": (lambda: layers.Conv2DTranspose(16, 4, 2, padding="same"), (16, 16, 32)),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, padding="same"), (16, 16, 144)),
    "depthwise, strides 2": (lambda: layers.DepthwiseConv2D(3, 2, padding="same"), (16, 16, 144)),
    "max pooling 2x2": (lambda: layers.MaxPooling2D(2), (28, 28, 32)),
    "max pooling 3x3 / 2": (lambda: layers.MaxPooling2D(3, 2), (32, 32, 64)),
    "batch norm": (lambda: layers.BatchNormalization(), (32, 32, 16)),
}


def pooled() -> Any:
    """Convolution, pooling, convolution, pooling, dense, on 28x28."""
    image = x = keras.Input((28, 28, 1))
    for filters in (32, 64):
        x = layers.MaxPooling2D(2)(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


NETWORKS: dict[str, Callable[[], Any]] = {
    "pooled": pooled,
    "resnet_20": lambda: resnet_cifar(depth=20).build((32, 32, 3)),
    "mobilenet_v2 blocks": lambda: mobilenet_v2(
        classes=10, filters=(16, 24, 32, 64), blocks=(1, 2, 3, 2), strides=(1, 1, 2, 2)
    ).build((32, 32, 3)),
    "fast_cifar": lambda: fast_cifar().build((32, 32, 3)),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=("layers", "steps"))
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    given = parser.parse_args()
    print(conditions())
    print(f"Keras on {keras.backend.backend()}; {ROWS} rows; milliseconds, median of {given.runs}")
    if given.only != "steps":
        print(f"{'forward and gradients':24s}{'Keras':>10s}{'house':>10s}{'Keras / house':>16s}")
        for name, (make, shape) in ALONE.items():
            image = keras.Input(shape)
            _report(name, keras.Model(image, make()(image)), given.runs)
    if given.only != "layers":
        print(f"{'training step (SGD)':24s}{'Keras fit':>10s}{'house':>10s}{'Keras / house':>16s}")
        for name in given.networks:
            _report_step(name, NETWORKS[name](), given.runs)


def _report(name: str, model: Any, runs: int) -> None:
    theirs, ours = (_scanned(each, "mse", inputs=True) for each in (model, training_copy(model)))
    ours()
    first = _seconds(theirs)
    pairs = [(first if first > SLOW else _seconds(theirs), _seconds(ours)) for _ in range(runs)]
    stock, house = (1e3 / STEPS * float(np.median(each)) for each in zip(*pairs, strict=True))
    print(f"{name:24s}{stock:10.1f}{house:10.1f}{stock / house:16.2f}", flush=True)


def _report_step(name: str, model: Any, runs: int) -> None:
    theirs = _fitted(model)
    if keras.backend.backend() != "jax":
        stock = 1e3 * float(np.median([_seconds(theirs) for _ in range(runs)]))
        print(f"{name:24s}{stock:10.1f}", flush=True)
        return
    ours = _scanned(training_copy(model), CROSS_ENTROPY, inputs=False)
    ours()
    pairs = [(_seconds(theirs), _seconds(ours) / STEPS) for _ in range(runs)]
    stock, house = (1e3 * float(np.median(each)) for each in zip(*pairs, strict=True))
    print(f"{name:24s}{stock:10.1f}{house:10.1f}{stock / house:16.2f}", flush=True)


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _data(model: Any, loss: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(STEPS * ROWS, *model.input_shape[1:])).astype("float32")
    if loss == "mse":
        return x, rng.normal(size=(STEPS * ROWS, *model.output_shape[1:])).astype("float32")
    return x, rng.integers(0, model.output_shape[-1], STEPS * ROWS)


def _scanned(model: Any, loss: str, *, inputs: bool) -> Callable[[], Any]:
    """Some training steps in one compiled program; `inputs` asks for the gradients to them, too."""
    import jax
    import jax.numpy as jnp

    optimizer, measured = keras.optimizers.SGD(1e-3), keras.losses.get(loss)
    optimizer.build(model.trainable_variables)
    x, y = (jnp.asarray(each.reshape(STEPS, ROWS, *each.shape[1:])) for each in _data(model, loss))

    def step(carry: Any, rows: Any) -> Any:
        weights, others, slots = carry

        def objective(weights: Any, x: Any) -> Any:
            out, after = model.stateless_call(weights, others, x, training=True)
            return jnp.mean(measured(rows[1], out)), after

        sought = (0, 1) if inputs else (0,)
        (value, others), slopes = jax.value_and_grad(objective, sought, has_aux=True)(weights, rows[0])
        if weights:
            weights, slots = optimizer.stateless_apply(slots, slopes[0], weights)
        return (weights, others, slots), (value, [jnp.max(slope) for slope in slopes[1:]])

    start = [
        [v.value for v in each]
        for each in (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    ]
    compiled = jax.jit(lambda carry: jax.lax.scan(step, carry, (x, y))).lower(tuple(start)).compile()
    return lambda: jax.block_until_ready(compiled(tuple(start)))


def _fitted(model: Any) -> Callable[[], Any]:
    """One step as Keras runs it."""
    model.compile("sgd", loss=CROSS_ENTROPY, jit_compile="auto")
    x, y = (each[:ROWS] for each in _data(model, CROSS_ENTROPY))
    for _ in range(2):
        model.train_on_batch(x, y)
    return lambda: model.train_on_batch(x, y)


if __name__ == "__main__":
    main()
