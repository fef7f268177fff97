"""A small real bundle: two numbers, a date, two categories, a text; a number and three classes to predict."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, ops

from composable.data.encoding import Encoding
from composable.data.kinds.category import CategoryBlock
from composable.data.kinds.date import DateBlock
from composable.data.kinds.number import NumberBlock
from composable.data.kinds.text import TextBlock
from composable.data.schema import Column, Schema
from composable.data.texts import Vocabulary
from composable.deploy.bundle import Bundle, load_bundle, save_bundle
from composable.deploy.card import BundleCard
from composable.problem.problem import Head, Problem

KINDS = {
    "size": "number",
    "stamp": "number",
    "sold": "date",
    "make": "category",
    "fuel": "category",
    "note": "text",
}
MARKS = {"fuel": ("unknown",), "size": ("-999",)}
REGRESSION = Head("price", "regression", ("price",))
CLASSES = Head("grade", "multiclass", ("grade",), ("low", "mid", "high"))


def make_card(*heads: Head) -> BundleCard:
    columns = [Column(name, kind, missing=MARKS.get(name, ())) for name, kind in KINDS.items()]
    columns += [Column(target, "number", "target") for head in heads for target in head.targets]
    vocabulary = Vocabulary(
        words=("good", "bad", "très", "rust", ","),
        pairs=("good car", "très rust"),
        characters=(" g", "rus", "ès "),
        length=6,
        most_ngrams=5,
        most_characters=2,
    )
    encoding = Encoding(
        (
            NumberBlock("size", low=0.0, high=10.0),
            NumberBlock("stamp", offset=1.7e9, low=1.7e9, high=1.7e9 + 1000.0),
            DateBlock("sold"),
            CategoryBlock("make", ("audi", "bmw", "Citroën"), {"audi ": "audi", "AUDI": "audi"}),
            CategoryBlock("fuel", ("gas", "diesel"), {}),
            TextBlock("note", vocabulary),
        )
    )
    return BundleCard(
        name="tiny",
        created="2026-01-02T03:04:05Z",
        schema=Schema(tuple(columns)),
        encoding=encoding,
        problem=Problem(heads, "rmse"),
        metrics={"validation": {"rmse": 1.5, "r2": None}},
        versions={"keras": keras.__version__},
        target_deviations={target: 3.0 for head in heads if not head.labels for target in head.targets},
    )


def make_model(*heads: Head) -> keras.Model:
    """Built as the zoo builds: missing indicator, scaling, one-hot, an ensemble of two nested networks."""
    inputs = {
        "numbers": keras.Input((2,), name="numbers"),
        "dates": keras.Input((1,), name="dates"),
        "categories": keras.Input((2,), dtype="int32", name="categories"),
        "words": keras.Input((6,), dtype="int32", name="words"),
        "ngrams": keras.Input((5,), dtype="int32", name="ngrams"),
        "characters": keras.Input((2,), dtype="int32", name="characters"),
    }
    x = layers.EinsumDense("bf,f->bf", (3,), bias_axes="f", trainable=False, name="scale")(
        layers.Concatenate()([inputs["numbers"], (inputs["dates"] + 2) / 3650.0])
    )
    missing = ops.isnan(x)
    x = ops.clip(ops.where(missing, 0.0, x), -3.0, 3.0)
    one_hot = ops.sum(ops.one_hot(inputs["categories"] + np.array([0, 5], "int32"), 9), axis=1)
    embedded = layers.Flatten()(layers.Embedding(5, 2)(inputs["categories"]))
    words = ops.mean(layers.Embedding(9, 4)(inputs["ngrams"]), axis=1)
    words += ops.mean(layers.Embedding(5, 4)(inputs["characters"]), axis=1)
    x = layers.Concatenate()([x, ops.cast(missing, "float32"), one_hot, embedded, words])
    members = []
    for _ in range(2):
        start = keras.Input((int(x.shape[-1]),))
        h = layers.Dropout(0.1)(layers.Dense(8, activation="relu")(start))
        h = layers.EinsumDense("bd,kd->bkd", (2, 8), kernel_initializer="random_normal")(h)
        members.append(keras.Model(start, ops.mean(h, axis=1)))
    x = layers.Average()([member(x) for member in members])
    last = {"regression": None, "binary": "sigmoid", "multiclass": "softmax", "multilabel": "sigmoid"}
    outputs = [layers.Dense(head.width, activation=last[head.kind])(x) for head in heads]
    model = keras.Model(inputs, outputs)
    model.get_layer("scale").set_weights([np.array([0.2, 0.002, 1.0]), np.array([-1.0, -1.0, 0.0])])
    return model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The parts of a bundle of two heads, and the bundle."""
    keras.utils.set_random_seed(0)
    card, model = make_card(REGRESSION, CLASSES), make_model(REGRESSION, CLASSES)
    folder = tmp_path_factory.mktemp("tiny") / "bundle"
    save_bundle(folder, model, card)
    return SimpleNamespace(card=card, model=model, folder=folder, bundle=load_bundle(folder))


@pytest.fixture
def bundle_of(tmp_path: Path) -> Callable[..., Bundle]:
    """Make a bundle with these heads."""

    def make(*heads: Head) -> Bundle:
        keras.utils.set_random_seed(0)
        save_bundle(tmp_path / "made", make_model(*heads), make_card(*heads))
        return load_bundle(tmp_path / "made")

    return make
