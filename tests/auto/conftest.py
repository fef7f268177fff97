"""Tiny tables of every kind, and fits of them that take a second or two."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import composable
from composable.auto.run import Run


def table(rows: int = 80, seed: int = 0) -> pd.DataFrame:
    """A number with gaps, a category, a date; targets of every kind that follow from them, with noise."""
    random = np.random.default_rng(seed)
    size, make = random.normal(size=rows), random.choice(["audi", "bmw", "citroen"], rows)
    noise = random.normal(size=rows)
    strength = 2 * size + (make == "bmw") + 0.7 * noise
    return pd.DataFrame(
        {
            "size": np.where(random.random(rows) < 0.1, np.nan, size.round(4)),
            "make": make,
            "sold on": pd.date_range("2020-01-03", periods=rows, freq="9D").strftime("%Y-%m-%d"),
            "price": strength.round(3),
            "fast": np.where(strength > 0.3, "yes", "no"),
            "class": np.select([strength < -1, strength < 1], ["low", "mid"], "high"),
            "red": (random.random(rows) < 0.4).astype(int),
            "big": (size + 0.5 * noise > 0).astype(int),
        }
    )


@pytest.fixture(scope="session")
def make_table() -> Callable[..., pd.DataFrame]:
    """Make the table with other rows."""
    return table


@pytest.fixture
def cars() -> pd.DataFrame:
    """The table."""
    return table()


KINDS = {  # the five designs: what to predict and how
    "regression": {"target": "price", "drop": ("fast", "class", "red", "big")},
    "binary": {"target": "fast", "drop": ("price", "class", "red", "big")},
    "multiclass": {"target": "class", "drop": ("price", "fast", "red", "big")},
    "multilabel": {"target": ("red", "big"), "problem": "multilabel", "drop": ("price", "fast", "class")},
    "several heads": {"target": ("price", "fast"), "drop": ("class", "red", "big")},
}


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """A finished run of each kind, from a CSV file, trained once however many tests look at it."""
    runs: dict[str, Run] = {}

    def get(kind: str) -> Run:
        if kind not in runs:
            folder = tmp_path_factory.mktemp("cars")
            table().to_csv(folder / "cars.csv", index=False)
            runs[kind] = composable.fit(
                folder / "cars.csv", **KINDS[kind], max_trials=1, max_epochs=2, out=folder / "run"
            )
        return runs[kind]

    return get
