"""Linear models of texts are solved for, and the network says what was solved."""

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.engine.predict import predict
from composable.modality.facts import DataFacts
from composable.modality.text import closed_form
from composable.problem.postprocessing import postprocess
from composable.problem.problem import Head, Problem
from composable.problem.scores import score
from composable.training.candidate import Material
from composable.training.folds import FoldTrainer

ROWS, SIZE = 300, 40
VOCABULARIES = {"words": SIZE, "ngrams": SIZE, "characters": 25}
FOLDS = {0: Fold(np.arange(200), np.arange(200, 250), np.arange(250, ROWS))}
HEADS = {
    "regression": Head("y", "regression", ("y",)),
    "binary": Head("y", "binary", ("y",), (0, 1)),
    "multiclass": Head("y", "multiclass", ("y",), ("a", "b", "c", "never")),
    "multilabel": Head("y", "multilabel", ("y", "z"), (0, 1)),
}


def material(kind, metric="log_loss"):
    """Rows whose class is the remainder of an id that they hold."""
    rng = np.random.default_rng(0)
    classes = np.arange(ROWS) % 3
    inputs = {name: rng.integers(0, size, (ROWS, 6)).astype("int32") for name, size in VOCABULARIES.items()}
    inputs["ngrams"][:, 0] = 1 + classes + 3 * rng.integers(0, 3, ROWS)
    inputs["ngrams"][:, 1:] %= 10
    inputs["ngrams"][:, 1:] += 10
    targets = {
        "regression": 1000.0 + 50.0 * classes[:, None],
        "binary": (classes[:, None] == 1) * 1.0,
        "multiclass": classes[:, None] * 1.0,
        "multilabel": np.stack([classes == 0, classes == 2], 1) * 1.0,
    }
    return Material(Problem((HEADS[kind],), metric), inputs, (targets[kind],), (), vocabularies=VOCABULARIES)


def linear(given):
    table = DataFacts(given.problem, 200, given.widths, (), VOCABULARIES)
    return [candidate for candidate in closed_form(table) if candidate.solver]


@pytest.mark.parametrize(("kind", "metric"), [*((k, "log_loss") for k in HEADS), ("regression", "mae")])
def test_a_solved_network_tells_the_held_out_rows(kind, metric):
    given = material(kind, metric)
    for candidate in linear(given):
        trainer = FoldTrainer(candidate, given)
        (trained,) = trainer.train(FOLDS, seed=0, deadline=Deadline())
        outputs, observed = trained.test[0], given.targets[0][250:]
        if kind == "regression":
            last_step = trained.postprocessing[0]
            assert np.abs(outputs * last_step.scale + last_step.offset - observed).mean() < 15
        elif kind == "multiclass":
            assert (outputs.argmax(axis=1) == observed[:, 0]).mean() > 0.9
        else:
            assert ((outputs > 0) == observed).mean() > 0.9
        assert trained.history.stopped == "closed_form"
        trainer.network.set_weights(trained.weights)
        np.testing.assert_array_equal(
            predict(trainer.network, given.at(np.arange(200, ROWS)))[0][50:], outputs
        )


@pytest.mark.parametrize("kind", HEADS)
def test_all_rows_are_fitted_by_what_the_folds_chose(kind):
    given = material(kind)
    halves = np.arange(250).reshape(2, -1)
    folds = [Fold(halves[n], halves[1 - n], np.arange(250, ROWS)) for n in range(2)]
    for candidate in linear(given):
        trainer = FoldTrainer(candidate, given)
        found = trainer.train(dict(enumerate(folds)), seed=0, deadline=Deadline())
        whole = trainer.refit(found, folds, seed=0, deadline=Deadline())
        if candidate.name != "text_kernel":
            chosen = {name: np.mean([one.chosen[name] for one in found]) for name in found[0].chosen}
            assert whole.chosen == pytest.approx(chosen)
            assert len(whole.history.epochs) == 1
        losses = [_loss(trainer, given, one) for one in (*found, whole)]
        assert losses[-1] <= np.mean(losses[:-1])


def test_a_few_held_out_rows_do_not_make_it_too_sure():
    """One answer in five is wrong, but by chance none of the four by which it is judged."""
    given = material("binary")
    wrong = np.random.default_rng(1).random(ROWS) < 0.2
    wrong[200:204] = False
    given.targets[0][wrong] = 1.0 - given.targets[0][wrong]
    few = {0: Fold(np.arange(200), np.arange(200, 204), np.arange(204, ROWS))}
    for candidate in linear(given):
        (trained,) = FoldTrainer(candidate, given).train(few, seed=0, deadline=Deadline())
        right = np.where(given.targets[0][204:] > 0, 1, -1) * trained.test[0]
        assert np.log1p(np.exp(-right)).mean() < 0.9  # 4.4 by a factor of those four


def _loss(trainer, given, one):
    """Of a network, on the rows from 250 on."""
    trainer.network.set_weights(one.weights)
    (outputs,), (head,) = predict(trainer.network, given.at(np.arange(250, ROWS))), given.problem.heads
    answers = postprocess(np, one.postprocessing[0], outputs)
    return score("mae" if head.kind == "regression" else "log_loss", head, given.targets[0][250:], answers)


def test_the_order_of_ids_and_padding_change_nothing():
    given = material("multiclass")
    for candidate in linear(given):
        trainer = FoldTrainer(candidate, given)
        (trained,) = trainer.train(FOLDS, seed=0, deadline=Deadline())
        trainer.network.set_weights(trained.weights)
        rows = given.at(np.arange(20))
        turned = {name: ids[:, ::-1] for name, ids in rows.items()}
        np.testing.assert_allclose(
            predict(trainer.network, turned)[0], predict(trainer.network, rows)[0], atol=1e-5
        )


def test_a_text_without_known_words_gets_a_finite_answer():
    given = material("binary")
    trainer = FoldTrainer(linear(given)[0], given)
    (trained,) = trainer.train(FOLDS, seed=0, deadline=Deadline(0.0))
    trainer.network.set_weights(trained.weights)
    nothing = {name: np.zeros((1, 6), "int32") for name in VOCABULARIES}
    assert np.isfinite(predict(trainer.network, nothing)[0]).all()
    assert len(trained.history.epochs) == 1  # after the deadline one solution is enough


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_a_kernel_tells_numbers_and_padding_changes_nothing(metric):
    given = material("regression", metric)
    table = DataFacts(given.problem, 200, given.widths, (), VOCABULARIES)
    (candidate,) = [one for one in closed_form(table) if one.name == "text_kernel"]
    trainer = FoldTrainer(candidate, given)
    fewer = Fold(np.arange(10, 200), np.arange(200, 250), np.arange(250, ROWS))
    for trained in trainer.train({**FOLDS, 1: fewer}, seed=0, deadline=Deadline()):
        last_step, observed = trained.postprocessing[0], given.targets[0][250:]
        assert np.abs(trained.test[0] * last_step.scale + last_step.offset - observed).mean() < 15
        trainer.network.set_weights(trained.weights)
        rows = given.at(np.arange(250, ROWS))
        turned = {name: ids[:, ::-1] for name, ids in rows.items()}
        np.testing.assert_allclose(predict(trainer.network, turned)[0], trained.test[0], atol=1e-4)
        nothing = {name: np.zeros((1, 6), "int32") for name in VOCABULARIES}
        assert np.isfinite(predict(trainer.network, nothing)[0]).all()


def test_classes_have_no_kernel_of_texts():
    given = material("multiclass")
    table = DataFacts(given.problem, 200, given.widths, (), VOCABULARIES)
    assert "text_kernel" not in {one.name for one in closed_form(table)}


@pytest.mark.parametrize("kind", ["multiclass", "multilabel"])
def test_a_label_is_learned_from_the_rows_that_have_it(kind):
    given = material(kind)
    given.targets[0][::2, 0], given.targets[0][1::2, 1:] = np.nan, np.nan
    for candidate in linear(given):
        (trained,) = FoldTrainer(candidate, given).train(FOLDS, seed=0, deadline=Deadline())
        found, observed = trained.test[0], material(kind).targets[0][250:]
        right = found.argmax(axis=1) == observed[:, 0] if kind == "multiclass" else (found > 0) == observed
        assert right.mean() > 0.9
