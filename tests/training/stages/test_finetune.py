"""Thawing from the top down."""

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.engine.train import train
from composable.training.stages.draw import drawn
from composable.training.stages.finetune import finetune, frozen, parts_of
from composable.training.stages.stage import Progress, Start, cohort_of
from tests.training.stages.small_jobs import dense, fresh, job, same


def named(model, parts):
    return [[model.layers[place].name for place in part] for part in parts]


def test_the_task_comes_first_then_the_groups_and_the_stem_with_its_norm_last():
    model = dense()
    assert named(model, parts_of(model, 3)) == [["logits"], ["group"], ["stem", "norm"]]
    assert named(model, parts_of(model, 9)) == [["logits"], ["group"], ["stem", "norm"]]
    assert named(model, parts_of(model, 2)) == [["logits"], ["stem", "norm", "group"]]
    assert named(model, parts_of(model, 1)) == [["stem", "norm", "group", "logits"]]


def test_groups_are_divided_by_depth_each_layer_in_one_part():
    x = inputs = keras.Input((3,))
    for number in range(6):
        x = keras.layers.Dense(2, name=f"dense_{number}")(x)
    model = keras.Model(inputs, x)
    parts = named(model, parts_of(model, 4))
    assert parts == [["dense_5"], ["dense_3", "dense_4"], ["dense_1", "dense_2"], ["dense_0"]]


def test_what_is_frozen_stays_bit_for_bit_statistics_included_and_the_rest_learns():
    def build():
        model = dense()
        return frozen(model, parts_of(model, 3)[-1])

    weights = drawn(job(), 1)
    cohort = cohort_of(job(build=build), [Start(job().settings, 0, weights)] * 2)
    train(cohort, deadline=Deadline())
    names = [weight.path for weight in dense().weights]
    for values in cohort.weights(best=False):
        for name, before, after in zip(names, weights, values, strict=True):
            kept = name.startswith(("stem", "norm"))
            assert np.array_equal(before, after) == kept, name


@pytest.fixture(scope="module")
def outcome():
    """After a draw."""
    progress = Progress(drawn(job(), 1), job().settings)
    return finetune(job(), progress, deadline=Deadline(), parts=2, epochs=1, factor=1.0, seeds=2)


def test_every_part_is_trained_in_every_order_of_the_rows(outcome):
    assert outcome.status == "done"
    assert [len(one) for one in outcome.evidence["measures"]] == [2, 2]
    assert not same(outcome.progress.weights, drawn(job(), 1))


def test_its_gain_is_over_the_better_of_a_training_of_the_whole_and_none(outcome):
    assert max(outcome.evidence["without"]) <= outcome.evidence["before"]
    gain = np.mean(outcome.evidence["without"]) - np.mean(outcome.evidence["with"])
    assert outcome.gain == pytest.approx(gain)
    assert outcome.evidence["with"] == [min(one) for one in outcome.evidence["measures"]]


def test_without_weights_there_is_nothing_to_do():
    assert finetune(job(), fresh(job()), deadline=Deadline()).status == "skipped"
