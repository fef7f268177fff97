"""The order of the leaderboard, read from the run folder."""

from __future__ import annotations

import json

import pytest

from composable.search.leaderboard import FORMAT, leaderboard


@pytest.fixture
def run(tmp_path):
    def write(deployed, *trials, metric="rmse", higher=False):
        (tmp_path / "run.json").write_text(json.dumps({"deployed": deployed}))
        for number, (name, role, score) in enumerate(trials):
            folder = tmp_path / "trials" / str(number)
            folder.mkdir(parents=True)
            facts = {
                "format": FORMAT,
                "number": number,
                "name": name,
                "role": role,
                "status": "done" if score is not None else "failed",
                "metric": metric,
                "higher_is_better": higher,
                "seconds": 1.5,
            }
            if score is not None:
                facts |= {"validation": {metric: score, "other": 0}, "test": {metric: score * 2}}
            (folder / "trial.json").write_text(json.dumps(facts))
        return leaderboard(tmp_path)

    return write


TRIALS = (
    ("constant_predictor", "reference", 9.0),
    ("linear", "network", 5.0),
    ("gradient_boosting", "baseline", 3.0),
    ("mlp", "network", None),
    ("tabm", "network", 4.0),
)


def test_the_best_comes_first_and_failed_ones_last(run):
    rows = run(4, *TRIALS)
    assert [row["model"] for row in rows] == [
        "gradient_boosting",
        "tabm",
        "linear",
        "constant_predictor",
        "mlp",
    ]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["model"] for row in rows if row["deployed"]] == ["tabm"]


def test_where_higher_is_better(run):
    rows = run(
        1, ("a", "network", 0.7), ("b", "network", 0.9), ("c", "network", 0.0), metric="roc_auc", higher=True
    )
    assert [row["model"] for row in rows] == ["b", "a", "c"]


def test_scores_are_those_of_the_metric_and_what_is_missing_is_none(run):
    failed, best = sorted(run(None, ("a", "network", 2.0), ("b", "network", None)), key=lambda r: -r["rank"])
    assert (best["validation"], best["test"], best["seconds"], best["latency_ms"]) == (2.0, 4.0, 1.5, None)
    assert (failed["validation"], failed["test"], failed["status"]) == (None, None, "failed")
    assert not best["deployed"]


def test_equal_scores_stay_in_the_order_of_training(run):
    assert [row["trial"] for row in run(0, *[(name, "network", 1.0) for name in "abc"])] == [0, 1, 2]


def test_a_run_without_trials_has_an_empty_board(run):
    assert run(None) == []


def test_of_equal_scores_the_least_log_loss_comes_first(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"deployed": 1}))
    for number, loss in enumerate((0.4, 0.1, 0.2)):
        folder = tmp_path / "trials" / str(number)
        folder.mkdir(parents=True)
        facts = {
            "format": FORMAT,
            "number": number,
            "name": "mlp",
            "metric": "accuracy",
            "higher_is_better": True,
        }
        facts |= {"validation": {"accuracy": 0.9, "log_loss": loss}}
        (folder / "trial.json").write_text(json.dumps(facts))
    rows = leaderboard(tmp_path)
    assert [row["trial"] for row in rows] == [1, 2, 0]
    assert "tie_break" not in rows[0]
