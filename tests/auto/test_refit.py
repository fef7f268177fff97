"""What is solved for on several folds is deployed as one network, solved for once more on all rows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import composable


def waves(rows, seed):
    """A curve that a kernel tells and a line doesn't."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, rows).round(4)
    return pd.DataFrame({"x": x, "y": (np.sin(2 * x) + 0.05 * rng.normal(size=rows)).round(4)})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    waves(150, 0).to_csv(folder / "waves.csv", index=False)
    waves(60, 1).to_csv(folder / "own.csv", index=False)
    return composable.fit(
        folder / "waves.csv", "y", max_trials=2, test=folder / "own.csv", out=folder / "run"
    )


def trials(run):
    found = [json.loads(path.read_text()) for path in sorted(run.path.glob("trials/*/trial.json"))]
    return {trial["name"]: trial for trial in found}


def test_one_network_answers_in_the_place_of_many(run):
    kernel, (best, *_) = trials(run)["kernel"], run.candidates()
    assert len(kernel["histories"]) == 8
    assert set(kernel["chosen"]) == {"penalty", "sharpness", "rounds"}
    card = json.loads((run.path / "bundle" / "bundle.json").read_text())
    networks = {member["name"]: len(member["postprocessing"]) for member in card["members"]}
    assert networks["kernel"] == 1
    assert networks.get("linear", 8) == 8
    assert best["model"] in ("kernel", "ensemble")
    assert run.model.count_params() < 2 * best["parameters"]


def test_the_test_score_is_that_of_the_deployed_model(run):
    (best, *_) = run.candidates()
    own = waves(60, 1)
    error = np.sqrt(np.mean((run.predict(own[["x"]])["prediction"].to_numpy() - own["y"].to_numpy()) ** 2))
    assert best["test"] == pytest.approx(error, rel=1e-4)
    assert error < 0.1
