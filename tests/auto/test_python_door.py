"""What a fit that is called from Python shows: nothing, warnings, or what the command line shows."""

from __future__ import annotations

import logging
import os
import warnings

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

import composable
from composable import ComposableWarning

SMALL = {"max_trials": 1, "max_epochs": 2}


@pytest.fixture
def missing(cars):
    """The cars, of which one has no price: leaving it out is a warning."""
    return cars[["size", "make", "price"]].assign(price=cars["price"].mask(cars.index == 3))


def test_warnings_and_choices_go_where_python_programs_look_for_them(missing, tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO, "composable")
    with pytest.warns(ComposableWarning, match="without a target are left out"):
        composable.fit(missing, "price", drop_missing_target=True, **SMALL, out=tmp_path / "run")
    assert caplog.messages
    assert not any("left out" in message for message in caplog.messages)
    assert capfd.readouterr() == ("", "")


def test_progress_shows_what_the_command_line_shows(cars, tmp_path, capfd):
    frame = cars[["size", "make", "price"]]
    composable.fit(frame, "price", progress=True, **SMALL, out=tmp_path / "run")
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "Read 80 rows, 3 columns." in shown.err
    assert "rmse" in shown.err


def test_verbose_0_is_silent(missing, tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO, "composable")
    options = {"drop_missing_target": True, "progress": True, "verbose": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ComposableWarning)
        composable.fit(missing, "price", **options, **SMALL, out=tmp_path / "run")
    assert capfd.readouterr() == ("", "")
    assert not caplog.messages


def test_the_test_may_be_a_frame(cars, tmp_path):
    frame = cars[["size", "make", "price"]]
    run = composable.fit(frame[:60], "price", test=frame[60:], **SMALL, out=tmp_path / "run")
    cars.iloc[60:][["size", "make", "price"]].to_csv(tmp_path / "test.csv", index=False)
    assert run.facts["data"]["test_origin"] == "DataFrame"
    assert run.facts["split"]["rows"]["test"] == 20
    (deployed,) = [row for row in run.candidates() if row["deployed"]]
    assert deployed["test"] == pytest.approx(run.evaluate(tmp_path / "test.csv")["rmse"], rel=1e-4)


def test_the_leaderboard_is_a_frame_and_the_report_a_path(fitted):
    run = fitted("regression")
    board = run.leaderboard()
    assert isinstance(board, pd.DataFrame)
    assert board["model"].tolist() == [row["model"] for row in run.candidates()]
    assert os.path.exists(run.report())  # noqa: PTH110 (that it is taken as a path is what is tested)


def test_the_source_of_the_model_is_a_program(fitted):
    compile(fitted("regression").source(), "source.py", "exec")


CELLS = (
    "import composable; run = composable.Run(RUN); run",
    "run.leaderboard()",
    "run.report()",
)


@pytest.mark.slow
def test_a_notebook_draws_the_run_the_leaderboard_and_the_report(fitted):
    path = str(fitted("regression").path)
    cells = [nbformat.v4.new_code_cell(cell.replace("RUN", repr(path))) for cell in CELLS]
    done = NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=300).execute()
    drawn = [cell.outputs[-1]["data"]["text/html"] for cell in done.cells]
    assert "<iframe" in drawn[0]
    assert "<table" in drawn[1]
    assert "<iframe" in drawn[2]
