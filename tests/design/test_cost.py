"""What a model costs, held against what papers print and against counting by hand."""

import keras
import pytest
from keras import layers, ops

from composable.core.errors import ConfigError
from composable.design.building import outlined
from composable.design.cost import cost
from composable.engine.predict import latency

PUBLISHED = {  # multiply-adds, in billions
    "ResNet50": 3.86,  # He et al. 2015, table 1, says 3.8: the stride in the first 1x1 convolution
    "VGG16": 15.5,  # He et al. 2015, section 3.3, says 19.6 for VGG19; torchvision's documentation 15.47
    "VGG19": 19.6,
    "MobileNet": 0.569,  # Howard et al. 2017, table 4
    "MobileNetV2": 0.300,  # Sandler et al. 2018, table 4
    "MobileNetV3Large": 0.219,  # Howard et al. 2019, table 3
    "DenseNet121": 2.83,  # torchvision's documentation
    "InceptionV3": 5.71,  # torchvision's documentation
    "EfficientNetB0": 0.39,  # Tan & Le 2019, table 2
    "ConvNeXtTiny": 4.46,  # torchvision's documentation; Liu et al. 2022, table 1, says 4.5
}
SIZES = {"InceptionV3": (299, 299, 3)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_multiply_adds_are_the_published_ones(name):
    make = getattr(keras.applications, name)
    model = outlined(lambda: make(weights=None, input_shape=SIZES.get(name, (224, 224, 3))))
    assert cost(model).multiply_adds / 1e9 == pytest.approx(PUBLISHED[name], rel=0.012)


def test_a_vision_transformer_counts_the_products_of_attention():
    def vit_b16():
        x = given = keras.Input((224, 224, 3))
        x = ops.reshape(layers.Conv2D(768, 16, 16)(x), (-1, 196, 768))
        x = layers.ZeroPadding1D((1, 0))(x)  # in place of the class token
        for _ in range(12):
            y = layers.LayerNormalization()(x)
            x = layers.Add()([x, layers.MultiHeadAttention(12, 64)(y, y)])
            y = layers.Dense(3072, activation="gelu")(layers.LayerNormalization()(x))
            x = layers.Add()([x, layers.Dense(768)(y)])
        return keras.Model(given, layers.Dense(1000)(x[:, 0]))

    counted = cost(outlined(vit_b16)).multiply_adds
    assert counted / 1e9 == pytest.approx(17.56, abs=0.05)  # torchvision's documentation


BY_HAND = {
    "dense at every position": (lambda x: layers.Dense(5)(x), (7, 3), 7 * 3 * 5),
    "convolution": (lambda x: layers.Conv2D(6, 3)(x), (5, 5, 4), 3 * 3 * 6 * 9 * 4),
    "in groups": (lambda x: layers.Conv2D(6, 3, groups=2)(x), (5, 5, 4), 3 * 3 * 6 * 9 * 2),
    "strided and dilated": (lambda x: layers.Conv1D(6, 3, 2, padding="same")(x), (8, 4), 4 * 6 * 3 * 4),
    "in space": (lambda x: layers.Conv3D(2, 2)(x), (3, 3, 3, 1), 8 * 2 * 8),
    "transposed": (lambda x: layers.Conv2DTranspose(6, 3, 2)(x), (4, 4, 2), 16 * 2 * 9 * 6),
    "depthwise": (lambda x: layers.DepthwiseConv2D(3, depth_multiplier=2)(x), (5, 5, 4), 9 * 8 * 9),
    "separable": (lambda x: layers.SeparableConv2D(6, 3)(x), (5, 5, 4), 9 * (4 * 9 + 4 * 6)),
    "einsum": (lambda x: layers.EinsumDense("bft,ftd->bfd", (7, 5))(x), (7, 3), 7 * 3 * 5),
    "a scale": (lambda x: layers.EinsumDense("btc,c->btc", (7, 3))(x), (7, 3), 7 * 3),
    "embedding": (lambda x: layers.Embedding(9, 4)(x), (7,), 0),
    "norm": (lambda x: layers.BatchNormalization()(x), (7, 3), 0),
    "simple recurrence": (lambda x: layers.SimpleRNN(4)(x), (7, 3), 7 * (3 * 4 + 4 * 4)),
    "LSTM": (lambda x: layers.LSTM(4, return_sequences=True)(x), (7, 3), 7 * 4 * (3 * 4 + 4 * 4)),
    "GRU": (lambda x: layers.GRU(4)(x), (7, 3), 7 * 3 * (3 * 4 + 4 * 4)),
    "cells on cells": (
        lambda x: layers.RNN([layers.SimpleRNNCell(4), layers.SimpleRNNCell(5)])(x),
        (7, 3),
        7 * (3 * 4 + 4 * 4 + 4 * 5 + 5 * 5),
    ),
    "both ways": (lambda x: layers.Bidirectional(layers.GRU(4))(x), (7, 3), 2 * 7 * 3 * 28),
    "recurrent convolution": (
        lambda x: layers.ConvLSTM1D(4, 3, padding="same")(x),
        (7, 5, 2),
        7 * 5 * 4 * (3 * 2 * 4 + 3 * 4 * 4),
    ),
    "at every step": (lambda x: layers.TimeDistributed(layers.Conv1D(2, 3))(x), (7, 5, 4), 7 * 3 * 2 * 3 * 4),
    "a model at every step": (
        lambda x: layers.TimeDistributed(keras.Sequential([keras.Input((4,)), layers.Dense(5)]))(x),
        (7, 4),
        7 * 4 * 5,
    ),
    "matmul": (lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))), (7, 3), 7 * 7 * 3),
    "einsum of tensors": (lambda x: ops.einsum("bij,bkj->bik", x, x), (7, 3), 7 * 7 * 3),
    "dot": (lambda x: layers.Dot(2)([x, x]), (7, 3), 7 * 7 * 3),
    "attention without weights": (lambda x: layers.Attention()([x, x]), (7, 3), 2 * 7 * 7 * 3),
    "attention": (
        lambda x: layers.MultiHeadAttention(2, 5, value_dim=4)(query=x, value=x),
        (7, 3),
        7 * 3 * 2 * (5 + 5 + 4) + 7 * 2 * 4 * 3 + 7 * 7 * 2 * (5 + 4),
    ),
    "attention along one axis": (
        lambda x: layers.MultiHeadAttention(2, 5, attention_axes=2)(x, x),
        (7, 6, 3),
        42 * 3 * 10 * 4 + 42 * 6 * 2 * 10,
    ),
    "attention in groups": (
        lambda x: layers.GroupQueryAttention(5, 4, 2)(x, x),
        (7, 3),
        7 * 3 * 5 * (4 + 2 + 2 + 4) + 2 * 7 * 7 * 20,
    ),
    "rows joined with positions": (lambda x: layers.Dense(5)(ops.reshape(x, (-1, 3))), (7, 3), 7 * 3 * 5),
    "attention in windows": (
        lambda x: layers.MultiHeadAttention(2, 5)(*[ops.reshape(x, (-1, 4, 3))] * 2),
        (8, 3),
        8 * 3 * 10 * 4 + 8 * 4 * 2 * 10,
    ),
}


@pytest.mark.parametrize(("make", "shape", "wanted"), BY_HAND.values(), ids=BY_HAND)
def test_multiply_adds_counted_by_hand(make, shape, wanted):
    def build():
        given = keras.Input(shape)
        return keras.Model(given, make(given))

    assert cost(outlined(build)).multiply_adds == wanted


def test_a_shared_layer_has_its_parameters_once_and_works_each_time():
    def twins():
        tower = keras.Sequential([keras.Input((None, 3)), layers.Dense(4), layers.GlobalMaxPooling1D()])
        left, right = keras.Input((5, 3)), keras.Input((6, 3))
        return keras.Model([left, right], layers.Subtract()([tower(left), tower(right)]))

    found = cost(outlined(twins))
    assert (found.parameters, found.multiply_adds) == (16, (5 + 6) * 3 * 4)


def test_a_free_size_counts_as_many_as_one_says():
    given = keras.Input((None, 3))
    model = keras.Model(given, layers.Dense(4)(given))
    assert [cost(model, free=n).multiply_adds for n in (1, 10)] == [12, 120]


def test_activations_live_from_where_they_are_made_to_where_they_are_last_used():
    given = keras.Input((4,))
    hidden = layers.Dense(10)(given)
    straight = keras.Model(given, layers.Dense(2)(hidden))
    assert (cost(straight).activation_bytes, cost(straight).training_bytes) == (4 * 14, 4 * 16)
    around = keras.Model(given, layers.Concatenate()([layers.Dense(2)(hidden), given]))
    assert cost(around).activation_bytes == 4 * (4 + 10 + 2)


def test_half_precision_halves_activations_and_not_the_weights():
    given = keras.Input((4,), dtype="float16")
    model = keras.Model(given, layers.Dense(10, dtype="mixed_float16")(given))
    assert (cost(model).activation_bytes, cost(model).bytes) == (2 * 14, 4 * 50)


def test_frozen_weights_and_statistics_are_not_trainable():
    given = keras.Input((4,))
    model = keras.Model(given, layers.BatchNormalization()(layers.Dense(3, trainable=False)(given)))
    assert (cost(model).parameters, cost(model).trainable) == (15 + 12, 6)


def test_a_model_that_is_no_graph_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ConfigError, match="functional"):
        cost(Own())


def test_latency_is_measured_in_seconds_per_batch():
    given = {"codes": keras.Input((None,), dtype="int32", name="codes"), "x": keras.Input((2,), name="x")}
    pooled = layers.GlobalAveragePooling1D()(layers.Embedding(4, 2)(given["codes"]))
    model = keras.Model(given, layers.Add()([pooled, given["x"]]))
    assert 0 < latency(model, rows=2, repetitions=3) < 5
