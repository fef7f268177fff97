"""A fit that begins from a trained network: a run of one's own, or a file of Keras."""

from __future__ import annotations

import json

import keras
import numpy as np
import pandas as pd
import pytest

import composable
from composable.core.errors import ConfigError
from composable.data.kinds.category import CategoryBlock

BRIEF = {"max_trials": 1, "max_epochs": 2}
SIDE = 16


def drawn(rows, seed=0, side=SIDE):
    """Images in color, bright at the top or at the bottom."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 80, (rows, side, side, 3)).astype("uint8")
    low = np.arange(rows) % 2
    for number, below in enumerate(low):
        half = slice(side // 2, None) if below else slice(0, side // 2)
        images[number, half] += 120
    return images, low


def rows_of(images, low):
    return {"image": images, "where": low.astype(str)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("transfer") / "run"
    return composable.fit(rows_of(*drawn(60)), "where", max_trials=1, max_epochs=4, out=out)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    images = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="first_conv")(images)
    x = keras.layers.BatchNormalization(name="first_norm")(x)
    x = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="second_conv")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pooling")(x)
    model = keras.Model(images, keras.layers.Dense(5, activation="softmax", name="scores")(x))
    path = tmp_path_factory.mktemp("file") / "own.keras"
    model.save(path)
    return path


def test_epochs_are_bounded_for_the_network_that_it_begins_from(run, tmp_path):
    found = composable.fit(
        rows_of(*drawn(40, seed=1)), "where", start=run.path, out=tmp_path / "run", **BRIEF
    )
    trials = [json.loads(path.read_text()) for path in found.path.glob("trials/*/trial.json")]
    (begun,) = [trial for trial in trials if trial["name"].startswith("from_")]
    assert begun["settings"]["epochs"] == BRIEF["max_epochs"]


def network(run):
    """The first network in the deployed model, without its wrappers."""
    found = run.model.get_layer("network_0")
    while inner := [layer for layer in found.layers if isinstance(layer, keras.Model)]:
        found = inner[0]
    return found


def weights(run, kind):
    return [layer.get_weights() for layer in network(run).layers if isinstance(layer, kind)]


def equal(a, b):
    return [all(np.array_equal(x, y) for x, y in zip(*pair, strict=True)) for pair in zip(a, b, strict=False)]


def test_what_is_frozen_stays_bit_by_bit_statistics_included(run, tmp_path):
    begun = composable.fit(
        rows_of(*drawn(40, seed=5)), "where", start=run.path, freeze=True, out=tmp_path / "run", **BRIEF
    )
    for kind in (keras.layers.Conv2D, keras.layers.BatchNormalization):
        assert all(equal(weights(run, kind), weights(begun, kind)))
    assert not all(equal(weights(run, keras.layers.Dense), weights(begun, keras.layers.Dense)))


@pytest.mark.slow
def test_a_part_that_is_unfrozen_learns_and_the_others_do_not(run, tmp_path):
    begun = composable.fit(
        rows_of(*drawn(40, seed=5)),
        "where",
        start=run.path,
        freeze=True,
        unfreeze=["learner.1"],
        out=tmp_path / "run",
        **BRIEF,
    )
    kept = equal(weights(run, keras.layers.Conv2D), weights(begun, keras.layers.Conv2D))
    assert kept == [True, True, True, False, False]  # whitening, two convolutions in each of two groups


@pytest.mark.slow
def test_new_tasks_stand_on_the_part_that_is_tapped(run, tmp_path):
    begun = composable.fit(
        rows_of(*drawn(40, seed=5)), "where", start=run.path, tap="learner.0", out=tmp_path / "run", **BRIEF
    )
    convolutions = [len(weights(one, keras.layers.Conv2D)) for one in (run, begun)]
    assert convolutions == [5, 3]


@pytest.mark.slow
def test_rows_are_encoded_as_the_trained_network_knows_them(tmp_path):
    rng = np.random.default_rng(0)
    first = pd.DataFrame({"size": rng.normal(size=60), "make": ["ford", "bmw", "ford"] * 20})
    first["price"] = rng.normal(size=60) + (first["make"] == "bmw")
    origin = composable.fit(first, "price", out=tmp_path / "first", **BRIEF)
    other = pd.DataFrame({"make": ["bmw", "bmw", "ford"] * 20, "size": rng.normal(size=60)})
    other["sold"] = np.where(other["size"] + rng.normal(size=60) > 0, "yes", "no")
    begun = composable.fit(other, "sold", start=origin.path, out=tmp_path / "second", **BRIEF)
    tables = [
        composable.load(one.path / "bundle").card.encoding.of(CategoryBlock)[0].values
        for one in (origin, begun)
    ]
    assert tables[0] == tables[1] == ("ford", "bmw")


@pytest.mark.parametrize(("first", "warned"), [(0, True), (200, False)])
def test_rows_that_the_beginning_has_learned_from_are_told(tmp_path, first, warned):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)).round(5)
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=x.sum(axis=1))
    run = composable.fit(table.head(200), "y", design="mlp(units=16)", out=tmp_path / "first", **BRIEF)
    again = composable.fit(
        table.iloc[first : first + 200], "y", start=run.path, out=tmp_path / "second", **BRIEF
    )
    notices = [one["text"] for one in again.facts["notices"] if one["level"] == "warning"]
    assert any("has learned from" in text for text in notices) is warned


def test_a_file_of_keras_is_a_beginning(file, tmp_path):
    begun = composable.fit(
        rows_of(*drawn(40, side=20)), "where", start=file, freeze=True, out=tmp_path / "run", **BRIEF
    )
    assert "from_own" in {row["model"] for row in begun.candidates()}
    own = keras.models.load_model(file)
    for name in ("first_conv", "first_norm", "second_conv"):
        theirs, ours = own.get_layer(name), network(begun).get_layer(name)
        assert all(map(np.array_equal, theirs.get_weights(), ours.get_weights()))
    notices = json.loads((begun.path / "run.json").read_text())["notices"]
    assert any("own.keras, up to its layer second_conv" in notice["text"] for notice in notices)
    alone = keras.models.load_model(begun.path / "bundle" / "model.keras")
    images = drawn(3, side=SIDE)[0]
    np.testing.assert_allclose(alone.predict({"images": images}, verbose=0), run_of(begun, images), atol=1e-6)


def run_of(run, images):
    return run.model.predict({"images": images}, verbose=0)


@pytest.mark.slow
def test_a_layer_of_the_file_is_tapped_and_layers_are_unfrozen_by_their_names(file, tmp_path):
    begun = composable.fit(
        rows_of(*drawn(40)),
        "where",
        start=file,
        tap="first_norm",
        freeze=True,
        unfreeze=["first_conv"],
        out=tmp_path / "run",
        **BRIEF,
    )
    own, ours = keras.models.load_model(file), network(begun)
    names = [layer.name for layer in ours.layers]
    assert "second_conv" not in names
    same = [
        all(map(np.array_equal, own.get_layer(name).get_weights(), ours.get_layer(name).get_weights()))
        for name in ("first_conv", "first_norm")
    ]
    assert same == [False, True]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tap": "nowhere"}, "second_conv"),
        ({"freeze": True, "unfreeze": ["third"]}, "--unfreeze names parts or layers"),
        ({"unfreeze": ["first"]}, "can't be unfrozen"),
    ],
)
def test_what_there_is_not_is_refused(file, tmp_path, wrong, message):
    with pytest.raises(ConfigError, match=message):
        composable.fit(rows_of(*drawn(40)), "where", start=file, out=tmp_path / "run", **BRIEF, **wrong)


def test_a_table_is_no_beginning_for_images(file, tmp_path):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40)})
    with pytest.raises(ConfigError, match="takes images alone"):
        composable.fit(rows, "y", start=file, out=tmp_path / "run", **BRIEF)
