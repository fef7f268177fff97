"""Families for tables: counts from the papers' formulas, holes, and what their tricks compute."""

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design import Input, Part, Task
from composable.design.building import outline
from composable.design.cost import cost
from composable.design.tables import adapt
from composable.design.taps import tap
from composable.design.tasks import classifier, regressor
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES, architecture
from composable.zoo.catalog.tables_and_sequences import TABULAR
from composable.zoo.tabm import MEMBERS

CODES = (4, 20)  # one-hot, embedded
INPUTS = {"numbers": Input((5,)), "categories": Input((2,), "int32")}
TABLES = [family.name for family in TABULAR]

F = 5 + 5 + (4 - 1) + 8  # scaled numbers, which are missing, one-hot codes, an embedding
EMBEDDED = 20 * 8
SCALE, SEEN = 2 * 5, 3 + 20  # fitted, not trained
SCALED = 2 * 3 + 20  # one-hot codes of realmlp
BINS = 2 * 5 * 48


def tabm_layer(width, units, members=32):
    """Shared weights, and r, s and bias of every member: section 3.2 of the paper."""
    return width * units + members * (width + 2 * units)


def ft_transformer(d=192, blocks=3, hidden=256):
    tokens = (
        2 * 5 * d + (sum(CODES) + 2) * d + d
    )  # weights and biases of numbers; of categories; the first token
    holes = (5 + 2) * d  # a vector for what is missing or unknown, ours
    attention, dense = 4 * (d * d + d), (d + 1) * 2 * hidden + (hidden + 1) * d
    norms = (2 * blocks - 1) + 1  # all but the very first, and the one before the scores
    return tokens + holes + blocks * (attention + dense) + norms * 2 * d + d + 1


def resnet_table(w=192, blocks=2):
    block = 2 * w + (w + 1) * 2 * w + (2 * w + 1) * w
    return (F + 1) * w + blocks * block + 2 * w + w + 1


MLP = F + 5 * 8  # features with numbers embedded in eight
TABM = F + 5 * 16
REALMLP = F + 5 * 3
COUNTS = {  # trained, fitted; recomputed from the papers
    "linear": (EMBEDDED + F + 1, SCALE + SEEN),
    "mlp": (
        EMBEDDED + 5 * (48 * 8 + 8) + (MLP + 1) * 256 + 257 * 256 + 257,
        SCALE + SEEN + BINS,
    ),
    "tabm_mini": (
        EMBEDDED + 5 * (48 * 8 + 8) + MEMBERS * MLP + (MLP + 1) * 256 + 257 * 256 + MEMBERS * 257,
        SCALE + SEEN + BINS,
    ),
    "tabm": (EMBEDDED + tabm_layer(F, 512) + 2 * tabm_layer(512, 512) + 32 * 513, SCALE + SEEN),
    "tabm_embedded": (
        EMBEDDED + 5 * (48 * 16 + 16) + tabm_layer(TABM, 512) + tabm_layer(512, 512) + 32 * 513,
        SCALE + SEEN + BINS,
    ),
    "realmlp": (
        EMBEDDED
        + 5 * (2 * 16 + 17 * 3)  # frequencies, phases, their dense layer
        + REALMLP  # the scale
        + (REALMLP + 1) * 256
        + 2 * 257 * 256
        + 3 * 256  # the slopes of the activations
        + 257,
        SCALE + SCALED,
    ),
    "realmlp_s": (EMBEDDED + F + (F + 1) * 256 + 2 * 257 * 256 + 257, SCALE + SCALED),
    "ft_transformer": (ft_transformer(), SCALE + sum(CODES)),
    "resnet_table": (EMBEDDED + resnet_table(), SCALE + SEEN + 3 * 2 * 192),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_member_has_the_count_of_the_papers_formula(name):
    found = cost(outline(architecture(name, categories=CODES), INPUTS)[0])
    assert (found.trainable, found.parameters - found.trainable) == COUNTS[name]


def table(rows=6):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(rows, 5)).astype("float32")
    return {
        "numbers": numbers,
        "categories": np.stack([rng.integers(0, c, rows) for c in CODES], 1).astype("int32"),
    }


def small(name, inputs=INPUTS, **changed):
    keras.utils.set_random_seed(5)
    return catalog.made(FAMILIES[name], {**FAMILIES[name].smallest.metaparameters, **changed}).build(inputs)


@pytest.mark.parametrize("name", TABLES)
def test_holes_and_codes_never_seen_are_predicted_too(name):
    model, rows = small(name), table()
    adapt(model, rows, categories=CODES)
    rows["numbers"][0], rows["numbers"][1, 2] = np.nan, 1e30
    rows["categories"][2] = 0
    assert np.isfinite(model.predict_on_batch(rows)).all()


@pytest.mark.parametrize("name", TABLES)
def test_every_head_has_its_own_scores_on_dates_and_texts_too(name):
    tasks = (Task(Part(classifier, classes=3), "kind"), Task(Part(regressor), "price"))
    model = small(name, {**INPUTS, "dates": (1,), "ngrams": Input((4,), "int32")}, tasks=tasks)
    assert {task: output.shape for task, output in model.output.items()} == {
        "kind": (None, 3),
        "price": (None, 1),
    }


def test_columns_are_apart_and_unseen_codes_are_unknown():
    model = small("ft_transformer")
    rows = table(2)
    rows["categories"] = np.array([[1, 5], [2, 6]], "int32")
    adapt(model, rows, categories=CODES)
    rows["categories"] = np.array([[1, 9], [0, 6]], "int32")  # 9 wasn't among those rows; 0 is unknown
    unknown = keras.Model(model.input, model.get_layer("unknown_vectors").input)
    np.testing.assert_array_equal(unknown.predict_on_batch(rows), [[0, 1], [1, 0]])


def test_all_unseen_codes_are_one_token():
    model, rows = small("ft_transformer"), table(3)
    adapt(model, rows, categories=CODES)
    unseen = [code for code in range(1, 20) if code not in rows["categories"][:, 1]]
    rows = {name: values[[0, 0, 0]] for name, values in rows.items()}
    rows["categories"][:, 1] = (0, *unseen[:2])
    found = model.predict_on_batch(rows)
    np.testing.assert_allclose(found, found[[0, 0, 0]], atol=1e-6)


def test_a_missing_number_is_not_the_median():
    model, rows = small("ft_transformer"), table(5)
    adapt(model, rows, categories=CODES)
    median = np.median(rows["numbers"][:, 0])
    two = {name: values[[0, 0]].copy() for name, values in rows.items()}
    two["numbers"][:, 0] = (median, np.nan)
    there, missing = model.predict_on_batch(two)
    assert np.abs(there - missing).max() > 1e-5


def test_an_ft_transformer_has_a_token_per_column_and_normalizes_all_but_the_first():
    model = small("ft_transformer", blocks=2)
    assert model.get_layer("encoding").output.shape == (None, 1 + 5 + 2, 8)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.LayerNormalization)]
    assert len(norms) == 2 * 2
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.MultiHeadAttention))
    assert isinstance(first.input[0]._keras_history.operation, keras.layers.Concatenate)


def test_no_two_vectors_of_a_column_begin_alike():
    model = small("ft_transformer")
    drawn = [
        w
        for name in ("number", "missing", "unknown")
        for w in model.get_layer(f"{name}_vectors").get_weights()
    ]
    assert len(np.unique(np.concatenate([w.ravel() for w in drawn]))) == sum(w.size for w in drawn)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ConfigError, match="3 heads don't divide a width of 8"):
        small("ft_transformer", heads=3)


def test_the_cosines_of_realmlp_are_the_papers():
    model, rows = small("realmlp"), table()
    adapt(model, rows, categories=CODES)
    linear = model.get_layer("periodic_linear")
    numbers = keras.Model(model.input, model.get_layer("periodic_angles").input).predict_on_batch(rows) / (
        2 * np.pi
    )
    cosines = keras.Model(model.input, linear.input).predict_on_batch(rows)
    frequencies, phases = model.get_layer("periodic_angles").get_weights()
    wanted = np.cos(2 * np.pi * frequencies * numbers[:, :, None] + phases)
    np.testing.assert_allclose(cosines, wanted, atol=1e-5)
    assert linear.output.shape == (None, 5, 3)


def test_the_activations_of_realmlp_fade_in_from_a_straight_line():
    model, rows = small("realmlp"), table()
    adapt(model, rows, categories=CODES)
    model.get_layer("hidden_0_slope").set_weights([np.zeros(8, "float32")])
    inside = keras.Model(
        model.input, [model.get_layer("hidden_0_dense").output, model.get_layer("encoding").output]
    )
    straight, out = inside.predict_on_batch(rows)
    np.testing.assert_allclose(out, straight, atol=1e-6)


def test_a_simple_realmlp_says_zero_at_first():
    model, rows = small("realmlp_s"), table()
    adapt(model, rows, categories=CODES)
    np.testing.assert_array_equal(model.predict_on_batch(rows), 0)


@pytest.mark.parametrize(
    ("task", "activation"), [(Part(regressor), "mish"), (Part(classifier, classes=2), "selu")]
)
def test_realmlp_bends_for_its_task(task, activation):
    model = small("realmlp", tasks=(task,))
    bent = next(layer for layer in model.layers if isinstance(layer, keras.layers.Activation))
    assert bent.activation.__name__ == activation


def test_the_full_tabm_starts_as_tabm_mini():
    shared = {"units": 8, "blocks": 2, "bins": 0, "dropout": 0.0}
    full, mini = small("tabm", count=MEMBERS, **shared), small("tabm_mini", **shared)
    rows = table()
    for model in (full, mini):
        adapt(model, rows, categories=CODES)
    for kind in (keras.layers.Embedding, keras.layers.Dense):
        ours, theirs = ([each for each in m.layers if isinstance(each, kind)] for m in (mini, full))
        for one, other in zip(ours, theirs, strict=True):
            one.set_weights(other.get_weights() + one.get_weights()[len(other.get_weights()) :])
    mini.get_layer("members").set_weights(full.get_layer("members").get_weights())
    found = [tap(model, "embedding").predict_on_batch(rows) for model in (full, mini)]
    assert found[0].shape == (6, MEMBERS, 8)
    np.testing.assert_allclose(*found, atol=1e-5)
    assert np.ptp(found[0], axis=1).max() > 1e-3  # members differ
