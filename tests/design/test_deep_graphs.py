"""Networks deeper than Python calls within each other."""

import sys

from keras import layers

from composable.design import Architecture, Part
from composable.design.building import outline
from composable.design.taps import tap
from composable.design.tasks import regressor


def test_more_layers_in_a_row_than_python_calls_are_built_and_tapped():
    limit = sys.getrecursionlimit()
    many = (Part(layers.ReLU),) * (limit + 1)
    model = outline(Architecture(learner=many, tasks=Part(regressor)), (2,))[0]
    assert len(model.layers) > limit
    assert len(tap(model, "embedding").layers) > limit
    assert sys.getrecursionlimit() == limit
