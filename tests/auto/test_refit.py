"""What is deployed learned from the rows that were held out as well, by what they chose."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import composable
from composable.training.folds import FoldTrainer


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


def days(rows: int) -> pd.DataFrame:
    """A line that noise blurs, the day of each point, and a column that divides the points."""
    rng = np.random.default_rng(0)
    x, parts = rng.normal(size=rows).round(4), ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    return pd.DataFrame(
        {
            "x": x,
            "y": (2 * x + rng.normal(size=rows)).round(4),
            "day": pd.date_range("2020-01-01", periods=rows).astype(str),
            "part": np.resize(parts, rows),
        }
    )


@pytest.mark.parametrize(
    ("split", "left_out", "rows"), [("time:day", ("part",), 100), ("column:part", ("day",), 80)]
)
def test_where_rows_are_held_out_by_name_or_time_the_deployed_model_learned_from_them_too(
    split, left_out, rows, tmp_path, monkeypatch
):
    learned = []
    cohort = FoldTrainer.cohort

    def noted(self, folds, *others):
        learned.extend(len(fold.train) for fold in folds.values())
        return cohort(self, folds, *others)

    monkeypatch.setattr(FoldTrainer, "cohort", noted)
    options = {"target": "y", "split": split, "drop": left_out, "max_trials": 1, "max_epochs": 3}
    run = composable.fit(days(100), **options, out=tmp_path / "refit")
    assert learned[-1] == rows > learned[0]
    assert (tmp_path / "refit" / "trials" / "1" / "refit.npz").exists()

    kept = composable.fit(days(100), **options, no_refit=True, out=tmp_path / "kept")
    assert learned[2:] == learned[:1]
    assert not list((tmp_path / "kept").glob("trials/*/refit.npz"))
    (deployed,), (scored,) = ([one for one in each.candidates() if one["deployed"]] for each in (run, kept))
    assert deployed["validation"] == scored["validation"]  # of the network that didn't see these rows
    if rows == len(days(100)):
        assert deployed["test"] == scored["test"]
    else:
        unseen = days(100)[days(100)["part"] == "test"]
        assert deployed["test"] == pytest.approx(run.evaluate(unseen)["rmse"], rel=1e-4)
    answers = [one.predict(days(5))["prediction"].tolist() for one in (run, kept)]
    assert answers[0] != answers[1]
