"""Every task: what it gives, where it can be tapped, and what it reads."""

import keras
import numpy as np
import pytest
from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Part, Task, component
from composable.design.taps import tap, tapped
from composable.design.tasks import (
    binary_classifier,
    classifier,
    compact_classifier,
    decoder,
    dense_scores,
    flattened,
    multi_label_classifier,
    pooled,
    regressor,
    segmenter,
)

IMAGE = (6, 6, 3)
IMAGES = np.random.default_rng(0).normal(size=(4, *IMAGE)).astype("float32")
ROWS = np.random.default_rng(1).normal(size=(4, 5)).astype("float32")


@component
def widened(x, *, units: int = 8):
    return layers.Dense(units, activation="relu")(x)


@component
def maps(x, *, filters: int = 4):
    return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)


@component
def members(x, *, units: int, name: str, number: int = 3):
    """Scores of an ensemble inside the network: shape (rows, members, units)."""
    return layers.Reshape((number, units), name=name)(layers.Dense(number * units)(x))


def of(task, learner=widened, inputs=(5,)):
    return Architecture(learner=learner, tasks=task).build(inputs)


def read(model, name, x):
    return np.asarray(tap(model, name)(x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("task", "units", "activation"),
    [
        (Part(regressor), 1, np.asarray),
        (Part(regressor, outputs=3), 3, np.asarray),
        (Part(binary_classifier), 1, sigmoid),
        (Part(multi_label_classifier, labels=4), 4, sigmoid),
        (Part(classifier, classes=3), 3, softmax),
    ],
    ids=["regressor", "several numbers", "binary", "multi-label", "classifier"],
)
def test_a_task_gives_its_scores_activated_with_every_tap(task, units, activation):
    model = of(task)
    embedding, logits = read(model, "embedding", ROWS), read(model, "logits", ROWS)
    assert embedding.shape == (4, 8)
    assert logits.shape == (4, units)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(embedding @ kernel + bias, logits, atol=1e-5)
    np.testing.assert_allclose(activation(logits), model(ROWS), atol=1e-6)
    np.testing.assert_array_equal(read(model, "probabilities", ROWS), model(ROWS))


def test_probabilities_of_classes_that_exclude_each_other_sum_to_one():
    model = of(Part(classifier, classes=7))
    np.testing.assert_allclose(np.sum(model(ROWS), axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("task", "activation"),
    [
        (Part(regressor, scores=members), np.asarray),
        (Part(binary_classifier, scores=members), sigmoid),
        (Part(multi_label_classifier, labels=2, scores=members), sigmoid),
        (Part(classifier, classes=2, scores=Part(members, number=5)), softmax),
    ],
    ids=["regressor", "binary", "multi-label", "classifier"],
)
def test_what_members_predict_is_averaged_not_their_scores(task, activation):
    model = of(task)
    logits = read(model, "logits", ROWS)
    assert logits.ndim == 3
    np.testing.assert_allclose(activation(logits).mean(axis=1), model(ROWS), atol=1e-6)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (pooled, lambda encoding: encoding.mean(axis=(1, 2))),
        (Part(pooled, kind="max"), lambda encoding: encoding.max(axis=(1, 2))),
        (flattened, lambda encoding: encoding.reshape(4, -1)),
    ],
    ids=["average", "max", "flattened"],
)
def test_the_embedding_is_the_pooled_encoding(pool, expected):
    model = of(Part(classifier, classes=2, pool=pool), maps, IMAGE)
    encoding = read(model, "encoding", IMAGES)
    assert encoding.shape == (4, 6, 6, 4)
    np.testing.assert_allclose(read(model, "embedding", IMAGES), expected(encoding), atol=1e-6)


def test_dropout_is_of_the_embedding_and_while_training_alone():
    model = of(Part(classifier, classes=2, dropout=0.5, scores=Part(dense_scores, use_bias=False)))
    np.testing.assert_array_equal(model(ROWS, training=False), model(ROWS, training=False))
    assert not np.array_equal(model(ROWS, training=True), model(ROWS, training=False))
    assert len(model.get_layer("logits").weights) == 1


def test_a_compact_head_has_one_map_per_class_and_no_dense_layer():
    model = of(Part(compact_classifier, classes=3, dropout=0.5), maps, IMAGE)
    assert not any(isinstance(layer, layers.Dense) for layer in model.layers)
    assert read(model, "logits", IMAGES).shape == (4, 3)
    assert read(model, "logits", IMAGES).min() >= 0  # the maps pass a ReLU
    np.testing.assert_allclose(np.sum(model(IMAGES), axis=1), 1.0, atol=1e-6)
    encoding = read(model, "encoding", IMAGES)
    np.testing.assert_allclose(read(model, "embedding", IMAGES), encoding.mean(axis=(1, 2)), atol=1e-6)


def test_a_segmentation_head_has_probabilities_for_every_pixel():
    model = of(Part(segmenter, classes=5), maps, IMAGE)
    probabilities = np.asarray(model(IMAGES))
    assert probabilities.shape == (4, 6, 6, 5)
    np.testing.assert_allclose(softmax(read(model, "logits", IMAGES)), probabilities, atol=1e-6)
    assert read(model, "embedding", IMAGES).shape == (4, 4)


@pytest.mark.parametrize(("activation", "expected"), [(None, np.asarray), ("sigmoid", sigmoid)])
def test_a_decoder_makes_from_the_code_what_is_wanted(activation, expected):
    model = of(Part(decoder, part=Part(widened, units=5), activation=activation))
    code = read(model, "embedding", ROWS)
    np.testing.assert_array_equal(code, read(model, "encoding", ROWS))
    logits = read(model, "logits", ROWS)
    assert logits.shape == ROWS.shape
    np.testing.assert_allclose(expected(logits), model(ROWS), atol=1e-6)


def several():
    return Architecture(
        learner=(Part(widened, units=6), Part(tapped, name="middle"), Part(widened, units=8)),
        tasks=(
            Task(Part(regressor), name="age"),
            Task(Part(classifier, classes=3), name="kind"),
            Task(Part(classifier, classes=3), name="auxiliary_1", reads="middle"),
            Task(Part(binary_classifier), name="late", reads="age/embedding"),
        ),
    )


def test_several_tasks_are_predicted_and_tapped_by_name():
    model = several().build((5,))
    predicted = model(ROWS)
    assert {name: value.shape for name, value in predicted.items()} == {
        "age": (4, 1),
        "kind": (4, 3),
        "auxiliary_1": (4, 3),
        "late": (4, 1),
    }
    for name, value in predicted.items():
        np.testing.assert_array_equal(read(model, f"{name}/probabilities", ROWS), value)
    np.testing.assert_allclose(softmax(read(model, "kind/logits", ROWS)), predicted["kind"], atol=1e-6)
    shapes = [tuple(each.shape) for each in tap(model, "logits")(ROWS)]
    assert sorted(shapes) == [(4, 1), (4, 1), (4, 3), (4, 3)]
    assert read(model, "encoding", ROWS).shape == (4, 8)


def test_an_auxiliary_task_reads_the_middle_and_a_later_one_an_earlier_ones_tap():
    model = several().build((5,))
    assert read(model, "auxiliary_1/embedding", ROWS).shape == (4, 6)
    np.testing.assert_array_equal(read(model, "middle", ROWS), read(model, "auxiliary_1/embedding", ROWS))
    np.testing.assert_array_equal(read(model, "age/embedding", ROWS), read(model, "late/embedding", ROWS))


def test_several_tasks_learn_together_and_come_back_with_keras_alone(tmp_path):
    model = several().build((5,))
    model.compile(optimizer="sgd", loss="mse")
    model.train_on_batch(ROWS, {name: np.ones(value.shape) for name, value in model(ROWS).items()})
    model.save(tmp_path / "several.keras")
    again = keras.models.load_model(tmp_path / "several.keras")
    for name, value in model(ROWS).items():
        np.testing.assert_array_equal(again(ROWS)[name], value)
    np.testing.assert_array_equal(read(again, "age/logits", ROWS), read(model, "age/logits", ROWS))


def test_tasks_of_one_name_or_without_are_refused():
    for names in (("age", "age"), ("age", ""), ("age/logits", "b")):
        with pytest.raises(ConfigError, match="Several tasks have different names, without a slash"):
            Architecture(tasks=tuple(Task(Part(regressor), name=name) for name in names))


def test_what_a_task_cannot_read_is_named():
    for reads in ("nowhere", "late/embedding"):  # a later task's tap isn't there yet
        tasks = (Task(Part(regressor), name="age", reads=reads), Task(Part(regressor), name="late"))
        with pytest.raises(ConfigError, match=f"task 'age' reads '{reads}'"):
            Architecture(learner=widened, tasks=tasks).build((5,))


def test_an_unknown_tap_names_those_there_are():
    model = several().build((5,))
    with pytest.raises(ConfigError, match=r"no tap 'age/scores'(?s:.*)encoding, age_embedding"):
        tap(model, "age/scores")


def test_other_tasks_on_the_same_trunk_keep_how_features_are_pooled():
    first = Architecture(learner=maps, tasks=Part(classifier, classes=2, pool=flattened))
    model = first.with_tasks(Part(regressor, outputs=2)).build(IMAGE)
    assert read(model, "embedding", IMAGES).shape == (4, 6 * 6 * 4)


def plain_function(x, *, units=3):
    return layers.Dense(units)(x)


@pytest.mark.parametrize(
    "own",
    [plain_function, Part(plain_function, units=3), Part(layers.Dense, units=3), layers.Dense(3)],
    ids=["function", "part", "layer class", "layer"],
)
def test_a_persons_own_function_or_layer_is_a_stem_a_block_and_a_task_without_registration(own):
    model = Architecture(stem=own, learner=(own, own), tasks=own).build((5,))
    assert model.count_params() == (5 * 3 + 3) + 3 * (3 * 3 + 3)  # four layers: no weights are shared
    np.testing.assert_array_equal(read(model, "probabilities", ROWS), model(ROWS))
    assert read(model, "embedding", ROWS).shape == (4, 3)


def test_several_own_tasks_are_predicted_by_name():
    tasks = (Task(Part(plain_function, units=2), name="a"), Task(Part(layers.Dense, units=1), name="b"))
    predicted = of(tasks)(ROWS)
    assert {name: value.shape for name, value in predicted.items()} == {"a": (4, 2), "b": (4, 1)}


def test_own_components_are_refused_by_json_alone():
    with pytest.raises(ConfigError, match="JSON names registered components alone"):
        Architecture(tasks=plain_function).to_json()
