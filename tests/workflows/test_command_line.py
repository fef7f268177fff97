"""The main job as a user does it: commands in, files out, the exported model alone in onnxruntime."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from composable.cli.main import run

CARS = Path(__file__).parents[2] / "examples" / "auto_imports.csv"
QUICK = ["--max-trials", "2", "--max-epochs", "3"]


@pytest.fixture(scope="module")
def cars(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cars")
    assert run(["fit", str(CARS), "--target", "price", "--out", str(folder / "run"), *QUICK]) == 0
    return folder / "run"


def test_the_whole_road_from_csv_to_predictions(cars, tmp_path, capsys):
    assert run(["leaderboard", str(cars), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["model"] for row in rows} >= {"linear", "kernel", "gradient_boosting", "constant_predictor"}
    deployed = [row for row in rows if row["deployed"]]
    assert [row["role"] in ("network", "ensemble") for row in deployed] == [True]

    out = tmp_path / "new" / "out.csv"
    assert run(["predict", str(cars), str(CARS), "--out", str(out)]) == 0
    capsys.readouterr()
    answers = pd.read_csv(out)
    assert list(answers) == ["prediction"]
    assert len(answers) == 201

    assert run(["evaluate", str(cars), str(CARS), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    observed = pd.read_csv(CARS)["price"]
    assert scores["rmse"] == pytest.approx(
        np.sqrt(np.mean((answers["prediction"] - observed) ** 2)), rel=1e-4
    )
    assert (cars / "report.html").stat().st_size > 50_000


def test_the_onnx_file_takes_raw_texts_and_numbers_and_answers_alone(cars, tmp_path, capsys):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("jax2onnx")
    assert run(["export", str(cars), "--format", "onnx", "--out", str(tmp_path / "onnx")]) == 0
    assert run(["predict", str(cars), str(CARS), "--out", str(tmp_path / "out.csv")]) == 0
    capsys.readouterr()
    described = json.loads((tmp_path / "onnx" / "inputs.json").read_text())["inputs"]
    table = pd.read_csv(
        CARS, na_values=["?"], dtype={d["column"]: "str" for d in described if d["type"] == "string"}
    )
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model.onnx")
    feeds = {}
    for entry in described:
        column = table[[entry["column"]]]
        texts = entry["type"] == "string"
        feeds[entry["name"]] = column.fillna("").to_numpy(object) if texts else column.to_numpy("float64")
    (answer, *_) = session.run(["prediction"], feeds)
    expected = pd.read_csv(tmp_path / "out.csv")["prediction"]
    deviation = table["price"].std()
    assert np.abs(np.ravel(answer) - expected).max() <= 1e-5 * deviation


def test_the_same_command_again_says_that_it_is_done(cars, capsys):
    before = (cars / "run.json").read_bytes()
    assert run(["fit", str(CARS), "--target", "price", "--out", str(cars), *QUICK]) == 0
    assert "kernel" in capsys.readouterr().out
    assert (cars / "run.json").read_bytes() == before


def test_other_options_for_the_same_folder_are_refused_with_the_difference(cars, capsys):
    assert run(["fit", str(CARS), "--target", "price", "--out", str(cars), *QUICK, "--seed", "7"]) == 2
    assert "seed: was 0, now 7" in capsys.readouterr().err
