"""Forward and training step of every family beside the same network in plain Keras: medians and ratios.

Plain Keras is what `composable design source` writes, and keras.applications where it has the network.

python benchmarks/steps.py [--runs 15] [--families resnet vgg]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from conditions import conditions

from composable.codegen.program import source
from composable.design.inputs import Input, as_inputs
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES

ROWS = 16
APPLICATIONS = {
    "resnet50": "ResNet50", "resnet50_v2": "ResNet50V2", "vgg16": "VGG16", "mobilenet_v2": "MobileNetV2",
    "densenet121": "DenseNet121", "xception": "Xception", "efficientnet_b0": "EfficientNetB0",
}  # fmt: skip
SMALL_PHOTO = (96, 96, 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--applications", nargs="*", default=list(APPLICATIONS))
    given = parser.parse_args()
    print(conditions())
    print(f"{'':24s}{'forward':>10s}{'step':>10s}   ours / plain, median of {given.runs}")
    for name in given.families:
        family = FAMILIES[name]
        design = catalog.made(family, dict(family.smallest.metaparameters))
        inputs = family.smallest.inputs
        _report(name, [lambda: design.build(inputs), lambda: _emitted(design, inputs)], inputs, given.runs)  # noqa: B023
    for name in given.applications:
        makers = [lambda: catalog.architecture(name).build(SMALL_PHOTO), lambda: _application(name)]  # noqa: B023
        _report(f"{name} (applications)", makers, SMALL_PHOTO, given.runs)


def _report(name: str, makers: Iterable[Callable[[], Any]], inputs: Any, runs: int) -> None:
    models = [make() for make in makers]
    rows = _rows(inputs)
    forward = _ratio([_forward(model, rows) for model in models], runs)
    step = _ratio([_step(model, rows) for model in models], runs)
    print(f"{name:24s}{forward:10.3f}{step:10.3f}", flush=True)


def _ratio(calls: list[Callable[[], Any]], runs: int) -> float:
    """Ours over theirs: of each pair of calls in turn, the median."""
    for call in calls:
        call()
    ratios = []
    for run in range(runs):
        seconds = {}
        for call in calls if run % 2 else reversed(calls):
            began = time.perf_counter()
            for _ in range(3):
                call()
            seconds[call] = time.perf_counter() - began
        ratios.append(seconds[calls[0]] / seconds[calls[1]])
    return float(np.median(ratios))


def _forward(model: Any, rows: Any) -> Callable[[], Any]:
    return lambda: model.predict_on_batch(rows)


def _step(model: Any, rows: Any) -> Callable[[], Any]:
    import keras

    outputs = keras.tree.map_structure(np.zeros_like, model.predict_on_batch(rows))
    model.compile(optimizer="sgd", loss=keras.tree.map_structure(lambda _: "mse", outputs))
    return lambda: model.train_on_batch(rows, outputs)


def _rows(inputs: Any) -> Any:
    rng = np.random.default_rng(0)

    def drawn(one: Input) -> np.ndarray:
        shape = (ROWS, *(size or 12 for size in one.shape))
        whole = one.dtype.startswith("int")
        return (
            rng.integers(0, 4, shape).astype(one.dtype)
            if whole
            else rng.uniform(0, 1, shape).astype("float32")
        )

    given = as_inputs(inputs)
    return {name: drawn(each) for name, each in given.items()} if isinstance(given, dict) else drawn(given)


def _emitted(design: Any, inputs: Any) -> Any:
    namespace: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source(design, inputs, name="emitted"), "emitted.py", "exec"), namespace)
    return namespace["build"]()


def _application(name: str) -> Any:
    import keras

    return getattr(keras.applications, APPLICATIONS[name])(weights=None, input_shape=SMALL_PHOTO)


if __name__ == "__main__":
    main()
