"""MiniRocket with a ridge classifier, as the package aeon has it. See `benchmarks/series.py`.

python aeon_series.py TRAIN TEST SEEDS: two `.npz` files with `x` (rows, steps) and `y`, and how many seeds.
The errors, one per seed, are printed as JSON.
"""

from __future__ import annotations

import json
import sys
import warnings

import numpy as np


def main() -> None:
    """Fit once per seed and print the errors."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    warnings.filterwarnings("ignore")
    (x, y), (query, observed) = (_loaded(path) for path in sys.argv[1:3])
    errors = []
    for seed in range(int(sys.argv[3])):
        model = MiniRocketClassifier(random_state=seed).fit(x, y)
        errors.append(float(np.mean(model.predict(query) != observed)))
    print(json.dumps(errors))


def _loaded(path: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path) as file:
        return file["x"][:, None], file["y"]


if __name__ == "__main__":
    main()
