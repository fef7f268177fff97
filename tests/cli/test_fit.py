"""`fit`: flags become options, progress goes to standard error, the outcome to standard output."""

import json

import pytest

from composable.auto.options import FitOptions


def test_every_flag_reaches_the_options(command, auto, tmp_path):
    done = command(
        "fit", "cars.csv", "--target", "price", "--target", "mpg", "--problem", "regression",
        "--metric", "mae", "--time-limit", 60, "--max-trials", 3, "--max-epochs", 9, "--split", "column:make",
        "--duplicates", "apart", "--test", "t.csv", "--schema", "s.json",
        "--drop", "id", "--seed", 5, "--encoding", "latin-1", "--delimiter", "tab", "--decimal", ",",
        "--date-order", "day-first", "--drop-missing-target", "--allow-leaks", "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert auto.options == FitOptions(
        target=("price", "mpg"),
        problem="regression",
        metric="mae",
        time_limit=60.0,
        max_trials=3,
        max_epochs=9,
        split="column:make",
        duplicates="apart",
        schema="s.json",
        test="t.csv",
        seed=5,
        drop=("id",),
        encoding="latin-1",
        delimiter="tab",
        decimal=",",
        date_order="day-first",
        drop_missing_target=True,
        allow_leaks=True,
    )


def test_the_config_file_fills_what_was_not_typed(command, auto, tmp_path):
    (tmp_path / "fit.yaml").write_text("target: price\nseed: 3\nallow-leaks: true\n")
    command("fit", "cars.csv", "--seed", "7", "--config", tmp_path / "fit.yaml")
    assert (auto.options.target, auto.options.seed, auto.options.allow_leaks) == (("price",), 7, True)


def test_the_end_shows_leaderboard_deployed_model_and_report(command, auto):
    done = command("fit", "cars.csv", "--target", "price", "--out", "runs/cars")
    assert "Leaderboard by rmse, lower is better" in done.out
    assert "Deployed: tabm_mini in runs/cars/bundle" in done.out
    assert "runs/cars/report.html" in done.out
    assert "never deployed" in done.out


def test_progress_goes_to_standard_error_alone(command, auto):
    done = command("fit", "cars.csv", "--target", "price")
    assert "Read 201 rows, 26 columns." in done.err
    assert "Note: price is a number (--problem)" in done.err
    assert "Trial 1, tabm_mini: rmse 2100 in 12 s." in done.err
    assert "Read 201 rows" not in done.out


def test_json_stands_alone_on_standard_output(command, auto):
    done = command("fit", "cars.csv", "--target", "price", "--json")
    answer = json.loads(done.out)
    assert (answer["status"], answer["deployed"]) == ("complete", "tabm_mini")
    assert [row["rank"] for row in answer["leaderboard"]] == [1, 2, None]


def test_an_interrupted_fit_shows_what_it_has_and_ends_with_130(command, auto):
    auto.events[-1] = {"event": "end", "status": "interrupted", "seconds": 5.0}
    auto.failure = KeyboardInterrupt()
    stopped = command("fit", "cars.csv", "--target", "price")
    assert stopped.code == 130
    assert "Deployed: tabm_mini in runs/cars/bundle" in stopped.out
    assert "the same command continues" in stopped.err


@pytest.mark.parametrize(
    "typed",
    [
        ("--time-limit", "0"),
        ("--time-limit", "-5"),
        ("--time-limit", "nan"),
        ("--max-trials", "0"),
        ("--max-epochs", "0"),
        ("--seed", "-1"),
    ],
)
def test_impossible_budgets_are_refused(command, auto, typed):
    refused = command("fit", "cars.csv", "--target", "price", *typed)
    assert (refused.code, auto.options) == (2, None)
    assert typed[0].strip("-") in refused.err.replace("_", "-")


def test_interrupted_before_there_is_anything(command, auto):
    auto.events, auto.failure = auto.events[:3], KeyboardInterrupt()
    stopped = command("fit", "cars.csv", "--target", "price")
    assert (stopped.code, stopped.out) == (130, "")


def test_a_run_that_is_complete_says_so(command, auto):
    auto.events = [{"event": "end", "status": "already complete", "seconds": 0.0}]
    done = command("fit", "cars.csv", "--target", "price")
    assert done.code == 0
    assert "Nothing to do: this run is complete." in done.err
    assert "Deployed: tabm_mini" in done.out
