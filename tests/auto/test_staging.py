"""`--stage`: what every network goes through before its fit."""

from __future__ import annotations

import json
from collections import Counter

import composable
from composable.auto.progress import milestone


def test_settings_are_tuned_once_and_every_network_is_warmed_up(cars, tmp_path):
    run = composable.fit(
        cars,
        "price",
        drop=("fast", "class", "red", "big"),
        stages=("tune", "warmup"),
        stage_settings={"tune.rates": (1e-3, 1e-2), "tune.finer": (1.0,)},
        max_trials=1,
        max_epochs=2,
        out=tmp_path / "run",
    )
    (tuned,) = (fact for fact in stages_of(run) if fact["stage"] == "tune")
    assert tuned["fold"] == 0
    assert tuned["gain"] is not None
    assert {trial["learning_rate"] for trial in tuned["evidence"]["trials"]} == {1e-3, 1e-2}
    warmed = [fact for fact in stages_of(run) if fact["stage"] == "warmup"]
    assert sorted(fact["fold"] for fact in warmed) == list(range(8))

    staged = [event for event in events(run) if event["event"] == "stage"]
    assert Counter(event["stage"] for event in staged) == {"tune": 1, "warmup": 8}
    lines = [line for event in staged if (line := milestone(event, "rmse"))]
    assert lines[0].startswith(f"Stage tune: {tuned['status']}, gain ")
    assert lines[1].startswith("Stage warmup, first of 8 networks: ")
    assert len(lines) == 2


def stages_of(run):
    return json.loads((run.path / "trials" / "1" / "trial.json").read_text())["stages"]


def events(run):
    return map(json.loads, (run.path / "events.jsonl").read_text().splitlines())
