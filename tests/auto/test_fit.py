"""From a CSV file to a model that answers: every kind of problem, and what the run folder holds."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import composable
from composable.core.errors import DataError
from composable.core.records import from_json
from composable.data.schema import SCHEMA_VERSION, Schema

KINDS = ("regression", "binary", "multiclass", "multilabel", "several heads")
ANSWERS = {
    "regression": {"prediction": float},
    "binary": {"prediction": {"no", "yes"}, "p_no": float, "p_yes": float},
    "multiclass": {"prediction": {"low", "mid", "high"}, "p_high": float, "p_low": float, "p_mid": float},
    "multilabel": {
        "prediction_red": {0, 1},
        "p_red_0": float,
        "p_red_1": float,
        "prediction_big": {0, 1},
        "p_big_0": float,
        "p_big_1": float,
    },
    "several heads": {
        "prediction_price": float,
        "prediction_fast": {"no", "yes"},
        "p_fast_no": float,
        "p_fast_yes": float,
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_raw_rows_in_labels_with_probabilities_out(fitted, cars, kind):
    features = cars[["sold on", "size", "make"]]  # in another order than trained on
    answers = fitted(kind).predict(features)
    assert list(answers.columns) == list(ANSWERS[kind])
    assert len(answers) == len(cars)
    for name, expected in ANSWERS[kind].items():
        if expected is float:
            assert np.isfinite(answers[name]).all()
        else:
            assert set(answers[name]) <= expected
        if name.startswith("p_"):
            assert answers[name].between(0, 1).all()


def test_probabilities_of_classes_sum_to_one(fitted, cars):
    answers = fitted("multiclass").predict(cars)
    np.testing.assert_allclose(answers[["p_high", "p_low", "p_mid"]].sum(axis=1), 1, atol=1e-6)


def test_amounts_stay_in_the_range_of_the_training_targets(fitted, cars):
    answers = fitted("regression").predict(cars.assign(size=1e6))
    assert answers["prediction"].between(cars["price"].min(), cars["price"].max()).all()


@pytest.mark.parametrize("kind", KINDS)
def test_labeled_rows_are_scored(fitted, cars, kind):
    found = fitted(kind).evaluate(cars)
    assert found["rows"] == len(cars)
    assert len(found) > 3
    assert np.isfinite(list(found.values())).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_leaderboard_is_honest(fitted, kind):
    """The constant predictor and gradient boosting stand beside the network and are never deployed."""
    rows = fitted(kind).candidates()
    assert {row["role"] for row in rows} == {"network", "baseline", "reference"}
    assert [row["role"] for row in rows if row["deployed"]] == ["network"]
    assert all(row["validation"] is not None and row["test"] is None for row in rows)
    (best,) = [row for row in rows if row["deployed"]]
    assert best["expected_low"] <= best["expected"] <= best["expected_high"]
    assert all(row["expected"] is None for row in rows if not row["deployed"])
    assert all(row["status"] == "done" for row in rows)


def test_the_run_folder_holds_what_its_page_says(fitted):
    run = fitted("multiclass")
    names = {path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file()}
    assert {
        "run.json",
        "schema.json",
        "profile.json",
        "diagnostics.json",
        "events.jsonl",
        "report.html",
        "trials/0/trial.json",
        "trials/1/trial.json",
        "trials/1/fold-0.npz",
        "trials/1/fold-7.npz",
        "bundle/model.keras",
        "bundle/bundle.json",
    } <= names
    assert not [name for name in names if name.endswith(".tmp")]


def read(run, name):
    return json.loads((run.path / name).read_text(encoding="utf-8"))


def test_run_json_says_what_was_asked_and_what_came_of_it(fitted, cars):
    run = fitted("multiclass")
    facts = read(run, "run.json")
    assert (facts["format"], facts["status"], facts["deployed"]) == ("composable.run/1", "complete", 1)
    assert facts["data"]["rows"] == len(cars)
    assert facts["data"]["origin"].endswith("cars.csv")
    assert len(facts["data"]["fingerprint"]) == 64
    assert facts["options"]["target"] == ["class"]
    (head,) = facts["problem"]["heads"]
    assert (head["kind"], head["labels"]) == ("multiclass", ["high", "low", "mid"])
    assert facts["split"]["rows"] == {"train": 67, "validation": 76, "test": 0, "unseen": 4}
    assert {"python", "keras", "backend", "composable"} <= set(facts["versions"])
    assert facts["machine"]["cores"] >= 1
    assert facts["seconds"] > 0
    assert run.problem.targets == ("class",)


def test_trial_json_holds_score_cost_and_history(fitted):
    trial = read(fitted("multiclass"), "trials/1/trial.json")
    assert trial["format"] == "composable.trial/1"
    assert (trial["name"], trial["role"], trial["metric"]) == ("linear", "network", "log_loss")
    assert not trial["higher_is_better"]
    assert set(trial["validation"]) >= {"log_loss", "accuracy", "roc_auc", "average_precision"}
    assert [len(history["epochs"]) for history in trial["histories"]] == [2] * 8
    assert min(trial["parameters"], trial["bytes"], trial["latency_ms"]) > 0
    assert trial["calibration"]["class"]["log_loss_after"] <= trial["calibration"]["class"]["log_loss_before"]
    assert trial["architecture"]
    assert trial["settings"]["learning_rate"] > 0


def test_diagnostics_cover_every_row_once(fitted, cars):
    facts = read(fitted("multiclass"), "diagnostics.json")
    assert (facts["part"], facts["rows"]) == ("validation", len(cars))
    assert np.sum(facts["heads"][0]["confusion"]) == len(cars)
    assert {one["column"] for one in facts["importance"]} == {"size", "make", "sold on"}


def test_the_schema_and_the_profile_name_every_column(fitted, cars):
    run = fitted("regression")
    schema = from_json(
        Schema, (run.path / "schema.json").read_text(), format="schema", version=SCHEMA_VERSION, origin="here"
    )
    kinds = {column.name: (column.kind, column.role) for column in schema.columns}
    assert kinds["size"] == ("number", "feature")
    assert kinds["sold on"] == ("date", "feature")
    assert kinds["price"] == ("number", "target")
    assert kinds["fast"][1] == "drop"
    assert [one["name"] for one in read(run, "profile.json")["columns"]] == list(cars.columns)


def test_events_tell_the_story_in_order(fitted):
    lines = (fitted("regression").path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    names = [event["event"] for event in events]
    wanted = ["start", "read", "problem", "trial_start", "epoch", "trial_end", "saved", "report", "end"]
    assert [name for name in dict.fromkeys(names) if name in wanted if name != "trial_end"] == [
        name for name in wanted if name != "trial_end"
    ]
    assert names.count("trial_start") == 1 + 1  # all folds at once, and the baseline
    assert {event["fold"] for event in events if event["event"] == "epoch"} == set(range(8))
    assert all(isinstance(event["time"], float) for event in events)
    assert events[-1]["status"] == "complete"
    assert events[-1]["seconds"] == read(fitted("regression"), "run.json")["seconds"]  # the report included


def test_the_report_is_there(fitted):
    html = (fitted("several heads").path / "report.html").read_text(encoding="utf-8")
    assert "price" in html
    assert "Incomplete" not in html


def test_any_run_can_be_opened_from_its_folder(fitted, cars):
    run = fitted("binary")
    again = composable.Run(run.path)
    assert again.predict(cars).equals(run.predict(cars))
    assert composable.load(run.path).predict(cars).equals(run.predict(cars))
    assert again.model.count_params() > 0
    assert again.report().path == run.path / "report.html"


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(composable.ArtifactError, match=r"run\.json"):
        composable.Run(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(make="never seen"),
        lambda rows: rows.assign(size=np.nan, make=None),
        lambda rows: rows.assign(size=1e30),
        lambda rows: rows.assign(size=-np.inf),
        lambda rows: rows.assign(**{"sold on": "1600-02-29"}),
    ],
    ids=["category", "empty", "huge", "infinite", "ancient"],
)
def test_odd_rows_get_finite_answers(fitted, cars, change):
    assert np.isfinite(fitted("regression").predict(change(cars))["prediction"]).all()


def test_what_the_training_data_did_not_hold_is_said(fitted, cars):
    answers = fitted("regression").predict(
        cars.head(3).assign(make=["audi", "new", "bmw"], size=[1e30, 0, 0])
    )
    message = " ".join(answers.attrs["notices"])
    assert "1 of 3 values of 'make' are unseen" in message
    assert "outside the training range" in message


def test_an_unseen_category_counts_as_unknown(fitted, cars):
    one, two = (fitted("regression").predict(cars.assign(make=name)) for name in ("new", "newer"))
    assert one["prediction"].equals(two["prediction"])


def test_a_missing_column_is_named(fitted, cars):
    with pytest.raises(DataError, match="'make'"):
        fitted("regression").predict(cars[["size", "sold on"]])


def test_other_columns_are_left_out_and_said(fitted, cars):
    run = fitted("regression")
    more = run.predict(cars.assign(color="red"))
    assert more["prediction"].equals(run.predict(cars)["prediction"])
    assert any("'color'" in notice for notice in more.attrs["notices"])


def test_numbers_written_as_text_are_read_and_words_are_refused_with_their_row(fitted, cars):
    run = fitted("regression")
    as_text = cars.assign(size=[str(value) for value in cars["size"]])
    assert run.predict(as_text)["prediction"].equals(run.predict(cars)["prediction"])
    with pytest.raises(DataError, match="row 2: 'long'"):
        run.predict(cars.head(2).assign(size=["1.5", "long"]))


def test_no_rows_give_no_answers(fitted, cars):
    answers = fitted("binary").predict(cars.head(0))
    assert list(answers.columns) == list(ANSWERS["binary"])
    assert len(answers) == 0


def test_the_answers_keep_the_index_of_the_rows(fitted, cars):
    rows = cars.tail(5)
    assert fitted("regression").predict(rows).index.equals(rows.index)


def test_scoring_rows_of_an_unknown_class_names_the_row(fitted, cars):
    with pytest.raises(DataError, match="row 3: 'maybe'"):
        fitted("binary").evaluate(cars.assign(fast=["yes", "no", "maybe", *["no"] * (len(cars) - 3)]))


def test_rows_without_a_target_are_left_out_of_the_score(fitted, cars):
    assert fitted("regression").evaluate(cars.assign(price=cars["price"].where(cars.index > 4)))["rows"] == 75


def test_labels_come_back_with_their_own_type(tmp_path, cars):
    frame = pd.DataFrame({"size": cars["size"], "flag": cars["big"].astype(bool)})
    run = composable.fit(frame, "flag", allow_leaks=True, max_trials=1, max_epochs=1, out=tmp_path / "run")
    assert run.predict(frame)["prediction"].dtype == bool
    assert list(run.predict(frame).columns) == ["prediction", "p_False", "p_True"]
