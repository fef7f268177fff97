"""The verbs that read a run: leaderboard, predict, evaluate, export, report."""

import json

import pandas as pd
import pytest

from composable.data.read import Layout


def test_leaderboard_lists_every_candidate(command, auto):
    shown = command("leaderboard", "runs/cars")
    assert shown.code == 0
    assert [
        name in shown.out for name in ("tabm_mini", "hist_gradient_boosting", "mlp", "failed: diverged")
    ] == [True] * 4


def test_leaderboard_json_is_one_list_and_nan_is_null(command, auto):
    rows = json.loads(command("leaderboard", "runs/cars", "--json").out)
    assert [row["model"] for row in rows] == ["tabm_mini", "hist_gradient_boosting", "mlp"]
    assert rows[1]["test"] is None


def test_failures_names_cause_count_trials_and_log(command, auto):
    shown = command("failures", "runs/cars")
    assert shown.code == 0
    assert all(part in shown.out for part in ("failed", "2 mlp", "diverged", "traceback.txt"))
    (cause,) = json.loads(command("failures", "runs/cars", "--json").out)
    assert (cause["count"], cause["trials"][0]["trial"]) == (1, 2)


def test_failures_says_when_there_are_none(command, auto, monkeypatch):
    monkeypatch.setattr(auto.run, "failures", lambda self: ())
    assert command("failures", "runs/cars").out == "No trial failed or was skipped.\n"
    assert json.loads(command("failures", "runs/cars", "--json").out) == []


def test_predict_writes_safe_csv_and_makes_folders(command, auto, tmp_path):
    out = tmp_path / "a b" / "é" / "out.csv"
    done = command("predict", "runs/cars", "new.csv", "--out", out)
    assert (done.code, done.out) == (0, "")
    assert out.read_text() == "prediction,p_=1+1\n'=1+1,0.75\nb,0.25\n"
    assert "Warning: 1 value of make was never seen" in done.err


def test_predict_raw_leaves_texts_alone(command, auto, tmp_path):
    command("predict", "runs/cars", "new.csv", "--out", tmp_path / "out.csv", "--raw")
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == ["=1+1", "b"]


def test_predict_without_out_prints_csv_alone(command, auto):
    assert command("predict", "runs/cars", "new.csv").out == "prediction,p_=1+1\n'=1+1,0.75\nb,0.25\n"


def test_predict_json(command, auto):
    answer = json.loads(command("predict", "runs/cars", "new.csv", "--json").out)
    assert answer == [{"prediction": "=1+1", "p_=1+1": 0.75}, {"prediction": "b", "p_=1+1": 0.25}]


def test_predict_passes_on_what_is_kept_which_trial_answers_and_how_the_file_is_read(command, auto):
    words = ("--id", "number", "--id", "Größe", "--trial", 3, "--delimiter", "tab")
    assert command("predict", "runs/cars", "new.csv", *words).code == 0
    layout = Layout(delimiter="tab")
    assert auto.run.asked == {"trial": 3, "ids": ("number", "Größe"), "layout": layout}


def test_evaluate_passes_on_which_trial_is_scored_and_how_the_file_is_read(command, auto):
    assert command("evaluate", "runs/cars", "new.csv", "--trial", 0, "--encoding", "latin-1").code == 0
    assert auto.run.asked == {"trial": 0, "layout": Layout(encoding="latin-1")}


def test_predict_keeps_its_input(command, auto, tmp_path):
    data = tmp_path / "new.csv"
    data.write_text("a\n1\n")
    assert command("predict", "runs/cars", data, "--out", data).code == 2
    assert data.read_text() == "a\n1\n"


def test_evaluate(command, auto):
    assert json.loads(command("evaluate", "runs/cars", "labeled.csv", "--json").out) == {
        "rmse": 2000.0,
        "r2": None,
    }
    assert "2000" in command("evaluate", "runs/cars", "labeled.csv").out


def test_export_and_report_say_where(command, auto):
    done = command("export", "runs/cars", "--format", "onnx", "--out", "deployed")
    assert done.out == "Exported to deployed/model.onnx\n"
    assert json.loads(command("report", "runs/cars", "--json").out) == {"report": "runs/cars/report.html"}


@pytest.mark.parametrize(
    "missing", [("--format", "onnx"), ("--out", "x"), ("--format", "pickle", "--out", "x")]
)
def test_export_needs_a_known_format_and_a_place(command, auto, missing):
    assert command("export", "runs/cars", *missing).code == 2
