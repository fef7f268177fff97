"""Scores of networks that nobody trained."""

import math
from dataclasses import replace

import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design import Architecture, Input, Part
from composable.design.building import build
from composable.design.layers import conv_norm
from composable.design.learners import group
from composable.design.tasks import classifier
from composable.search.zero_cost import (
    boundaries,
    entropy,
    log_ranks,
    naswot,
    promise,
    swap,
    trainability,
    zero_cost,
    zico,
)
from composable.zoo.mlp import mlp
from composable.zoo.resnet import basic

IMAGES = np.random.default_rng(0).normal(size=(8, 8, 8, 3)).astype("float32")


def convolutional(blocks=2, filters=4):
    return Architecture(
        stem=Part(conv_norm, filters=filters, kernel_size=3),
        learner=(
            Part(group, block=basic, blocks=blocks, filters=filters, strides=1),
            Part(group, block=basic, blocks=1, filters=2 * filters),
        ),
        tasks=Part(classifier, classes=3),
    )


def test_blocks_that_stand_in_groups_are_scored_one_by_one():
    _, trail = build(convolutional(blocks=2), (8, 8, 3))
    assert [tuple(each.shape[1:]) for each in boundaries(trail)] == [(8, 8, 4)] * 3 + [(4, 4, 8)]


def test_the_same_seed_gives_the_same_scores_and_leaves_the_generators_alone():
    np.random.seed(5)  # noqa: NPY002
    found = [zero_cost(convolutional(), (8, 8, 3), IMAGES, seed=seed) for seed in (0, 0, 1)]
    drawn = np.random.uniform()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    assert drawn == np.random.uniform()  # noqa: NPY002
    assert repr(found[0]) == repr(found[1])
    assert math.isnan(found[0].synflow)
    assert found[0].expressivity != found[2].expressivity


def test_scores_see_depth_and_cost():
    shallow, deep = (
        zero_cost(convolutional(blocks=n), (8, 8, 3), IMAGES, seed=0, of_weights=True) for n in (1, 4)
    )
    assert (shallow.depth, deep.depth) == (2, 5)
    assert deep.expressivity > shallow.expressivity
    assert deep.synflow > shallow.synflow
    assert deep.multiply_adds > shallow.multiply_adds
    assert promise([shallow, deep], ("depth", "synflow")).argmax() == 1


def test_tables_are_scored_too():
    design = mlp(tasks=(Part(classifier, classes=2),), width=5, categories=(), units=8)
    rows = {"numbers": np.random.default_rng(1).normal(size=(8, 5)).astype("float32")}
    found = zero_cost(design, {"numbers": Input((5,))}, rows, seed=0)
    assert found.depth >= 1
    assert math.isfinite(found.trainability)


def test_a_single_row_or_several_tensors_are_refused():
    with pytest.raises(ConfigError, match="two rows"):
        zero_cost(convolutional(), (8, 8, 3), IMAGES[:1], seed=0)
    twins = replace(convolutional(), prestem=lambda x: (x, x), stem=(), learner=lambda x: x[0])
    with pytest.raises(ConfigError, match="single tensor"):
        zero_cost(twins, (8, 8, 3), IMAGES, seed=0)


def test_entropy_is_that_of_principal_components():
    even = np.concatenate([np.eye(4), -np.eye(4)])
    assert entropy(even) == pytest.approx(math.log(4), abs=1e-4)
    assert entropy(np.outer(np.arange(8.0), np.ones(4))) == pytest.approx(0.0, abs=1e-4)
    assert math.isnan(entropy(np.full((8, 4), np.inf)))


def test_a_block_that_keeps_gradients_is_trainable():
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (4000, 3))
    turned = signs @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    assert trainability(signs, turned) == pytest.approx(0.0, abs=0.01)
    assert trainability(signs, 0.1 * turned) < -5
    assert trainability(signs, 10 * turned) < -5


def test_pixels_that_make_one_are_its_channels():
    signs = np.ones((2, 2, 2, 1))
    back = np.zeros((2, 4, 4, 1))
    back[:, ::2, ::2] = 1.0
    assert trainability(signs, back) == pytest.approx(0.0, abs=1e-4)


def test_activations_tell_rows_apart():
    apart = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]], bool)
    alike = np.array([[1, 0, 0, 1]] * 3, bool)
    assert swap(apart) == 4
    assert swap(alike) == 2
    assert naswot(apart) > naswot(alike) == -math.inf


def test_steady_gradients_are_better():
    def of(spread):
        return [[np.array([[1.0 + spread, 1.0]]), np.array([[1.0 - spread, 1.0]])]]

    assert zico(of(0.1)) == pytest.approx(math.log(10))
    assert zico(of(0.1)) > zico(of(0.5))
    assert zico(of(0.0)) == 0.0


def test_ranks_count_what_is_bad_and_nan_is_worst():
    found = log_ranks([(3.0, 1.0), (2.0, 2.0), (math.nan, 3.0)])
    np.testing.assert_allclose(found, np.log([[1 / 3], [4 / 9], [1 / 3]])[:, 0])
