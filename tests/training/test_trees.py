"""Trees are grown by scikit-learn, and the network says what they say."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.design import Part
from composable.engine.predict import predict
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.training import boosted_trees as boosted
from composable.training import forest as forests
from composable.training.candidate import Candidate, Material
from composable.training.folds import FoldTrainer
from composable.zoo.boosted_trees import boosted_trees, tree_scores
from composable.zoo.forest import forest, forest_scores

ROWS = 400
FOLDS = {0: Fold(np.arange(300), np.arange(300, 350), np.arange(350, ROWS))}
HEADS = {
    "regression": Head("y", "regression", ("y",)),
    "binary": Head("y", "binary", ("y",), (0, 1)),
    "multiclass": Head("y", "multiclass", ("y",), ("a", "b", "c", "never")),
    "multilabel": Head("y", "multilabel", ("y", "z"), (0, 1)),
}
CODES = (5, 300)
random = np.random.default_rng(0)


def columns(rows=1500):
    """Codes, one column with more than a split tells apart, and numbers, some missing; and a target."""
    numbers = random.normal(size=(rows, 3)).astype("float32")
    codes = np.stack([random.integers(0, most, rows) for most in (4, 255)], axis=1).astype("float32")
    effects = random.normal(size=255)
    y = numbers[:, 0] * codes[:, 0] + effects[codes[:, 1].astype(int)] + (numbers[:, 1] > 0.5)
    numbers[::5, 0] = np.nan
    numbers[y > 2, 2] = np.nan  # what is missing says something
    return np.concatenate([codes, numbers], axis=1), y


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_boosted_trees_in_the_graph_say_what_scikit_learn_says(kind):
    x, y = columns()
    arguments = {"max_iter": 25, "categorical_features": np.arange(5) < 2, "early_stopping": False}
    if kind == "regression":
        model = HistGradientBoostingRegressor(**arguments).fit(x, y)
    else:
        model = HistGradientBoostingClassifier(**arguments).fit(
            x, np.digitize(y, (0.0, 1.5)[: 1 + (kind == "multiclass")])
        )
    start = model._baseline_prediction.ravel()
    trees = boosted.Trees((model,), (tuple(range(len(start))),), start)
    inputs = keras.Input((5,))
    scores = tree_scores(inputs, units=len(start), rounds=30, categories=CODES, name="logits")
    network = keras.Model(inputs, scores)
    for name, values in boosted.tables_of(trees, 30, 31, CODES).items():
        network.get_layer(f"logits_{name}").set_weights([values.reshape(1, -1)])
    unseen = x.copy()
    unseen[:50, 0] = 4.0
    unseen[50:60, 2:] = np.nan
    unseen[60:70, 2:] = 1e30
    expected = np.asarray(model._raw_predict(unseen.astype("float64")))
    found = network.predict(unseen, verbose=0)
    np.testing.assert_allclose(found, expected, atol=3e-6 * max(1.0, expected.std()))


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("regression", ExtraTreesRegressor),
        ("regression", RandomForestRegressor),
        ("binary", RandomForestClassifier),
        ("multiclass", ExtraTreesClassifier),
    ],
)
def test_a_forest_in_the_graph_says_what_scikit_learn_says(kind, family, monkeypatch):
    monkeypatch.setattr(forests, "_PRIOR", 0.0)  # which scikit-learn doesn't have
    x, y = columns()
    head = HEADS[kind]
    wanted = y if kind == "regression" else np.digitize(y, (0.0, 1.5)[: 1 + (kind == "multiclass")])
    model = family(12, max_depth=10, min_samples_leaf=3, random_state=0).fit(x, wanted)
    inputs = keras.Input((5,))
    scores = forest_scores(inputs, units=head.width, trees=20, nodes=20_000, depth=10, name="logits")
    network = keras.Model(inputs, scores)
    forests.fill_layers(network, "logits", head, model)
    logits = network.predict(x, verbose=0)
    if kind == "regression":
        np.testing.assert_allclose(logits[:, 0], model.predict(x), atol=1e-5)
    elif kind == "binary":
        np.testing.assert_allclose(1 / (1 + np.exp(-logits[:, 0])), model.predict_proba(x)[:, 1], atol=1e-5)
    else:
        np.testing.assert_allclose(np.exp(logits[:, :3]), model.predict_proba(x), atol=1e-5)


def material(*kinds, weights=None):
    """Rows whose targets follow a step of one number and a category."""
    rng = np.random.default_rng(1)
    numbers = rng.uniform(-1, 1, (ROWS, 2)).astype("float32")
    codes = rng.integers(2, 4, (ROWS, 1)).astype("int32")
    step = np.sign(numbers[:, :1]) * (2 * codes - 5) + 0.3 * numbers[:, 1:]
    targets = {
        "regression": 100.0 + 10.0 * step,
        "binary": (step > 0) * 1.0,
        "multiclass": np.digitize(step, (-0.9, 0.9)) * 1.0,
        "multilabel": np.concatenate([step > 0, numbers[:, :1] > 0], axis=1) * 1.0,
    }
    problem = Problem(tuple(HEADS[kind] for kind in kinds), "rmse" if "regression" in kinds else "log_loss")
    inputs = {"numbers": numbers, "categories": codes}
    return Material(problem, inputs, tuple(targets[kind] for kind in kinds), (4,), weights)


def trees_of(given, which):
    """A candidate of these trees."""
    facts = DataFacts(given.problem, 300, given.widths, given.categories)
    if which == "boosted_trees":
        design = boosted_trees(tasks=facts.tasks, categories=(4,), rounds=40, leaves=8)
        solver = Part(boosted.boosted_trees, leaves=8, categories=(4,), learning_rate=0.2)
    else:
        design = forest(tasks=facts.tasks, categories=(4,), trees=30, nodes=8_000, depth=10)
        solver = Part(forests.forest, kind=which, depth=10, categories=(4,))
    return Candidate(which, design, Settings(), solver=solver)


def solved(given, which):
    trainer = FoldTrainer(trees_of(given, which), given)
    (trained,) = trainer.train(FOLDS, seed=0, deadline=Deadline())
    trainer.network.set_weights(trained.weights)
    return trainer, trained


WHICH = pytest.mark.parametrize("which", ["boosted_trees", "extra_trees", "random_forest"])


@WHICH
def test_every_kind_of_target_is_learned_at_once(which):
    given = material("regression", "binary", "multiclass", "multilabel")
    _, trained = solved(given, which)
    y = given.targets[0][350:, 0]
    answers = trained.test[0][:, 0]
    assert np.corrcoef(answers, y)[0, 1] > 0.9
    assert ((trained.test[1] > 0) == (given.targets[1][350:] > 0.5)).mean() > 0.9
    assert (trained.test[2].argmax(axis=1) == given.targets[2][350:, 0]).mean() > 0.8
    assert ((trained.test[3] > 0) == (given.targets[3][350:] > 0.5)).mean() > 0.9
    assert trained.test[2][:, 3].max() < trained.test[2][:, :3].min()  # the class that no row has


@WHICH
def test_rows_without_some_target_are_learned_from_by_the_others(which):
    given = material("regression", "binary")
    given.targets[0][:150] = np.nan
    _, trained = solved(given, which)
    assert all(np.isfinite(head).all() for head in trained.test)
    assert ((trained.test[1] > 0) == (given.targets[1][350:] > 0.5)).mean() > 0.9


@WHICH
def test_weights_count(which):
    """Of two contradicting halves the heavy one wins."""
    given = material("binary")
    for values in given.inputs.values():
        values[150:300] = values[:150]
    given.targets[0][150:300] = 1.0 - given.targets[0][:150]
    weights = np.ones(ROWS)
    weights[150:300] = 0.02
    _, trained = solved(replace(given, weights=weights), which)
    assert ((trained.test[0] > 0) == (given.targets[0][350:] > 0.5)).mean() > 0.9


@WHICH
@pytest.mark.parametrize("only", [0.0, 1.0])
def test_one_class_alone_is_answered_with_certainty(which, only):
    given = material("binary")
    given.targets[0][:] = only
    _, trained = solved(given, which)
    assert ((trained.test[0] > 0) == bool(only)).all()


def test_held_out_rows_choose_how_many_rounds_there_are():
    """Of targets that are noise few are kept; fewer rounds by another choice are those of a shorter fit."""
    given = material("binary")
    given.targets[0][:] = np.random.default_rng(2).integers(0, 2, (ROWS, 1))
    trainer, noise = solved(given, "boosted_trees")
    _, signal = solved(material("binary"), "boosted_trees")
    assert noise.chosen["rounds"] < signal.chosen["rounds"]
    values = trainer.network.get_layer("head_0_logits_values").get_weights()[0].reshape(40, 8)
    assert values[: int(noise.chosen["rounds"])].any(axis=1).all()
    assert not values[int(noise.chosen["rounds"]) :].any()


def test_the_clock_ends_growing_after_some_rounds():
    given = material("regression")
    trainer = FoldTrainer(trees_of(given, "boosted_trees"), given)
    (trained,) = trainer.train(FOLDS, seed=0, deadline=Deadline(1e-9))
    assert 1 <= trained.chosen["rounds"] <= 5
    assert np.isfinite(trained.test[0]).all()


def test_a_design_of_trees_is_refused():
    from composable.core.errors import ConfigError
    from composable.modality.trees import refuse_trees

    given = material("regression")
    model = FoldTrainer(trees_of(given, "boosted_trees"), given).network
    with pytest.raises(ConfigError, match="Trees are grown"):
        refuse_trees(model, "boosted_trees", DataFacts(given.problem, 300, given.widths, (4,)))


def test_a_forest_without_room_for_a_tree_is_refused():
    given = material("regression")
    candidate = trees_of(given, "extra_trees")
    design = forest(tasks=DataFacts(given.problem, 300, given.widths, (4,)).tasks, categories=(4,), nodes=4)
    with pytest.raises(ValueError, match="larger than"):
        FoldTrainer(replace(candidate, architecture=design), given).train(FOLDS, seed=0, deadline=Deadline())


@WHICH
def test_the_outputs_are_those_of_the_network(which):
    given = material("multiclass")
    trainer, trained = solved(given, which)
    (answers,) = predict(trainer.network, given.at(FOLDS[0].test))
    np.testing.assert_allclose(answers, trained.test[0], atol=1e-5)


@WHICH
def test_growing_is_expected_to_take_longer_of_more_rows(which):
    network = FoldTrainer(trees_of(material("multiclass"), which), material("multiclass")).network
    few, many = (forests.growing_work(network, rows) for rows in (1_000, 100_000))
    assert 0 < few < many / 2
