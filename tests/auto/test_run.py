"""A run answers: by any of its networks, with columns kept, from files laid out as that of the fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import composable
from composable.core.errors import ArtifactError, ConfigError
from composable.data.read import Layout

COLUMNS = ["size", "make", "price"]


@pytest.fixture(scope="module")
def rows(make_table):
    return make_table()[COLUMNS].assign(size=lambda table: table["size"].fillna(0.5))


@pytest.fixture(scope="module")
def run(tmp_path_factory, rows):
    """A run of networks and their ensemble, from a file whose layout differs from the usual one."""
    folder = tmp_path_factory.mktemp("layout")
    rows.to_csv(folder / "cars.csv", index=False, sep="!", decimal=",")
    layout = {"delimiter": "!", "decimal": ","}
    return composable.fit(
        folder / "cars.csv", "price", **layout, max_trials=3, max_epochs=3, out=folder / "run"
    )


def test_a_file_is_read_as_that_of_the_fit_was(run, rows, tmp_path):
    rows.to_csv(tmp_path / "new.csv", index=False, sep="!", decimal=",")
    np.testing.assert_allclose(run.predict(tmp_path / "new.csv"), run.predict(rows))
    assert run.evaluate(tmp_path / "new.csv") == run.evaluate(rows)


def test_another_layout_can_be_stated(run, rows, tmp_path):
    rows.to_csv(tmp_path / "new.csv", index=False, sep="~", decimal=",")
    layout = Layout(delimiter="~")
    np.testing.assert_allclose(run.predict(tmp_path / "new.csv", layout=layout), run.predict(rows))


def test_kept_columns_stand_before_the_answers_as_they_were_read(run, rows):
    asked = rows.assign(number=range(1, 81), **{"a b": "x"}).iloc[::-1]
    answers = run.predict(asked, ids=["number", "make"])
    assert list(answers.columns) == ["number", "make", "prediction"]
    pd.testing.assert_series_equal(answers["number"], asked["number"])
    np.testing.assert_array_equal(answers["prediction"], run.predict(rows)["prediction"][::-1])
    message = " ".join(answers.attrs["notices"])
    assert "'a b'" in message
    assert "number" not in message


def test_kept_columns_that_name_several_rows_alike_are_told(run, rows):
    assert any(
        "share their value of 'make'" in text for text in run.predict(rows, ids=["make"]).attrs["notices"]
    )


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["mak"], "did you mean 'make'"),
        (["make", "make"], "named once"),
        (["prediction"], "must not be called"),
    ],
)
def test_columns_that_can_not_be_kept_are_refused(run, rows, ids, message):
    with pytest.raises(ConfigError) as refused:
        run.predict(rows.assign(prediction=1), ids=ids)
    assert message in str(refused.value)


def test_every_network_and_ensemble_of_a_run_answers(run, rows):
    trials = {row["trial"]: row for row in run.candidates()}
    answering = [number for number, row in trials.items() if row["role"] in ("network", "ensemble")]
    assert len(answering) >= 3
    for number in answering:
        answers = run.predict(rows, trial=number)["prediction"]
        assert np.isfinite(answers).all()
        if trials[number]["deployed"]:
            np.testing.assert_array_equal(answers, run.predict(rows)["prediction"])
        score = run.evaluate(rows, trial=number)["rmse"]
        assert score < 2 * trials[number]["validation"]  # networks have seen most of these rows


def test_a_trial_made_anew_answers_as_when_it_was_deployed(run, rows, monkeypatch):
    deployed = next(row["trial"] for row in run.candidates() if row["deployed"])
    monkeypatch.setitem(run.facts, "deployed", None)
    np.testing.assert_allclose(
        run.predict(rows, trial=deployed)["prediction"], run.predict(rows)["prediction"], rtol=1e-5
    )


def test_what_is_no_network_does_not_answer(run, rows):
    baseline = next(row["trial"] for row in run.candidates() if row["role"] == "baseline")
    with pytest.raises(ConfigError, match="network or an ensemble"):
        run.predict(rows, trial=baseline)
    with pytest.raises(ArtifactError, match="trial"):
        run.predict(rows, trial=99)
