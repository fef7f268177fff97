"""Families for series: counts, the transform beside a plain version of it, padding that changes nothing."""

from dataclasses import replace
from itertools import combinations

import keras
import numpy as np
import pytest

from composable.design import Part
from composable.design.building import outline
from composable.design.cost import cost
from composable.design.series import clean_series, fit_scale
from composable.design.taps import tap
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES, architecture
from composable.zoo.minirocket import dilations, fit_biases, transform

SERIES = [family.name for family in FAMILIES.values() if family.modality == "series"]


def pairs(name: str, inputs=(12, 2), **changed):
    """The smallest member behind `clean_series`, with random weights."""
    keras.utils.set_random_seed(3)
    family = FAMILIES[name]
    small = catalog.made(family, {**family.smallest.metaparameters, **changed})
    if not small.stem:
        small = replace(small, prestem=Part(clean_series))
    model = small.build(inputs)
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.1, 0.5, w.shape).astype("float32") for w in model.get_weights()])
    rows = rng.normal(size=(64, *inputs)).astype("float32")
    fit_scale(model, rows)
    fit_biases(model, rows, 0)
    return model


def test_inception_time_has_the_published_count():
    trained = {0: 70 * 32 + 32 + 2 * 128, 1: 128 * 32 + 70 * 32 * 32 + 128 * 32 + 2 * 128}
    shortcuts = 128 + 2 * 128 + 128 * 128 + 2 * 128
    found = cost(outline(architecture("inception_time", classes=2), (150, 1))[0])
    assert found.trainable == trained[0] + 5 * trained[1] + shortcuts + 128 * 2 + 2 == 420_450


def test_minirocket_trains_nothing_but_its_linear_model():
    found = cost(outline(architecture("minirocket", classes=2), (150, 1))[0])
    assert found.trainable == 9_996 * 2 + 2


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (1, [(1, 119)]),
        (9, [(1, 119)]),
        (24, [(1, 79), (2, 40)]),
        (50, [(1, 45), (2, 27), (3, 19), (4, 14), (5, 11), (6, 3)]),
    ],
)
def test_dilations_are_those_of_the_published_code(length, expected):
    assert dilations(length, 10_000, 32) == expected


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transform_is_the_proportion_of_positive_values(channels):
    rows = np.random.default_rng(0).normal(size=(20, 40, channels)).astype("float32")
    given = keras.Input(rows.shape[1:])
    model = keras.Model(given, transform(given, features=84 * 9, max_dilations=4))
    fit_biases(model, rows, 0)
    found = np.asarray(model.predict_on_batch(rows))
    expected = plain_transform(model, rows)
    # Were one comparison to fall the other way, a share of the steps would differ by a fortieth.
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert 0.4 < found.mean() < 0.6
    assert len(np.unique(found[:, 0])) > 5


def plain_transform(model, rows):
    """As the paper writes it, in double precision, with the biases of the model."""
    whole = np.asarray(keras.Model(model.input, model.get_layer("minirocket_steps").output)(rows), "float64")
    expected = []
    for number, (dilation, _) in enumerate(dilations(rows.shape[1], 84 * 9, 4)):
        kernels = model.get_layer(f"minirocket_kernels_{dilation}").get_weights()[0]
        biases = model.get_layer(f"minirocket_biases_{dilation}").get_weights()[0].reshape(84, -1)
        order = [*range(number % 2, 84, 2), *range(1 - number % 2, 84, 2)]
        reach = 4 * dilation
        padded = np.pad(whole, ((0, 0), (reach, reach), (0, 0)))
        for half in (slice(0, 42), slice(42, 84)):
            features = []
            for place in range(84)[half]:
                weights = kernels[:, :, place]
                seen = weights.any(axis=0)
                three = tuple(combinations(range(9), 3))[order[place]]
                wanted = np.full(9, -1.0)
                wanted[list(three)] = 2.0
                assert (weights[:, seen] == wanted[:, None]).all()
                convolved = sum(
                    padded[:, k * dilation : k * dilation + rows.shape[1]] @ weights[k] for k in range(9)
                )
                if half.start:
                    convolved = convolved[:, reach:-reach]
                features += [(convolved > bias).mean(axis=1) for bias in biases[place]]
            expected += features
    return np.stack(expected, axis=1).astype("float32")


def test_biases_are_quantiles_so_that_features_differ_from_seed_to_seed_but_not_within_one():
    rows = np.random.default_rng(0).normal(size=(20, 20, 1)).astype("float32")
    given = keras.Input(rows.shape[1:])
    model = keras.Model(given, transform(given, features=84))
    found = []
    for seed in (0, 0, 1):
        fit_biases(model, rows, seed)
        found.append(np.asarray(model.predict_on_batch(rows)))
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


@pytest.mark.parametrize("name", SERIES)
def test_padding_changes_no_prediction(name):
    changed = {"bidirectional": True} if name.endswith("stack") else {}
    short, long = pairs(name, (12, 2), **changed), pairs(name, (18, 2), **changed)
    if name == "minirocket":  # its dilations follow the length
        long, short = long, long
    else:
        long.set_weights(short.get_weights())
    rows = np.random.default_rng(0).normal(size=(3, 12, 2)).astype("float32")
    padded = np.pad(rows, ((0, 0), (0, 6), (0, 0)), constant_values=np.nan)
    more = padded.copy()
    more[:, 11] = np.nan
    once = padded if name == "minirocket" else rows
    np.testing.assert_allclose(short.predict_on_batch(once), long.predict_on_batch(padded), atol=1e-5)
    assert np.abs(long.predict_on_batch(padded) - long.predict_on_batch(more)).max() > 1e-6


@pytest.mark.parametrize("name", SERIES)
def test_a_series_without_a_number_is_predicted_too(name):
    assert np.isfinite(pairs(name).predict_on_batch(np.full((2, 12, 2), np.nan, "float32"))).all()


def test_missing_numbers_are_those_before_them_or_the_first_known():
    nan = np.nan
    given = keras.Input((7, 1))
    values, there = keras.Model(given, clean_series(given)).predict_on_batch(
        np.array([[nan, nan, 3, nan, nan, 4, nan], [1, nan, nan, nan, nan, nan, 2]], "float32")[..., None]
    )
    assert values[:, :, 0].tolist() == [[3, 3, 3, 3, 3, 4, 0], [1, 1, 1, 1, 1, 1, 2]]
    assert there[:, :, 0].tolist() == [[1, 1, 1, 1, 1, 1, 0], [1] * 7]


def test_channels_are_scaled_by_powers_of_two_about_their_means():
    rng = np.random.default_rng(0)
    rows = np.stack(
        [rng.normal(5, 3, (50, 8)), np.full((50, 8), 7.0), np.full((50, 8), np.nan)], axis=-1
    ).astype("float32")
    given = keras.Input((8, 3))
    model = keras.Model(given, clean_series(given))
    fit_scale(model, rows)
    factor, _ = model.get_layer("series_scale").get_weights()
    assert factor.tolist() == [0.25, 1.0, 1.0]
    values, _ = model.predict_on_batch(rows)
    assert values[..., 0].mean() == pytest.approx(0, abs=1e-5)
    assert not values[..., 1:].any()


def test_the_embedding_of_minirocket_is_its_features():
    assert tap(pairs("minirocket"), "embedding").output.shape[1] == 168
