"""Rows that a model has learned from are recognized again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from composable.data.profile import share_known, sketch_of


def rows(count, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"a": rng.normal(size=count).round(4), "b": rng.choice(["x", "y", None], count)})


@pytest.mark.parametrize("count", [300, 30_000])
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_of_known_rows_is_estimated(count, share):
    known, others = rows(count, 0), rows(count, 1).assign(a=lambda frame: frame["a"] + 1e3)
    shared = int(share * count)
    mixed = pd.concat([known.head(shared), others.head(count - shared)]).sample(frac=1, random_state=0)
    sketch = sketch_of(known, ["a", "b"])
    assert len(sketch.hashes) <= 2000
    assert share_known(sketch, mixed) == pytest.approx(share, abs=0.06)


def test_the_same_rows_in_a_file_are_the_same(tmp_path):
    known = rows(200, 0)
    known.to_csv(tmp_path / "rows.csv", index=False)
    text = pd.read_csv(tmp_path / "rows.csv")
    assert share_known(sketch_of(known, ["a", "b"]), text[["b", "a"]]) > 0.6


def test_rows_of_other_columns_are_not_comparable():
    assert share_known(sketch_of(rows(50, 0), ["a", "b"]), rows(50, 0)[["a"]]) == 0.0
    assert share_known(sketch_of(rows(50, 0), ["a"]), rows(0, 0)) == 0.0
