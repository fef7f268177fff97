"""One candidate instead of an ensemble, limits of the deployed model, and presets of such options."""

from __future__ import annotations

import numpy as np
import pytest

import composable
from composable.auto.options import FitOptions, options_from
from composable.auto.presets import PRESETS
from composable.core.errors import ConfigError

TWO = {"max_trials": 2, "max_epochs": 1, "exclude": ["boosted_trees", "extra_trees"]}
BUDGET = {"max_trials": 4, "max_epochs": 3, "exclude": ["boosted_trees", "extra_trees"]}


@pytest.fixture(scope="module")
def cars(make_table):
    return make_table(rows=120)[["size", "make", "sold on", "price"]]


@pytest.fixture(scope="module")
def usual(tmp_path_factory, cars):
    return composable.fit(cars, "price", **BUDGET, out=tmp_path_factory.mktemp("usual") / "run")


def deployed(run):
    return next(row for row in run.candidates() if row["deployed"])


def test_the_best_single_candidate_is_deployed_and_expected_as_such(tmp_path, cars, usual):
    run = composable.fit(cars, "price", **BUDGET, single=True, out=tmp_path / "run")
    networks = [row for row in run.candidates() if row["role"] == "network"]
    assert deployed(run)["model"] == networks[0]["model"]
    assert all(row["role"] != "ensemble" for row in run.candidates())
    assert networks == [  # the same search
        {**row, "deployed": mine["deployed"], "rank": mine["rank"]}
        | {name: mine[name] for name in ("bytes", "latency_ms", "seconds", "parameters")}
        | {name: mine[name] for name in ("expected", "expected_low", "expected_high")}
        for row, mine in zip(
            (row for row in usual.candidates() if row["role"] == "network"), networks, strict=True
        )
    ]
    expected = run.facts["expected"]
    assert expected["low"] <= expected["value"] <= expected["high"]


def test_a_smaller_candidate_wins_where_it_loses_little(tmp_path, cars, usual):
    """Nearly all of the gain may be given up: the smallest that has any is deployed."""
    run = composable.fit(cars, "price", **BUDGET, single=True, tolerance=0.99, out=tmp_path / "run")
    rows = run.candidates()
    constant = next(row["validation"] for row in rows if row["role"] == "reference")
    best = next(row["validation"] for row in rows if row["role"] == "network")
    near = [
        row
        for row in rows
        if row["role"] == "network" and row["validation"] - best <= 0.99 * (constant - best)
    ]
    assert deployed(run)["parameters"] == min(row["parameters"] for row in near)
    assert len(near) > 1
    assert "the smallest that loses at most" in " ".join(notice.text for notice in run.notices) or (
        deployed(run)["model"] == near[0]["model"]
    )


def test_one_network_of_all_rows_takes_the_place_of_those_of_the_folds(tmp_path, cars):
    options = {"max_trials": 1, "max_epochs": 3, "single": True}
    many = composable.fit(cars, "price", **options, out=tmp_path / "many")
    one = composable.fit(cars, "price", **options, one_network=True, out=tmp_path / "one")
    assert deployed(many)["model"] == deployed(one)["model"] == "linear"
    assert 0 < one.model.count_params() < many.model.count_params() / 4
    assert len(one.bundle.card.members[0].postprocessing) == 1
    assert np.isfinite(one.predict(cars)["prediction"]).all()


def test_the_deployed_file_is_no_larger_than_allowed(tmp_path, cars):
    free = composable.fit(cars, "price", **TWO, out=tmp_path / "free")
    linear = next(row["bytes"] for row in free.candidates() if row["model"] == "linear")
    most = int(linear * 0.5)  # one network of the kernel fits, eight linear ones don't
    run = composable.fit(cars, "price", **TWO, max_bytes=most, out=tmp_path / "run")
    assert (run.path / "bundle" / "model.keras").stat().st_size <= most
    assert deployed(run)["bytes"] <= most
    assert all(row["bytes"] is None or row["bytes"] <= most for row in run.candidates())


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"max_bytes": 1000}, r"max_bytes=1000; the smallest one, \w+, is \d networks? of \d+ bytes"),
        ({"max_latency": 1e-6}, r"max_latency=1e-06; the smallest one, \w+, is .* ms for a row"),
        ({"max_parameters": 3, "max_bytes": 1000}, r"max_parameters=3; .*; max_bytes=1000; "),
    ],
)
def test_impossible_limits_are_refused_before_training_and_name_the_least(tmp_path, cars, limit, message):
    with pytest.raises(ConfigError, match=message):
        composable.fit(cars, "price", max_trials=2, **limit, out=tmp_path / "run")
    assert not list((tmp_path / "run").glob("trials/*/fold-*.npz"))


def test_slower_candidates_than_allowed_are_not_deployed(tmp_path, cars, monkeypatch):
    from composable.auto.trainings import Trainings

    cost = Trainings._cost
    slow = {"linear": 1.0, "kernel": 9.0}

    def timed(self, trainer, networks):
        found = cost(self, trainer, networks)
        return found | {"latency_ms": networks * slow[trainer.candidate.name]}

    monkeypatch.setattr(Trainings, "_cost", timed)
    run = composable.fit(cars, "price", max_trials=2, max_epochs=1, max_latency=8.0, out=tmp_path / "run")
    assert deployed(run)["model"] == "linear"
    assert "kernel" not in {row["model"] for row in run.candidates()}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_what_is_left_at_its_default_alone(name):
    options = options_from({"preset": name}, origin="a test")
    assert {key: getattr(options, key) for key in PRESETS[name]} == dict(PRESETS[name])
    rest = FitOptions(**{**PRESETS[name], "preset": name})
    assert options == rest
    own = options_from({"preset": name, "max_trials": 7, "seed": 3}, origin="a test")
    assert (own.max_trials, own.seed) == (7, 3)
    assert options_from({"preset": name, "max_trials": None}, origin="a test") == options


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"tolerance": 0.1}, "among single ones"),
        ({"single": True, "tolerance": 1.5}, "below 1"),
        ({"one_network": True, "no_refit": True}, "fitted again"),
        ({"interpretable": True, "design": "mlp"}, "design of your own"),
        ({"preset": "fastest"}, "preset"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(options, rule):
    with pytest.raises(ConfigError, match=rule):
        options_from(options, origin="a test")


def test_only_linear_models_are_tried_where_they_shall_be_read(tmp_path, cars):
    run = composable.fit(cars, "price", preset="interpretable", max_epochs=2, out=tmp_path / "run")
    assert {row["model"] for row in run.candidates() if row["role"] == "network"} == {"linear"}


def test_where_nothing_can_be_read_that_is_said(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8, 1), dtype=np.uint8)
    data = {"x": images, "y": np.arange(60) % 2}
    with pytest.raises(ConfigError, match="no candidate is"):
        composable.fit(data, "y", interpretable=True, max_trials=1, out=tmp_path / "run")


def test_an_estimator_takes_the_number_of_candidates_of_a_preset(cars, monkeypatch):
    seen = []

    def fit(data, options, **_):
        seen.append(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("composable.auto.estimators.fit", fit)
    for preset, trials in (("best", 200), ("small", 3), (None, 3)):
        with pytest.raises(KeyboardInterrupt):
            composable.Regressor(preset=preset).fit(cars[["size"]], cars["price"])
        assert seen.pop().max_trials == trials
