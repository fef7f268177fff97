"""Families that add to what they are given: counts as published, structure as keras.applications has it."""

import keras
import numpy as np
import pytest

from composable.zoo.catalogue import architecture
from tests.zoo.graphs import copy_weights

COUNTS = {  # total, trainable; K: as keras.applications prints them, TV: as torchvision
    "resnet34": (21_814_696, 21_797_672),  # TV
    "resnet50": (25_636_712, 25_583_592),  # K
    "resnet101": (44_707_176, 44_601_832),  # K
    "resnet152": (60_419_944, 60_268_520),  # K
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_a_published_member_has_the_published_count(name):
    model = architecture(name).build((224, 224, 3))
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert (model.count_params(), trainable) == COUNTS[name]


@pytest.mark.slow
def test_resnet50_computes_what_keras_applications_computes():
    ours = architecture("resnet50", classes=10).build((64, 64, 3))
    theirs = keras.applications.ResNet50(weights=None, classes=10, input_shape=(64, 64, 3))
    copy_weights(ours, theirs)
    x = np.random.default_rng(1).uniform(0, 1, (2, 64, 64, 3)).astype("float32")
    np.testing.assert_allclose(ours(x, training=False), theirs(x, training=False), atol=1e-4)
