"""Series are learned from, explained, reported on and deployed like all else."""

import json
import runpy
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import composable
from composable.deploy.bundle import load_bundle
from composable.deploy.export import export
from composable.deploy.source import bundle_source

ROWS, STEPS = 60, 20


def curves(rows: int = ROWS) -> pd.DataFrame:
    """Slow and fast waves in columns, some cells missing, with a number that says nothing much."""
    rng = np.random.default_rng(0)
    fast = np.arange(rows) % 2 == 1
    phase = rng.uniform(0, 6, (rows, 1))
    values = np.sin(np.where(fast, 0.9, 0.3)[:, None] * np.arange(STEPS) + phase) + rng.normal(
        0, 0.1, (rows, STEPS)
    )
    values[rng.random(values.shape) < 0.02] = np.nan
    frame = pd.DataFrame(values, columns=[f"t{step:02d}" for step in range(STEPS)])
    return frame.assign(speed=np.where(fast, "fast", "slow"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series") / "run"
    return composable.fit(curves(), target="speed", max_trials=2, time_limit=120, out=folder)


def test_columns_are_read_as_one_series_and_their_waves_are_told_apart(run):
    assert run.bundle.card.encoding.shapes == {"series": (STEPS, 1)}
    answers = run.predict(curves(200).iloc[ROWS:])
    assert (answers["prediction"] == curves(200)["speed"].iloc[ROWS:]).mean() > 0.9


def test_rows_that_miss_numbers_or_end_early_are_predicted(run):
    frame = curves().drop(columns="speed").astype("float64").head(3)
    frame.iloc[0] = np.nan
    frame.iloc[1, 5:] = np.nan
    assert run.predict(frame)["p_fast"].between(0, 1).all()


def test_the_same_answers_come_from_onnxruntime_alone_and_as_plain_keras(run, tmp_path):
    pytest.importorskip("onnx", reason="the extra [onnx] isn't installed")
    runtime = pytest.importorskip("onnxruntime", reason="the extra [onnx] isn't installed")
    rows = curves().drop(columns="speed")
    expected = run.predict(rows)["p_fast"]
    folder = export(load_bundle(run.path), "onnx", tmp_path / "onnx")  # which compares golden rows
    session = runtime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    (found,) = session.run(["probabilities"], {given.name: rows.to_numpy("float64")[..., None]})
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)
    described = json.loads((folder / "inputs.json").read_text())["inputs"]
    assert described[0]["columns"] == [f"t{step:02d}" for step in range(STEPS)]

    (tmp_path / "model.py").write_text(bundle_source(load_bundle(run.path)), encoding="utf-8")
    client = runpy.run_path(str(tmp_path / "model.py"))
    loaded = client["load"](run.path / "bundle")
    from_client = client["predict"](loaded, {name: list(rows[name]) for name in rows})
    np.testing.assert_allclose(from_client["p_fast"], expected, atol=1e-5)


def test_errors_are_drawn_with_the_windows_that_decided(tmp_path):
    frame = curves()
    frame.loc[::7, "speed"] = frame.loc[::7, "speed"].map({"fast": "slow", "slow": "fast"})
    run = composable.fit(frame, target="speed", max_trials=1, time_limit=120, out=tmp_path / "run")
    found = json.loads((run.path / "series.json").read_text())
    assert found["errors"]
    error = found["errors"][0]
    assert len(error["channels"][0]) >= STEPS - 3
    assert len(error["windows"]) == 12
    assert all(before[1] == after[0] for before, after in pairwise(error["windows"]))
    assert any(one["row"] % 7 == 1 for one in found["errors"])
    assert "<h2>Series</h2>" in (run.path / "report.html").read_text()
