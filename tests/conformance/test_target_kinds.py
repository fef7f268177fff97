"""Every kind of target is asked every verb."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import ops

from composable.auto.diagnostics import head_diagnostics
from composable.core.records import from_json, to_json
from composable.design import Architecture, Input, Task
from composable.design.part import Part
from composable.explain.explained_model import worst_errors
from composable.problem.calibrate import calibrate, fit_temperature
from composable.problem.kinds import KINDS, ScoredRows, kind_of
from composable.problem.metrics import METRICS, fitting, metric_named
from composable.problem.postprocessing import PostProcessing, postprocess, with_temperature
from composable.problem.problem import Head, Problem
from composable.problem.scores import constant_losses, constant_predictor, row_losses, score, scores

ROWS, SIDE = 80, 4
HEADS = {
    "regression": Head("y", "regression", ("y",)),
    "binary": Head("y", "binary", ("y",), ("no", "yes"), thresholds=(0.4,)),
    "multiclass": Head("y", "multiclass", ("y",), ("a", "b", "c")),
    "multilabel": Head("y+z", "multilabel", ("y", "z"), (0, 1)),
    "mask": Head("m", "mask", ("m",), (0, 255)),
}
EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
TABULAR = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if not kind.answer_axes], ids=lambda kind: kind.name
)


def targets(kind) -> np.ndarray:
    """Encoded targets of the head of a kind, the same every time."""
    random, head = np.random.default_rng(0), HEADS[kind.name]
    if kind.answer_axes:
        return random.integers(0, head.width, (ROWS, SIDE, SIDE)).astype("int16")
    if not head.labels:
        return random.normal(5.0, 2.0, (ROWS, 1))
    return random.integers(0, max(2, head.width), (ROWS, len(head.targets))).astype("float64")


def logits(kind, *, members=0) -> np.ndarray:
    random, head = np.random.default_rng(1), HEADS[kind.name]
    axes = (SIDE,) * len(kind.answer_axes)
    return random.normal(size=(ROWS, *axes, *([members] if members else []), head.width)).astype("float32")


def predictions(kind) -> np.ndarray:
    return postprocess(np, kind.fit_postprocessing(targets(kind)), logits(kind))


def test_every_kind_has_a_head_here():
    assert set(HEADS) == set(KINDS)


@EVERY
def test_a_head_finds_its_kind_and_survives_json(kind):
    head = HEADS[kind.name]
    assert kind_of(head) is kind
    problem = Problem((head,), kind.default_metric)
    text = to_json(problem, format="problem")
    assert from_json(Problem, text, format="problem", origin="here") == problem


@EVERY
def test_its_task_answers_in_its_width(kind):
    head = HEADS[kind.name]
    shape = (SIDE, SIDE, 3) if kind.answer_axes else (3,)

    def passed_on(x):
        return keras.layers.Identity()(x["x"] if isinstance(x, dict) else x)

    architecture = Architecture(learner=Part(passed_on), tasks=(Task(kind.task(head), ""),))
    model = architecture.build({"x": Input(shape, "float32")})
    assert head.width == model.output_shape[-1]
    assert len(model.output_shape) == 2 + len(kind.answer_axes)


@EVERY
def test_postprocessing_is_the_same_in_numpy_and_in_the_graph(kind):
    step = with_temperature(kind.fit_postprocessing(targets(kind)), 1.3)
    found = ops.convert_to_numpy(postprocess(ops, step, ops.convert_to_tensor(logits(kind))))
    np.testing.assert_allclose(found, postprocess(np, step, logits(kind)), atol=1e-5)
    assert found.shape == logits(kind).shape


@TABULAR
def test_members_are_averaged(kind):
    step = kind.fit_postprocessing(targets(kind))
    assert postprocess(np, step, logits(kind, members=3)).shape == (ROWS, HEADS[kind.name].width)


@EVERY
def test_the_loss_and_the_measure_are_finite_and_lower_for_what_is_right(kind):
    head, y = HEADS[kind.name], targets(kind)
    goal, step = kind.goal(kind.default_metric), kind.fit_postprocessing(y)
    wanted = kind.training_targets(step, y)
    numbers = kind.indicators(head, y)
    right = 8.0 * numbers - 4.0 if head.labels else (numbers - step.offset) / step.scale
    for function in (goal.loss, goal.measure):
        each = [ops.convert_to_numpy(function(wanted, ops.convert_to_tensor(one.astype("float32"))))
                for one in (right, -right)]  # fmt: skip
        assert each[0].shape == (ROWS,)
        assert np.isfinite(each).all()
        assert each[0].mean() < each[1].mean()


@EVERY
def test_the_constant_predictor_is_scored_and_beaten(kind):
    head, y = HEADS[kind.name], targets(kind)
    (constant,) = constant_predictor((head,), (y,), ROWS)
    assert constant.shape == predictions(kind).shape
    perfect = kind.indicators(head, y)
    assert np.isfinite(score(kind.default_metric, head, y, constant))
    assert kind.row_losses(y, perfect).mean() < kind.row_losses(y, constant).mean()
    (scale,) = constant_losses(Problem((head,), kind.default_metric), [y])
    each = row_losses(Problem((head,), kind.default_metric), [y], [constant], [scale])
    assert each.shape == (ROWS,)
    assert each.mean() == pytest.approx(1.0)


@EVERY
def test_every_metric_is_finite_and_counts_weights_as_repeated_rows(kind):
    head, y, p = HEADS[kind.name], targets(kind), predictions(kind)
    assert {kind.default_metric, kind.loss_metric} <= set(fitting(kind.name))
    weights = np.random.default_rng(2).integers(1, 4, ROWS).astype("float64")
    rows = np.repeat(np.arange(ROWS), weights.astype(int))
    found = scores(Problem((head,), kind.default_metric), [np.abs(y)], [p], weights=weights)
    assert set(found) == set(fitting(kind.name))
    for name, value in found.items():
        assert np.isfinite(value)
        assert value == pytest.approx(score(name, head, np.abs(y[rows]), p[rows]), rel=1e-9)


@EVERY
def test_every_metric_is_best_where_predictions_are_right(kind):
    head, y = HEADS[kind.name], np.abs(targets(kind))
    perfect = kind.indicators(head, y)
    for name in fitting(kind.name):
        best = kind.score(METRICS[name], head, ScoredRows(y, perfect))
        other = score(name, head, y, predictions(kind))
        assert best > other if metric_named(name).higher_is_better else best < other


@TABULAR
def test_rows_without_a_target_do_not_count(kind):
    head, y, p = HEADS[kind.name], targets(kind), predictions(kind)
    some = y.copy()
    some[::3] = np.nan
    known = np.setdiff1d(np.arange(ROWS), np.arange(0, ROWS, 3))
    for name in fitting(kind.name):
        expected = score(name, head, y[known], p[known])
        assert score(name, head, some, p) == pytest.approx(expected, nan_ok=True)
    assert np.isfinite(kind.fit_postprocessing(some).scale)
    assert np.isnan(kind.training_targets(kind.fit_postprocessing(some), some)[::3]).all()
    assert np.isfinite(constant_predictor((head,), (some,), 1)[0]).all()
    assert np.isnan(kind.indicators(head, some)[::3]).all()
    assert np.isfinite(kind.indicators(head, some)[known]).all()
    assert np.isnan(kind.row_losses(some, p)[::3]).all()
    assert fit_temperature(head, logits(kind), some) == fit_temperature(head, logits(kind)[known], y[known])
    assert not set(worst_errors(head, some, p, most=ROWS)) - set(known)


@EVERY
def test_a_temperature_is_found_where_there_are_classes(kind):
    head, y = HEADS[kind.name], targets(kind)
    found = calibrate(head, 5 * logits(kind), y, seed=0)
    assert (found.temperature != 1.0) == bool(head.labels)


@TABULAR
def test_a_temperature_counts_rows_by_their_weight(kind):
    head, y = HEADS[kind.name], targets(kind)
    if not head.labels:
        return
    weights = np.where(np.arange(ROWS) < ROWS - 20, 1.0, 1e-9)
    with_weights = calibrate(head, 5 * logits(kind), y, seed=0, weights=weights)
    assert with_weights.log_loss_before == pytest.approx(
        score(
            "log_loss",
            head,
            y[:-20],
            postprocess(np, PostProcessing(kind.activation), 5 * logits(kind)[:-20]),
        )
    )


@EVERY
def test_diagnostics_are_plain_json(kind):
    entry = head_diagnostics(HEADS[kind.name], targets(kind), predictions(kind))
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert entry["kind"] == kind.name


@TABULAR
def test_explanations_have_the_shapes_of_the_scores(kind):
    head, y, p, effects = HEADS[kind.name], targets(kind), predictions(kind), kind.effects
    additive = effects.additive(p)
    assert len(effects.error_direction(y[0], p[0])) == additive.shape[1]
    assert effects.logit_direction(head, p[0]).shape == (head.width,)
    for name, column in effects.named(head, additive):
        assert isinstance(name, str)
        assert column.shape == (ROWS,)
    assert effects.error_sizes(y, p).shape == effects.right_confidence(y, p).shape == (ROWS,)
    assert (effects.error_sizes(y, kind.indicators(head, y)) == 0).all()
    assert {"observed", "predicted"} <= set(effects.outcome(head, y[0], p[0]))
    json.dumps(effects.outcome(head, y[0], p[0]))


@EVERY
def test_class_probabilities_sum_to_one_for_each_target(kind):
    head = HEADS[kind.name]
    for position in range(len(head.targets)):
        found = kind.class_probabilities(head, predictions(kind), position)
        assert (found is None) == (not head.labels)
        if found is not None:
            assert found.shape[-1] == len(head.labels)
            np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-5)


@EVERY
def test_leaks_are_asked_for_in_truth_values_of_classes_or_in_amounts(kind):
    head, y = HEADS[kind.name], targets(kind)
    if kind.answer_axes:
        return
    for asked in kind.leak_questions(head, y[:, 0]):
        assert asked.shape == (ROWS,)
        assert (asked.dtype == bool) == bool(head.labels)
