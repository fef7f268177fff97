"""The stage `pretrain`: what it hands on, what it says of itself, and when it stops."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.part import Part
from composable.engine.objective import Goal, categorical_cross_entropy
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.training.stages.gain import NOT_MEASURED
from composable.training.stages.pretrain.image_classes import jigsaw
from composable.training.stages.pretrain.masking import masking
from composable.training.stages.pretrain.pretrain import _PRETEXT_SHARE, pretrain
from composable.training.stages.run import Recipe
from composable.training.stages.stage import Job, Progress, Start, set_start

SIDE = 8
COLUMN = np.linspace(0, 255, SIDE)[None, :, None, None]
TURNS = np.arange(160) % 2
NOISE = np.random.default_rng(0).normal(0, 10, (160, SIDE, SIDE, 1))
# Brighter towards a corner, along one side more than along the other: no two tiles of an image are alike.
SLOPE = np.where(TURNS == 0, 0.8, 0.2)[:, None, None, None]
PIXELS = SLOPE * COLUMN + (1 - SLOPE) * COLUMN.transpose(0, 2, 1, 3) + NOISE
LABELS = TURNS.astype("int32")[:, None]
FEW = np.where(np.arange(160)[:, None] < 30, LABELS, -1)  # of the others the label isn't known
FEW[120:] = LABELS[120:]


def network():
    x = inputs = keras.Input((SIDE, SIDE, 1), name="x")
    x = keras.layers.Rescaling(1 / 128, -1)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(16, activation="relu", name="stem")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Identity(name="encoding")(x)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))


def job(**given):
    usual = {
        "name": "gradients",
        "build": network,
        "goals": (Goal(categorical_cross_entropy, categorical_cross_entropy),),
        "rows": Rows({"x": PIXELS.astype("float32")}, (FEW,)),
        "train": np.arange(120),
        "held_out": np.arange(120, 160),
        "settings": Settings(learning_rate=1e-3, batch_size=32, epochs=2, patience=None),
        "seed": 3,
    }
    return Job(**usual | given)


def run(of, progress=None, **given):
    usual = {"task": Part(jigsaw, tiles=4, permutations=4, gap=0), "epochs": 24, "learning_rate": 0.01}
    start = progress or Progress(None, of.settings)
    return pretrain(of, start, **{"deadline": Deadline(), "seeds": 3, **usual, **given})


@pytest.fixture(scope="module")
def outcome():
    return run(job())


def test_the_pretext_is_learned_well_above_chance(outcome):
    evidence = outcome.evidence
    assert evidence["pretext_figure"] == "accuracy"
    assert evidence["pretext_chance"] == 0.25
    assert min(evidence["pretext_reached"]) > 0.6
    assert evidence["pretext_epochs"] == [4, 4, 4]
    assert evidence["pretext_rows"] * 4 == 120 * 24  # labeled or not


def test_the_gain_is_measured_over_the_seeds(outcome):
    without, reached = np.array(outcome.evidence["without"]), np.array(outcome.evidence["with"])
    assert len(without) == len(reached) == 3
    assert len(set(without)) == 3
    assert outcome.gain == pytest.approx((without - reached).mean())
    assert outcome.spread == pytest.approx((without - reached).std(ddof=1) / 3**0.5)


def test_the_trunk_is_trained_and_the_head_freshly_drawn(outcome):
    of = job()
    model = network()
    drawn = []
    for number in range(3):
        set_start(of, model, Start(of.settings, derive(of.seed, "pretrain", number)))
        drawn.append([np.array(w) for w in model.get_weights()])
    model.set_weights(list(outcome.progress.weights))
    head = np.array(model.get_layer("logits").kernel)
    ours = [each for each in drawn if np.array_equal(each[-2], head)]
    assert len(ours) == 1
    paths = [v.path for v in model.weights]
    same = [
        path
        for path, was, now in zip(paths, ours[0], outcome.progress.weights, strict=True)
        if np.array_equal(was, now)
    ]
    assert sorted(same) == ["logits/bias", "logits/kernel"]  # moving averages of the norm learn too
    assert outcome.progress.settings == of.settings


def test_it_follows_from_the_seed(outcome):
    again = run(job())
    assert again.gain == outcome.gain
    for one, other in zip(again.progress.weights, outcome.progress.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_labels_are_not_used_by_the_pretext(outcome):
    other = run(job(rows=Rows({"x": PIXELS.astype("float32")}, (1 - LABELS,))))
    for one, also in zip(other.progress.weights, outcome.progress.weights, strict=True):
        np.testing.assert_array_equal(one, also)


def test_it_goes_on_from_the_weights_that_it_is_given():
    of = job(settings=replace(job().settings, epochs=1))
    model = network()
    given = tuple(np.array(w) for w in model.get_weights())
    found = run(of, Progress(given, of.settings), epochs=1, learning_rate=1e-9, seeds=2)
    paths = [v.path for v in model.weights]
    for path, was, now in zip(paths, given, found.progress.weights, strict=True):
        if "logits" in path or "moving" in path:
            continue
        np.testing.assert_allclose(now, was, atol=1e-5)
    assert not np.array_equal(
        found.progress.weights[paths.index("logits/kernel")], given[paths.index("logits/kernel")]
    )


def test_only_rows_with_a_label_are_compared_on(monkeypatch):
    seen = []

    def measure(of, *_, **__):
        seen.append(of.train)
        return NOT_MEASURED

    monkeypatch.setattr("composable.training.stages.pretrain.pretrain.measure_gain", measure)
    found = run(job(), epochs=1, seeds=1)
    assert seen[0].tolist() == list(range(30))
    assert found.gain is None


def test_without_time_it_is_skipped():
    of = job()
    found = run(of, deadline=Deadline(0.0))
    assert found.status == "skipped"
    assert found.progress.weights is None


def test_the_deadline_ends_the_pretext_and_it_says_so(monkeypatch):
    def part(deadline, share):  # of the stage, only the pretext's own has no time
        return Deadline(0.0) if share == _PRETEXT_SHARE else deadline

    monkeypatch.setattr("composable.training.stages.pretrain.pretrain.part_of", part)
    found = run(job(), epochs=400)
    assert found.status == "done"
    assert found.reason == "the deadline ended the pretext in epoch 1 of 4"


def test_without_a_task_it_is_skipped():
    found = run(job(), task=None)
    assert (found.status, found.gain) == ("skipped", None)


def test_a_pretext_that_diverges_passes_on_what_was_received():
    of = job()
    found = run(of, epochs=1, learning_rate=1e30, seeds=1)
    assert found.status == "failed"
    assert found.progress.weights is None


def test_a_recipe_with_it_is_plain_json():
    recipe = Recipe((Part(pretrain, task=Part(masking, share=0.2), epochs=3),))
    assert Recipe.from_json(recipe.to_json()) == recipe
