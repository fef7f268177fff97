"""A network that learned nothing does not enter the deployed model, however late it comes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import composable
from composable.data import split
from composable.training.folds import FoldTrainer


@pytest.fixture
def waves(monkeypatch):
    """A table of which two folds are scored, so that further ones are trained at the end."""
    monkeypatch.setattr(split, "SMALL", 100)
    monkeypatch.setattr(split, "MEDIUM", 100)
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (1500, 3)).round(4)
    y = x[:, 0] + np.sin(2 * x[:, 1]) + 0.05 * rng.normal(size=1500)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=y.round(4))


@pytest.fixture
def cut_after_the_first_step(monkeypatch):
    """The networks that are trained beside the scored ones keep almost the values they began with."""
    train = FoldTrainer.train

    def cut(trainer, folds, **options):
        if min(folds) >= 2:
            settings = trainer.candidate.settings
            trainer = trainer.trained_by(replace(settings, epochs=1, learning_rate=1e-7, patience=None))
        return train(trainer, folds, **options)

    monkeypatch.setattr(FoldTrainer, "train", cut)


def networks(run):
    card = json.loads((run.path / "bundle" / "bundle.json").read_text())
    return sum(len(member["postprocessing"]) for member in card["members"])


def test_networks_cut_after_their_first_step_are_left_out(waves, cut_after_the_first_step, tmp_path):
    run = composable.fit(
        waves, "y", design="mlp(units=32)", time_limit=25, max_epochs=40, max_trials=1, out=tmp_path / "run"
    )
    (best,) = [row for row in run.candidates() if row["deployed"]]
    error = run.evaluate(waves)["rmse"]
    assert error < 1.2 * best["validation"]
    assert networks(run) == 2
