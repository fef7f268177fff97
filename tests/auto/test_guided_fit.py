"""A person guides a fit, at its start and while it goes on; suggestions follow the portfolio."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

import composable
from composable.core.errors import ArtifactError, ConfigError
from composable.search.space import value_at
from composable.training.candidate import from_plain

OTHERS = ["linear", "kernel", "boosted_trees", "extra_trees", "tabm_mini", "realmlp"]
FEW = {"exclude": OTHERS, "max_epochs": 2, "seed": 3}
NETWORK = ("mlp", "mlp_0", "mlp_1", "mlp_2")


def candidates(run):
    """The candidates that were begun, by the numbers of their trials."""
    found = {}
    for path in run.path.glob("trials/*/candidate.json"):
        found[int(path.parent.name)] = from_plain(json.loads(path.read_text())["candidate"])
    return [found[number] for number in sorted(found)]


def scores(run):
    return {
        (row["trial"], row["model"]): row["validation"]
        for row in run.candidates()
        if row["role"] == "network"
    }


@pytest.fixture(scope="module")
def module_csv(tmp_path_factory, make_table):
    path = tmp_path_factory.mktemp("data") / "cars.csv"
    make_table()[["size", "make", "price"]].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def through(tmp_path_factory, module_csv):
    """Four candidates: the portfolio's one and three suggestions."""
    return composable.fit(
        module_csv,
        "price",
        **FEW,
        max_trials=4,
        sampler="random",
        out=tmp_path_factory.mktemp("runs") / "run",
    )


def test_suggestions_follow_the_portfolio_within_the_space(through):
    found = candidates(through)
    assert [one.name for one in found] == list(NETWORK)
    assert len({(one.settings.learning_rate, repr(one.architecture)) for one in found}) == 4
    assert all(5e-4 <= one.settings.learning_rate <= 5e-3 for one in found)


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(through, module_csv, tmp_path):
    def stop(seen):
        if seen["event"] == "trial_end" and seen["name"] == "mlp_0":
            raise KeyboardInterrupt

    options = FEW | {"max_trials": 4, "sampler": "random", "out": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        composable.fit(module_csv, "price", **options, progress=stop)
    assert scores(composable.fit(module_csv, "price", **options)) == scores(through)


@pytest.mark.slow
def test_the_same_trials_come_with_two_workers(through, module_csv, tmp_path):
    run = composable.fit(
        module_csv, "price", **FEW, max_trials=4, sampler="random", workers=2, out=tmp_path / "run"
    )
    assert candidates(run) == candidates(through)
    by_name = [{model: score for (_, model), score in scores(one).items()} for one in (run, through)]
    assert by_name[0] == pytest.approx(by_name[1])


@pytest.mark.slow
def test_the_same_trials_come_with_two_workers_where_earlier_ones_decide(module_csv, tmp_path):
    options = FEW | {"max_trials": 7, "sampler": "tpe"}  # more than the first batch of suggestions
    one, two = (
        composable.fit(module_csv, "price", **options, workers=workers, out=tmp_path / str(workers))
        for workers in (1, 2)
    )
    assert candidates(one) == candidates(two)
    assert scores(one) == pytest.approx(scores(two))


def test_decisions_change_while_a_run_goes_on(module_csv, tmp_path):
    options = FEW | {"out": tmp_path / "run"}
    before = scores(composable.fit(module_csv, "price", **options, max_trials=1))
    run = composable.fit(
        module_csv, "price", **options, max_trials=3, pins={"units": 24}, ranges={"lr": "2e-3:3e-3"}
    )
    found = candidates(run)
    assert before.items() <= scores(run).items()
    assert [one.name for one in found] == ["mlp", "mlp", "mlp_0"]
    assert [value_at(one, "learner.0.units") for one in found] == [256, 24, 24]
    assert all(2e-3 <= one.settings.learning_rate <= 3e-3 for one in found[1:])


def test_a_complete_run_that_is_guided_alike_is_complete(through, module_csv):
    events = []
    options = FEW | {"max_trials": 4, "sampler": "random", "out": through.path}
    composable.fit(module_csv, "price", **options, progress=events.append)
    assert [one["event"] for one in events] == ["end"]


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"pins": ["unitz=3"]}, "--set unitz=3"),
        ({"pins": ["units=3"], "ranges": ["units=2:9"]}, "--set units=3 and --range units=2:9"),
        (
            {"training": ["learning_rate=0.1"], "pins": ["lr=0.2"]},
            "--training learning_rate and --set lr=0.2",
        ),
        ({"ranges": ["units=8:2000000000"]}, "the largest"),
        ({"exclude": ["tables"]}, "--exclude tables"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(module_csv, tmp_path, options, received):
    with pytest.raises(ConfigError) as refused:
        composable.fit(module_csv, "price", **options, max_epochs=1, out=tmp_path / "run")
    assert received in refused.value.received
    assert not list((tmp_path / "run").glob("trials/*/fold-*"))


def told(folder):
    """What the study of a run holds."""
    connection = sqlite3.connect(folder / "study.db")
    try:
        rows = connection.execute(
            "SELECT value_json FROM trial_user_attributes WHERE key = 'name' ORDER BY trial_id"
        ).fetchall()
        values = connection.execute("SELECT value FROM trial_values ORDER BY trial_id").fetchall()
    finally:
        connection.close()
    return [json.loads(name) for (name,) in rows], [value for (value,) in values]


def test_the_study_holds_every_candidate_and_is_written_anew_where_it_is_gone(through, module_csv, tmp_path):
    names, values = told(through.path)
    assert names == list(NETWORK)
    assert sorted(values) == pytest.approx(sorted(scores(through).values()))
    again = shutil.copytree(through.path, tmp_path / "run")
    (again / "study.db").unlink()
    options = FEW | {"max_trials": 5, "sampler": "random", "out": again}
    composable.fit(module_csv, "price", **options)
    more, _ = told(again)
    assert more == [*NETWORK, "mlp_3"]


def test_a_damaged_study_is_named_before_anything_is_trained(through, module_csv, tmp_path):
    again = shutil.copytree(through.path, tmp_path / "run")
    (again / "study.db").write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match=r"study\.db"):
        composable.fit(module_csv, "price", **FEW, max_trials=5, sampler="random", out=again)
