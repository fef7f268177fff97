"""Seconds to build ResNet50 beside `keras.applications.ResNet50(weights=None)`, medians and their ratio.

python benchmarks/building.py [--runs 7]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from conditions import conditions

from composable.zoo.catalog import architecture

PHOTO = (224, 224, 3)


def ours() -> Any:
    """Composable's."""
    return architecture("resnet50").build(PHOTO)


def theirs() -> Any:
    """Keras's own."""
    import keras

    return keras.applications.ResNet50(weights=None)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(conditions())
    _times(0)  # the first build of a kind compiles its initializers
    times = [_times(run) for run in range(runs)]
    for maker, name in ((ours, "composable"), (theirs, "keras.applications")):
        print(f"{name:18s} {np.median([taken[maker] for taken in times]):.3f} s")
    ratios = [taken[ours] / taken[theirs] for taken in times]
    print(f"ratio {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f} in {runs} runs")


def _times(run: int) -> dict[Callable[[], Any], float]:
    """Of one build each, in turn, so that a busy moment meets both and neither always comes first."""
    found = {}
    for maker in (ours, theirs) if run % 2 else (theirs, ours):
        _clear()
        began = time.perf_counter()
        for weight in maker().weights:  # JAX draws them while Python goes on: wait for the last
            np.asarray(weight.value)
        found[maker] = time.perf_counter() - began
    return found


def _clear() -> None:
    import keras

    keras.backend.clear_session()


if __name__ == "__main__":
    main()
