"""Why the winner won, in words, from whatever a run folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from composable.problem.problem import Head
from composable.report.facts import read_facts
from composable.report.page import write_report
from composable.report.why import FORMAT, Why, why

MakeRun = Callable[..., Path]
AGAINST = [
    {"trial": 4, "name": "mlp", "role": "network", "score": 2500.0, "difference": 400.0, "low": -30.0,
     "high": 810.0},
    {"trial": 1, "name": "HistGradientBoosting", "role": "baseline", "score": 2350.0, "difference": 250.0,
     "low": 90.0, "high": 400.0},
]  # fmt: skip


@pytest.fixture
def run(make_run: MakeRun, regression: tuple[Head, ...]) -> Path:
    return make_run(regression)


def change(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def explain(run: Path, **facts: object) -> Why:
    (run / "explanation.json").write_text(json.dumps({"format": FORMAT, "trial": 3, **facts}))
    return why(read_facts(run))


def test_what_it_beats_is_said_with_the_interval_and_whether_that_may_be_chance(run: Path) -> None:
    found = explain(run, against=AGAINST)
    assert found.winner[0].startswith("tabm_mini (trial 3) won: RMSE")
    assert found.winner[1] == (
        "It beats the runner-up, mlp (2500) by 400; the 90 % interval of the difference is "
        "\N{MINUS SIGN}30 to 810: that may be chance."
    )
    assert found.winner[2].endswith(
        "HistGradientBoosting (2350) by 250; the 90 % interval of the difference is 90 to 400."
    )


def test_an_older_run_is_explained_without_intervals(run: Path) -> None:
    found = why(read_facts(run))
    assert "It beats the runner-up, mlp (2500) by 400." in found.winner
    assert "It beats the baseline, HistGradientBoosting (2350) by 250." in found.winner
    assert "It beats constant_predictor (7900) by 5800." in found.winner
    assert "Scores vary by ±150 between folds." in found.winner


def test_an_explanation_of_another_winner_is_left_alone(run: Path) -> None:
    change(run / "run.json", deployed=4)
    found = explain(run, against=AGAINST)
    assert found.winner[0].startswith("mlp (trial 4) won")
    assert "It is worse than the runner-up, tabm_mini (2100) by 400." in found.winner


def test_members_are_listed_with_what_the_others_reach_without_them(run: Path) -> None:
    member = {"trial": 4, "name": "mlp", "weight": 0.25, "without": 2111.0, "brings": 11.0}
    (line,) = explain(run, members=[member]).members
    assert (line.name, line.weight, line.without, line.brings) == ("mlp", 0.25, 2111.0, 11.0)
    (run / "explanation.json").unlink()
    change(run / "trials/3/trial.json", members=[{"trial": 2, "name": "linear", "weight": 1.0}])
    (line,) = why(read_facts(run)).members
    assert (line.trial, line.without) == (2, None)


def test_what_was_stopped_skipped_and_failed_is_named_by_cause(run: Path) -> None:
    for number, reason in (
        (6, "it would take 9 s at least; 2 s are left"),
        (7, "the time limit came before it began"),
    ):
        (run / "trials" / str(number)).mkdir()
        trial = json.loads((run / "trials/5/trial.json").read_text())
        trial |= {"number": number, "name": f"late_{number}", "status": "skipped", "reason": reason}
        (run / "trials" / str(number) / "trial.json").write_text(json.dumps(trial))
    trial = json.loads((run / "trials/4/trial.json").read_text())
    trial["histories"][0]["stopped"] = "deadline"
    (run / "trials/4/trial.json").write_text(json.dumps(trial))
    change(run / "run.json", options={"time_limit": 60.0, "max_trials": 99})
    found = why(read_facts(run))
    assert [(one.status, one.cause, one.names) for one in found.ended] == [
        ("stopped", "the clock ended its training", ("mlp",)),
        ("skipped", "too little time was left", ("late_6", "late_7")),
        ("failed", "the loss became infinite", ("wide",)),
    ]
    texts = {one.flags: one.text for one in found.advice}
    assert texts["--time-limit 120"].startswith("Time was short for mlp, late_6, late_7")
    assert "composable failures cars" in texts
    assert not any("--max-trials" in flags for flags in texts)


def test_more_trials_are_advised_where_all_that_were_allowed_were_tried(run: Path) -> None:
    change(run / "run.json", options={"max_trials": 4})
    assert "--max-trials 8" in {one.flags for one in why(read_facts(run)).advice}


def test_the_most_important_rate_is_bounded_about_the_best_value(run: Path) -> None:
    rate = {
        "choice": "mlp.training.learning_rate",
        "importance": 0.6,
        "best": 0.004,
        "low": 1e-4,
        "high": 0.1,
    }
    family = {"choice": "family", "importance": 0.4, "best": "mlp", "low": None, "high": None}
    found = explain(run, choices=[rate, family])
    assert [(one.choice, one.best, one.tried) for one in found.choices] == [
        ("mlp.training.learning_rate", "0.004", "0.0001 to 0.1"),
        ("family", "mlp", ""),
    ]
    assert "--range mlp.learning_rate=0.002:0.008" in {one.flags for one in found.advice}
    decay = rate | {"choice": "mlp.training.weight_decay", "best": 0.0003}
    assert "--set mlp.weight_decay=0.0003" in {one.flags for one in explain(run, choices=[decay]).advice}
    decides = [family | {"importance": 0.95}]
    assert "--exclude linear" in {one.flags for one in explain(run, choices=decides).advice}


def test_a_winner_that_is_no_better_than_the_baseline_asks_for_better_data(run: Path) -> None:
    change(run / "run.json", deployed=2)
    assert "better columns or more rows" in " ".join(one.text for one in why(read_facts(run)).advice)


def test_a_run_of_one_trial_and_one_without_a_winner_are_explained(run: Path) -> None:
    for number in (0, 1, 2, 4, 5):
        (run / "trials" / str(number) / "trial.json").unlink()
    found = why(read_facts(run))
    assert found.winner[0].startswith("tabm_mini (trial 3) won")
    assert found.tried[0].startswith("1 network tried")
    change(run / "run.json", deployed=None)
    assert why(read_facts(run)).winner == ("Nothing is deployed yet, so there is no winner to explain.",)


def test_the_report_has_the_section_with_names_escaped(run: Path) -> None:
    member = {
        "trial": 4,
        "name": "<script>alert(1)</script>",
        "weight": 0.25,
        "without": 2111.0,
        "brings": 11.0,
    }
    explain(
        run, against=AGAINST, members=[member], choices=[{"choice": "<i>", "importance": 1.0, "best": "x"}]
    )
    written = write_report(run).read_text(encoding="utf-8")
    assert "<h2>Why it won</h2>" in written
    assert "that may be chance" in written
    assert "<script>alert" not in written
    assert "<i>" not in written


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"trial": 3, "against": [1, {"difference": "much"}], "members": {}, "choices": [{}]}',
        '{"trial": 3, "against": [{"difference": NaN, "low": 1e999}], "choices": [{"importance": 1}]}',
    ],
)
def test_a_damaged_explanation_leaves_a_page(run: Path, content: str) -> None:
    (run / "explanation.json").write_text(content)
    assert "<h2>Why it won</h2>" in write_report(run).read_text(encoding="utf-8")
