"""Families for text and sequences: counts, padding that changes nothing, what sees what."""

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design import Input
from composable.design.building import outline
from composable.design.cost import cost
from composable.design.taps import tap
from composable.design.text import hashed_ngrams
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES, architecture
from composable.zoo.catalog.tables_and_sequences import SEQUENCES

WORDS = Input((None,), "int32")
TEXT = [family.name for family in SEQUENCES if family.modality == "text"]

COUNTS = {  # recomputed from the papers; every weight is trained
    ("hashed_bigrams", 4): 2**18 * 4 + 4 + 4,  # a column that no n-gram has, a bias
    ("fasttext_words", 4): 20_000 * 10 + 10 * 4,
    ("fasttext_bigrams", 4): (20_000 + 10_000_000) * 10 + 10 * 4,
    ("text_cnn", 2): 20_000 * 300 + (3 + 4 + 5) * 300 * 100 + 3 * 100 + 300 * 2 + 2,
    ("dpcnn", 2): 20_000 * 250
    + 14 * (3 * 250 * 250 + 250)
    + 250 * 2
    + 2,  # 15 layers with weights, and scores
    ("text_transformer", 2): (20_000 + 512) * 128 + 2 * (12 * 128**2 + 13 * 128) + 2 * 128 + 128 * 2 + 2,
    ("tcn_sequential_mnist", 10): 66_510,  # 70 K in table 1, with 400 of weight normalization
    ("lstm_stack", 10): 4 * (128 * (1 + 128 + 1) + 128 * (128 + 128 + 1)) + 128 * 10 + 10,
    ("gru_stack", 10): 3 * (128 * (1 + 128 + 2) + 128 * (128 + 128 + 2)) + 128 * 10 + 10,
    ("bilstm_3_250", 62): 3_783_062,  # 3.8 M in table 1, with 4,500 of peepholes
    ("bilstm_5_250", 62): 6_787_062,  # 6.8 M in table 1, with 7,500 of peepholes
}


@pytest.mark.parametrize(("name", "classes"), COUNTS)
def test_a_published_member_has_the_published_count(name, classes):
    found = cost(outline(architecture(name, classes=classes), catalog.inputs_of(name))[0])
    assert (found.parameters, found.trainable) == (COUNTS[name, classes],) * 2


def small(name: str, inputs=WORDS, **changed):
    """The smallest member with random weights, biases too."""
    keras.utils.set_random_seed(3)
    model = catalog.made(FAMILIES[name], {**FAMILIES[name].smallest.metaparameters, **changed}).build(inputs)
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(0, 0.5, w.shape).astype("float32") for w in model.get_weights()])
    return model


def predicted(model, rows):
    return model.predict_on_batch(np.asarray(rows))


@pytest.mark.parametrize("name", TEXT)
def test_padding_changes_no_prediction(name):
    model = small(name)
    text = np.array([[1, 2, 3], [4, 5, 0]], "int32")
    once, padded = predicted(model, text), predicted(model, np.pad(text, ((0, 0), (0, 3))))
    np.testing.assert_allclose(padded, once, atol=1e-5)
    assert np.abs(once[0] - once[1]).max() > 1e-3


@pytest.mark.parametrize("name", TEXT)
def test_a_text_without_words_is_predicted_too(name):
    assert np.isfinite(predicted(small(name), np.zeros((1, 3), "int32"))).all()


@pytest.mark.parametrize("name", TEXT)
def test_the_order_of_words_counts(name):
    model = small(name)
    there, back = predicted(model, np.array([[1, 2, 3], [3, 2, 1]], "int32"))
    assert np.abs(there - back).max() > 1e-4


def test_ngrams_are_hashed_as_whole_numbers_of_any_size_would_be():
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 2**31, (50, 4)).astype("int32")
    found = np.asarray(hashed_ngrams(ids, length=3, buckets=1_000_003))

    def bucket(words):
        high, low = 0, 0
        for word in map(int, words):
            high, low = (high + word) * 48_271 % 32_749, (low + word) * 16_807 % 65_521
        return (high * 65_521 + low) % 1_000_003 + 1

    assert found[:, :2].tolist() == [[bucket(row[:3]), bucket(row[1:])] for row in ids]
    assert not found[:, 2:].any()


@pytest.mark.parametrize("buckets", [1000, 1024])
@pytest.mark.parametrize("length", [1, 2])
def test_ngrams_fill_their_buckets_evenly(length, buckets):
    first, second = np.meshgrid(np.arange(1, 301), np.arange(1, 301))
    pairs = np.stack([first.ravel(), second.ravel()], 1).astype("int32")
    words = pairs if length == 2 else np.arange(1, 90_001, dtype="int32")[:, None]
    found = np.asarray(hashed_ngrams(words, length=length, buckets=buckets))[:, 0]
    filled = np.bincount(found, minlength=buckets + 1)[1:]
    assert 45 < filled.min() <= filled.max() < 135  # about 90 in each, give or take less than five deviations


def test_hashed_ngrams_are_a_linear_model():
    model = small("hashed_ngrams")
    text = np.array([[1, 2, 3, 0]], "int32")
    bag = predicted(tap(model, "encoding"), text)[0]
    weights, bias = (model.get_layer(name).get_weights()[0] for name in ("logits_weights", "logits_bias"))
    wanted = weights[bag[bag > 0]].sum(0) / np.sqrt(5) + bias[0]  # three words and two pairs
    np.testing.assert_allclose(predicted(tap(model, "logits"), text)[0], wanted, atol=1e-5)


def test_fasttext_is_the_mean_of_words_and_pairs():
    model = small("fasttext")
    text = np.array([[1, 2, 3, 0]], "int32")
    table, scores = model.get_weights()
    pairs = np.asarray(hashed_ngrams(text, length=2, buckets=64))[0, :2] + 7  # after the 8 rows of words
    wanted = table[[1, 2, 3, *pairs]].mean(0)
    np.testing.assert_allclose(predicted(tap(model, "embedding"), text)[0], wanted, atol=1e-6)
    assert scores.shape == (10, 3)


def test_a_convolution_finds_its_pair_of_words_wherever_it_stands():
    model = small("text_cnn", widths=(2,), filters=1)
    seeks = np.zeros((2, 8, 1), "float32")
    seeks[0, 1] = seeks[1, 2] = 1  # the words 1 and 2 next to each other
    model.get_layer("word_vectors").set_weights([np.eye(8, dtype="float32")])
    next(each for each in model.layers if isinstance(each, keras.layers.Conv1D)).set_weights(
        [seeks, -np.ones(1)]
    )
    texts = np.array([[1, 2, 0], [1, 2, 3], [4, 1, 2], [2, 1, 0], [1, 3, 2], [0, 0, 0]], "int32")
    assert predicted(tap(model, "embedding"), texts)[:, 0].tolist() == [1, 1, 1, 0, 0, 0]


def test_a_convolution_finds_nothing_where_there_are_no_words():
    model = small("text_cnn", widths=(2,), filters=1)
    model.get_layer("word_vectors").set_weights([np.eye(8, dtype="float32")])
    silence = next(each for each in model.layers if isinstance(each, keras.layers.Conv1D))
    silence.set_weights([-np.ones((2, 8, 1), "float32"), np.ones(1)])  # 1 without a word, else 0
    texts = np.array([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [0, 0, 0, 0, 0]], "int32")
    assert not predicted(tap(model, "embedding"), texts).any()


@pytest.mark.parametrize(("length", "left"), [(12, 1), (9, 1), (1, 1)])
def test_a_pyramid_ends_in_one_position(length, left):
    model = small("dpcnn", Input((length,), "int32"), blocks=None)
    vectors, there = model.get_layer("encoding").output
    assert vectors.shape == (None, left, 8)
    assert there.shape == (None, left, 1)


def test_a_pyramid_of_free_length_takes_a_number_of_blocks():
    with pytest.raises(ConfigError, match="takes a number of blocks"):
        small("dpcnn", blocks=None)


@pytest.mark.parametrize(
    ("changed", "inputs", "message"),
    [({"heads": 3}, WORDS, "don't divide"), ({}, Input((9,), "int32"), "positions are learned for 8")],
)
def test_a_transformer_says_what_does_not_fit(changed, inputs, message):
    with pytest.raises(ConfigError, match=message):
        small("text_transformer", inputs, **changed)


def test_a_causal_convolution_sees_no_step_ahead_and_as_far_back_as_it_says():
    blocks, kernel_size = 2, 2
    model = tap(small("tcn", (12, 2), blocks=blocks, kernel_size=kernel_size), "encoding")
    steps = np.random.default_rng(0).normal(size=(1, 12, 2)).astype("float32")
    changed = steps.copy()
    changed[0, 3] += 10
    differ = np.abs(predicted(model, steps) - predicted(model, changed))[0].max(-1) > 1e-6
    reach = 1 + 2 * (kernel_size - 1) * (2**blocks - 1)
    assert differ[3]
    assert not differ[:3].any()
    assert not differ[3 + reach :].any()


@pytest.mark.parametrize("name", ["lstm_stack", "gru_stack"])
def test_the_final_state_is_that_of_both_directions(name):
    model = small(name, (5, 2), units=(3,), bidirectional=True)
    both = next(layer for layer in model.layers if isinstance(layer, keras.layers.Bidirectional))
    config = both.get_config()
    config["layer"]["config"]["return_sequences"] = False
    config["backward_layer"]["config"]["return_sequences"] = False
    last = keras.layers.Bidirectional.from_config(config)
    steps = np.random.default_rng(0).normal(size=(2, 5, 2)).astype("float32")
    last(steps)
    last.set_weights(both.get_weights())
    np.testing.assert_allclose(predicted(tap(model, "embedding"), steps), np.asarray(last(steps)), atol=1e-6)
