"""Kernel ridge regression is solved for, and the network says what was solved."""

from dataclasses import replace

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.engine.predict import predict
from composable.modality import candidates
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.training.candidate import Material
from composable.training.folds import FoldTrainer

ROWS = 240
TEST = np.arange(200, ROWS)
FOLDS = {0: Fold(np.arange(160), np.arange(160, 200), TEST)}
HEADS = {
    "regression": Head("y", "regression", ("y",)),
    "binary": Head("y", "binary", ("y",), (0, 1)),
    "multiclass": Head("y", "multiclass", ("y",), ("a", "b", "c")),
    "multilabel": Head("y", "multilabel", ("y", "z"), (0, 1)),
}


def material(*kinds, weights=None):
    """Rows whose targets follow a curve of one number and a category."""
    rng = np.random.default_rng(0)
    numbers = rng.uniform(-1, 1, (ROWS, 2)).astype("float32")
    codes = rng.integers(2, 4, (ROWS, 1)).astype("int32")
    curve = np.sin(3 * numbers[:, :1]) * (2 * codes - 5)
    third = np.digitize(curve, (-0.4, 0.4))
    targets = {
        "regression": 100.0 + 10.0 * curve,
        "binary": (curve > 0) * 1.0,
        "multiclass": third * 1.0,
        "multilabel": np.concatenate([curve > 0, curve > 0.4], axis=1) * 1.0,
    }
    problem = Problem(tuple(HEADS[kind] for kind in kinds), "log_loss" if "binary" in kinds else "rmse")
    inputs = {"numbers": numbers, "categories": codes}
    return Material(problem, inputs, tuple(targets[kind] for kind in kinds), (4,), weights)


def kernel(given, rows=160):
    table = DataFacts(given.problem, rows, given.widths, given.categories)
    (found,) = [one for one in candidates_of(table) if one.name == "kernel"]
    return found


def candidates_of(table):
    found = candidates(table, seed=0)
    return [next(found) for _ in range(4)]


def solved(given, rows=160, deadline=None):
    trainer = FoldTrainer(kernel(given, rows), given)
    (trained,) = trainer.train(FOLDS, seed=0, deadline=deadline or Deadline())
    trainer.network.set_weights(trained.weights)
    return trainer, trained


@pytest.mark.parametrize("kinds", [(kind,) for kind in HEADS] + [("regression", "binary")])
def test_a_solved_network_tells_the_held_out_rows(kinds):
    given = material(*kinds)
    trainer, trained = solved(given)
    for place, kind in enumerate(kinds):
        outputs, observed = trained.test[place], given.targets[place][200:]
        if kind == "regression":
            last_step = trained.postprocessing[place]
            assert np.abs(outputs * last_step.scale + last_step.offset - observed).mean() < 2
        elif kind == "multiclass":
            assert (outputs.argmax(axis=1) == observed[:, 0]).mean() > 0.85
        else:
            assert ((outputs > 0) == observed).mean() > 0.85
    assert trained.history.stopped == "closed_form"
    again = predict(trainer.network, given.at(np.arange(200, ROWS)))
    for outputs, expected in zip(again, trained.test, strict=True):
        np.testing.assert_allclose(outputs, expected, atol=1e-4)


def test_a_few_held_out_rows_do_not_make_it_too_sure():
    """One answer in five is wrong, but by chance none of the four by which it is judged."""
    given = material("binary")
    clean = given.targets[0].copy()
    wrong = np.random.default_rng(1).random(ROWS) < 0.2
    wrong[160:164] = False
    given.targets[0][wrong] = 1.0 - given.targets[0][wrong]
    few = {0: Fold(np.arange(160), np.arange(160, 164), np.arange(164, ROWS))}
    (trained,) = FoldTrainer(kernel(given), given).train(few, seed=0, deadline=Deadline())
    right = np.where(given.targets[0][164:] > 0, 1, -1) * trained.test[0]
    assert ((trained.held_out[0] > 0) == clean[160:164]).all()
    assert np.log1p(np.exp(-right)).mean() < 0.7


def test_fewer_rows_than_the_network_keeps_leave_places_that_say_nothing():
    exact, spacious = (solved(material("regression"), rows)[1].test[0] for rows in (160, 200))
    np.testing.assert_allclose(spacious, exact, atol=1e-4)


def test_of_more_rows_than_it_keeps_some_are_drawn():
    trainer, trained = solved(material("regression"), rows=50)
    assert trainer.network.get_layer("head_0_logits_keys").units == 50
    last_step = trained.postprocessing[0]
    assert (
        np.abs(
            trained.test[0] * last_step.scale + last_step.offset - material("regression").targets[0][200:]
        ).mean()
        < 4
    )


def test_features_that_say_nothing_count_less_and_less():
    rng = np.random.default_rng(0)
    numbers = rng.uniform(-1, 1, (ROWS, 12)).astype("float32")
    curve = np.sin(3 * numbers[:, :1]) * numbers[:, 1:2]
    problem = Problem((HEADS["regression"],), "rmse")
    given = Material(problem, {"numbers": numbers}, (curve,), ())
    candidate = kernel(given)
    losses = []
    for rounds in range(3):
        solver = candidate.solver.replace(rounds=rounds, penalties=(0.1,), sharpness=(1.0,))
        trainer = FoldTrainer(replace(candidate, solver=solver), given)
        (trained,) = trainer.train(FOLDS, seed=0, deadline=Deadline())
        assert len(trained.history.epochs) == 1 + rounds
        last_step = trained.postprocessing[0]
        losses.append(np.square(trained.test[0] * last_step.scale + last_step.offset - curve[TEST]).mean())
        trainer.network.set_weights(trained.weights)
        np.testing.assert_allclose(predict(trainer.network, given.at(TEST))[0], trained.test[0], atol=1e-5)
    assert losses[2] < losses[1] < 0.7 * losses[0]


def test_rows_without_weight_say_nothing():
    weights = np.ones(ROWS, "float32")
    weights[:80] = 1e-9
    given = material("regression", weights=weights)
    given.targets[0][:80] += 500.0
    _, trained = solved(given)
    last_step = trained.postprocessing[0]
    away = trained.test[0] * last_step.scale + last_step.offset - given.targets[0][200:]
    assert np.median(np.abs(away)) < 60  # with them it is off by hundreds


def test_all_rows_are_fitted_by_what_the_folds_chose():
    given = material("regression")
    parts = np.split(np.random.default_rng(0).permutation(200), 4)
    folds = [Fold(np.concatenate(parts[:n] + parts[n + 1 :]), parts[n], TEST) for n in range(4)]
    trainer = FoldTrainer(kernel(given, 200), given)
    found = trainer.train(dict(enumerate(folds)), seed=0, deadline=Deadline())
    whole = trainer.refit(found, folds, seed=0, deadline=Deadline())
    chosen = {name: np.median([one.chosen[name] for one in found]) for name in found[0].chosen}
    assert whole.chosen == chosen | {"rounds": round(chosen["rounds"])}
    assert len(whole.history.epochs) == 1 + whole.chosen["rounds"]
    assert (whole.held_out, len(whole.test[0])) == ([], len(TEST))
    errors = []
    for one in (*found, whole):
        trainer.network.set_weights(one.weights)
        (outputs,) = predict(trainer.network, given.at(TEST))
        last_step = one.postprocessing[0]
        errors.append(np.abs(outputs * last_step.scale + last_step.offset - given.targets[0][TEST]).mean())
    assert errors[-1] < np.mean(errors[:-1])
    kernels = [layer for layer in trainer.network.layers if layer.name.endswith("_keys")]
    assert np.any(kernels[0].get_weights()[0], axis=0).sum() == 200


def test_after_the_deadline_one_solution_is_enough():
    _, trained = solved(material("binary"), deadline=Deadline(0.0))
    assert len(trained.history.epochs) == 1


def test_many_rows_and_texts_have_no_kernel_of_the_table():
    given = material("binary")
    many = DataFacts(given.problem, 4001, given.widths, given.categories)
    assert "kernel" not in {one.name for one in candidates_of(many)}
    texts = DataFacts(given.problem, 160, {**given.widths, "ngrams": 5}, given.categories, {"ngrams": 9})
    assert "kernel" not in {one.name for one in candidates_of(texts)}


@pytest.mark.parametrize("codes", [40, 150])
def test_a_column_of_many_codes_tells_rows_apart(codes):
    rng = np.random.default_rng(0)
    rows = 12 * codes
    code = rng.integers(1, codes + 1, (rows, 1)).astype("int32")
    effects = rng.normal(size=codes + 1)
    numbers = rng.normal(size=(rows, 1)).astype("float32")
    y = effects[code] + 0.1 * numbers
    problem = Problem((HEADS["regression"],), "rmse")
    given = Material(problem, {"numbers": numbers, "categories": code}, (y,), (codes + 1,))
    fold = Fold(np.arange(10 * codes), np.arange(10 * codes, 11 * codes), np.arange(11 * codes, rows))
    (trained,) = FoldTrainer(kernel(given, 10 * codes), given).train({0: fold}, seed=0, deadline=Deadline())
    observed = y[fold.test, 0]
    last_step = trained.postprocessing[0]
    errors = trained.test[0][:, 0] * last_step.scale + last_step.offset - observed
    assert errors.std() < 0.5 * observed.std()


def test_a_head_learns_from_the_rows_that_have_its_target():
    """No row has both targets."""
    given = material("regression", "binary")
    given.targets[0][::2], given.targets[1][1::2] = np.nan, np.nan
    _, trained = solved(given)
    amounts, classes = material("regression", "binary").targets
    step = trained.postprocessing[0]
    assert np.abs(trained.test[0] * step.scale + step.offset - amounts[TEST]).mean() < 4
    assert ((trained.test[1] > 0) == classes[TEST]).mean() > 0.8


def test_a_label_is_learned_from_the_rows_that_have_it():
    given = material("multilabel")
    given.targets[0][::2, 0], given.targets[0][1::2, 1] = np.nan, np.nan
    _, trained = solved(given)
    assert ((trained.test[0] > 0) == material("multilabel").targets[0][TEST]).mean() > 0.8


def test_rows_that_lack_a_target_help_the_others():
    """Of 160 rows some 80 have both targets, some 110 each of them."""
    given, rng = material("regression", "binary"), np.random.default_rng(3)
    amounts, classes = material("regression", "binary").targets
    for y in given.targets:
        y[rng.permutation(ROWS)[: 3 * ROWS // 10]] = np.nan
    complete = ~np.isnan(np.concatenate(given.targets, axis=1)).any(axis=1)
    fewer = replace(given, targets=tuple(np.where(complete[:, None], y, np.nan) for y in given.targets))

    def errors(material):
        _, trained = solved(material)
        step = trained.postprocessing[0]
        away = np.abs(trained.test[0] * step.scale + step.offset - amounts[TEST]).mean()
        losses = np.logaddexp(0, np.where(classes[TEST] == 1, -trained.test[1], trained.test[1]))
        return np.array([away, losses.mean()])

    assert (errors(given) < errors(fewer)).all()
