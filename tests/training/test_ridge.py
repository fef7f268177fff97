"""Ridge regression on the features of MiniRocket is solved for, and the network says what was solved."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.design import Part
from composable.engine.predict import predict
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.training.candidate import Candidate, Material
from composable.training.closed_form import NetworkPool
from composable.training.folds import FoldTrainer
from composable.training.ridge import System, ridge
from composable.zoo.minirocket import minirocket

ROWS = 120
TEST = np.arange(100, ROWS)
FOLDS = {0: Fold(np.arange(80), np.arange(80, 100), TEST)}
HEADS = {
    "regression": Head("y", "regression", ("y",)),
    "binary": Head("y", "binary", ("y",), (0, 1)),
    "multiclass": Head("y", "multiclass", ("y",), ("a", "b", "c")),
    "multilabel": Head("y", "multilabel", ("y", "z"), (0, 1)),
}


def material(*kinds, weights=None):
    """Series of 30 steps whose targets say how often they go up and down."""
    rng = np.random.default_rng(0)
    speed = rng.uniform(0.2, 1.2, (ROWS, 1))
    steps = np.sin(speed * np.arange(30) + rng.uniform(0, 6, (ROWS, 1))) + rng.normal(0, 0.2, (ROWS, 30))
    targets = {
        "regression": 100.0 + 10.0 * speed,
        "binary": (speed > 0.7) * 1.0,
        "multiclass": np.digitize(speed, (0.5, 0.9)) * 1.0,
        "multilabel": np.concatenate([speed > 0.7, speed > 0.4], axis=1) * 1.0,
    }
    problem = Problem(tuple(HEADS[kind] for kind in kinds), "log_loss" if "binary" in kinds else "rmse")
    inputs = {"series": steps[..., None].astype("float32")}
    return Material(problem, inputs, tuple(targets[kind] for kind in kinds), (), weights)


def trainer_of(given, **metaparameters):
    tasks = DataFacts(given.problem, 80, {}, ()).tasks
    design = minirocket(features=84 * 8, max_dilations=4).with_tasks(*tasks)
    solver = Part(ridge, **metaparameters)
    return FoldTrainer(Candidate("minirocket", design, Settings(), solver=solver), given)


def solved(given, deadline=None, **metaparameters):
    trainer = trainer_of(given, **metaparameters)
    (trained,) = trainer.train(FOLDS, seed=0, deadline=deadline or Deadline())
    trainer.network.set_weights(trained.weights)
    return trainer, trained


@pytest.mark.parametrize("kinds", [(kind,) for kind in HEADS] + [("regression", "binary")])
def test_a_solved_network_tells_the_held_out_rows(kinds):
    given = material(*kinds)
    trainer, trained = solved(given)
    for place, kind in enumerate(kinds):
        outputs, observed = trained.test[place], given.targets[place][100:]
        if kind == "regression":
            step = trained.postprocessing[place]
            assert np.abs(outputs * step.scale + step.offset - observed).mean() < 1
        elif kind == "multiclass":
            assert (outputs.argmax(axis=1) == observed[:, 0]).mean() >= 0.85
        else:
            assert ((outputs > 0) == observed).mean() >= 0.85
    again = predict(trainer.network, given.at(TEST))
    for outputs, expected in zip(again, trained.test, strict=True):
        np.testing.assert_allclose(outputs, expected, atol=1e-4)


def test_scores_are_as_sure_as_rows_that_are_left_out_allow():
    """One answer in five is wrong, which a kernel of so many features could learn by heart."""
    given = material("binary")
    wrong = np.random.default_rng(1).random(ROWS) < 0.2
    given.targets[0][wrong] = 1.0 - given.targets[0][wrong]
    _, trained = solved(given)
    right = np.where(given.targets[0][100:] > 0, 1, -1) * trained.test[0]
    assert np.log1p(np.exp(-right)).mean() < 0.75


@pytest.mark.parametrize("shape", [(15, 40), (40, 15)])
def test_what_each_row_would_be_told_if_it_were_left_out_needs_no_fit_of_its_own(shape):
    rng = np.random.default_rng(0)
    features, wanted = rng.normal(size=shape).astype("float32"), rng.normal(size=(shape[0], 2))
    features[:, 3] = 5.0
    weights = rng.uniform(0.1, 2.0, shape[0])
    system = System.of(features, weights)
    coefficients, bias, left_out = system.solve(wanted, 0.05)
    scaled = (features - system.mean) / system.deviation
    normed = weights / weights.mean()
    model = SklearnRidge(0.05 * system.usual).fit(scaled, wanted, normed)
    np.testing.assert_allclose(scaled @ coefficients + bias, model.predict(scaled), atol=1e-5)
    for row in range(shape[0]):
        others = np.arange(shape[0]) != row
        model = SklearnRidge(0.05 * system.usual).fit(scaled[others], wanted[others], normed[others])
        np.testing.assert_allclose(left_out[row], model.predict(scaled[[row]])[0], atol=1e-4)
    assert not coefficients[3].any()


def test_rows_without_weight_say_nothing():
    weights = np.ones(ROWS, "float32")
    weights[:40] = 0.0
    given = material("regression", weights=weights)
    given.targets[0][:40] += 500.0
    _, trained = solved(given)
    step = trained.postprocessing[0]
    away = trained.test[0] * step.scale + step.offset - given.targets[0][100:]
    assert np.median(np.abs(away)) < 10


def test_of_more_rows_than_it_learns_from_some_are_drawn():
    few, all_of_them = (solved(material("regression"), rows=rows)[1].test[0] for rows in (30, 80))
    assert np.abs(few - all_of_them).max() > 1e-3


def test_all_rows_are_solved_for_by_the_penalty_that_folds_chose():
    given = material("regression")
    halves = np.split(np.random.default_rng(0).permutation(100), 2)
    folds = [Fold(halves[1 - n], halves[n], TEST) for n in range(2)]
    trainer = trainer_of(given)
    found = trainer.train(dict(enumerate(folds)), seed=0, deadline=Deadline())
    whole = trainer.refit(found, folds, seed=0, deadline=Deadline())
    assert whole.chosen == {"penalty": np.median([one.chosen["penalty"] for one in found])}
    assert len(whole.history.epochs) == 1


def test_after_the_deadline_one_penalty_is_enough():
    _, trained = solved(material("binary"), deadline=Deadline(0.0))
    assert len(trained.history.epochs) == 1


def test_folds_are_fitted_by_few_networks_that_each_begin_as_they_were_built():
    built = []

    def build():
        built.append(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
        return built[-1]

    pool = NetworkPool(build)
    with pool.lending() as first, pool.lending() as second:
        assert first() is not second()
    begun = [network.get_weights() for network in built]
    for _ in range(3):
        with pool.lending() as fresh:
            network = fresh()
            assert any(network is one for one in built)
            for value, expected in zip(network.get_weights(), begun[built.index(network)], strict=True):
                np.testing.assert_array_equal(value, expected)
            network.set_weights([np.ones_like(value) for value in network.get_weights()])
    assert len(built) == 2


def test_a_head_learns_from_the_rows_that_have_its_target():
    """No row has both targets."""
    given = material("regression", "binary")
    given.targets[0][::2], given.targets[1][1::2] = np.nan, np.nan
    _, trained = solved(given)
    amounts, classes = material("regression", "binary").targets
    step = trained.postprocessing[0]
    assert np.abs(trained.test[0] * step.scale + step.offset - amounts[TEST]).mean() < 1.5
    assert ((trained.test[1] > 0) == classes[TEST]).mean() > 0.8


def test_a_label_is_learned_from_the_rows_that_have_it():
    given = material("multilabel")
    given.targets[0][::2, 0], given.targets[0][1::2, 1] = np.nan, np.nan
    _, trained = solved(given)
    assert ((trained.test[0] > 0) == material("multilabel").targets[0][TEST]).mean() > 0.8
