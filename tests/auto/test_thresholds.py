"""A fit that is to find a rare class predicts it, and says what to expect of that."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import composable


@pytest.fixture(scope="module")
def rare():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 2)).round(3)
    chance = 1 / (1 + np.exp(3.2 - 1.2 * x[:, 0]))
    return pd.DataFrame(x, columns=["a", "b"]).assign(ill=np.where(rng.random(1200) < chance, "yes", "no"))


def test_the_threshold_goes_with_the_model(rare, tmp_path):
    run = composable.fit(
        rare.head(600), "ill", metric="f1", max_trials=1, max_epochs=15, out=tmp_path / "run"
    )
    (head,) = run.bundle.card.problem.heads
    assert 0 < head.thresholds[0] < 0.45
    answers = run.predict(rare.tail(600))
    assert ((answers["prediction"] == "yes") == (answers["p_yes"] >= head.thresholds[0])).all()
    (best,) = [row for _, row in run.leaderboard().iterrows() if row["deployed"]]
    found = run.evaluate(rare.tail(600))["f1"]
    assert found > 0.2
    assert best["expected_low"] - 0.1 < found < best["expected_high"] + 0.1
