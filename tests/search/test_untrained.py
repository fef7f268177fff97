"""A search that trains nothing."""

import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Input, Part
from composable.design.building import outline
from composable.design.layers import conv_norm
from composable.design.learners import group
from composable.design.tasks import classifier
from composable.search.untrained import CostLimits, pareto_front, random_rows, search_untrained
from composable.zoo.resnet import basic

SPACE = Architecture(
    stem=Part(conv_norm, filters=4, kernel_size=3),
    learner=Part(group, block=basic, blocks=Between(1, 6), filters=Choice((4, 8, 16)), strides=1),
    tasks=Part(classifier, classes=3),
)
SHAPE = (6, 6, 3)


def parameters(architecture):
    return outline(architecture, SHAPE)[0].count_params()


def test_what_is_found_keeps_the_limits_and_the_most_promising_comes_first():
    most = 2000
    found = search_untrained(SPACE, SHAPE, limits=CostLimits(parameters=most), draws=2, seed=0)
    assert all(one.scores.parameters <= parameters(one.architecture) <= most for one in found)
    assert [one.promise for one in found] == sorted((one.promise for one in found), reverse=True)
    assert found[0].on_front


def test_children_are_scored_too_and_the_same_seed_finds_the_same():
    found = [search_untrained(SPACE, SHAPE, limits=CostLimits(), draws=2, seed=1) for _ in range(2)]
    assert len(found[0]) > 2
    assert [one.architecture for one in found[0]] == [one.architecture for one in found[1]]


def test_limits_that_nothing_keeps_are_refused():
    with pytest.raises(ConfigError, match="within its limits"):
        search_untrained(SPACE, SHAPE, limits=CostLimits(multiply_adds=10), draws=2, seed=0)


def test_the_front_is_what_nothing_beats():
    assert pareto_front([(1, 1), (2, 0), (0, 2), (1, 0), (1, 1)]).tolist() == [True, True, True, False, True]


def test_random_rows_have_the_types_of_their_inputs():
    rows = random_rows({"image": Input((4, 4, 3), "uint8"), "code": Input((None,), "int32")}, seed=0)
    assert rows["image"].dtype == np.uint8
    assert rows["image"].max() > 100
    assert rows["code"].max() == 1
    assert len(rows["code"]) == len(rows["image"])
