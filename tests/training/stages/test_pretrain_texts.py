"""The pretext task for texts: which words are hidden, what is asked, how it is scored."""

from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from composable.core.budget import Deadline
from composable.core.errors import DataError
from composable.data.schema import FIRST, UNKNOWN_WORD
from composable.data.split import Fold
from composable.design import Input, Part
from composable.design.taps import tap
from composable.design.text import joined_id_sets
from composable.modality.facts import DataFacts
from composable.modality.text import word_order_networks
from composable.problem.problem import Head, Problem
from composable.training.candidate import Material
from composable.training.folds import FoldTrainer
from composable.training.stages.pretrain.masked_words import (
    hidden,
    hidden_cross_entropy,
    masked_words,
    reads_words_in_order,
)
from composable.training.stages.pretrain.pretext import Unlabeled
from composable.training.stages.pretrain.pretrain import pretrain
from composable.training.stages.stage import Progress
from composable.training.stages.staging import fold_job
from composable.zoo.text_cnn import text_cnn
from composable.zoo.text_transformer import text_transformer

SIZE, LENGTH = 40, 10


def texts(rows=200):
    """Ten words or fewer, most of them among the first."""
    rng = np.random.default_rng(0)
    words = np.minimum(rng.geometric(0.1, (rows, LENGTH)) + FIRST - 1, SIZE - 1)
    words[np.arange(LENGTH) >= rng.integers(1, LENGTH + 1, rows)[:, None]] = 0
    inputs = {"words": words.astype("int32"), "ngrams": words.astype("int32")}
    return Unlabeled(inputs, np.arange(rows - 40), np.arange(rows - 40, rows), 4, 0)


def network(family):
    taken = Part(joined_id_sets, id_sets=("words",), sizes=(SIZE,))
    shapes = {name: Input((LENGTH,), "int32") for name in ("words", "ngrams")}
    return tap(replace(family, prestem=taken).build(shapes), "logits")


@pytest.fixture(scope="module")
def transformer():
    return network(text_transformer(vocabulary=SIZE, longest=LENGTH, width=8, heads=2, blocks=1))


def test_hidden_words_are_known_ones_that_were_there():
    words = texts().inputs["words"]
    words[0] = UNKNOWN_WORD
    places, hidden_words = hidden(words, share=0.3, slots=3, classes=20, rng=np.random.default_rng(0))
    there = np.take_along_axis(words, places, axis=1)
    np.testing.assert_array_equal(hidden_words[hidden_words > 0], there[hidden_words > 0] - FIRST + 1)
    assert hidden_words.max() <= 20
    assert not hidden_words[0].any()  # of unknown words none can be told
    some = ((words >= FIRST) & (words < FIRST + 20)).sum(axis=1)
    np.testing.assert_array_equal((hidden_words > 0).sum(axis=1), np.ceil(0.3 * some))


def test_the_network_sees_the_id_of_unknown_words_in_their_place():
    x = texts()
    made = masked_words(x, share=0.3)
    shown, places = (made.rows.inputs[name][made.held_out] for name in ("words", "hidden"))
    hidden_words = made.rows.targets[0][made.held_out]
    clean = x.inputs["words"][x.held_out]
    changed = shown != clean
    assert (shown[changed] == UNKNOWN_WORD).all()
    np.testing.assert_array_equal(changed.sum(axis=1), (hidden_words > 0).sum(axis=1))
    np.testing.assert_array_equal(
        np.take_along_axis(clean, places, 1)[hidden_words > 0] - FIRST + 1, hidden_words[hidden_words > 0]
    )


def test_the_words_are_told_where_they_were_hidden(transformer):
    x = texts()
    made = masked_words(x)
    inputs = {name: values[:6] for name, values in made.rows.inputs.items()}
    model = made.attach(transformer)
    logits = ops.convert_to_numpy(model(inputs))
    losses = ops.convert_to_numpy(made.goals[0].loss(made.rows.targets[0][:6], logits, 0.0))
    assert losses.shape == (6,)
    assert np.isfinite(losses).all()
    np.testing.assert_allclose(losses, np.log(logits.shape[-1]), atol=2.0)
    assert 0.0 <= made.score([logits], np.arange(6)) <= 1.0
    assert 0.0 < made.chance < 0.5
    turned = {**inputs, "hidden": inputs["hidden"][:, ::-1]}
    np.testing.assert_allclose(ops.convert_to_numpy(model(turned)), logits[:, ::-1], atol=1e-5)


def test_only_slots_that_are_used_count():
    logits = np.log(np.array([[[0.25, 0.75], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]], "float32"))
    found = hidden_cross_entropy(np.array([[2, 0], [0, 0]], "int32"), logits)
    np.testing.assert_allclose(found, [-np.log(0.75), 0.0], rtol=1e-5)


def test_it_needs_words_and_a_vector_for_each(transformer):
    assert reads_words_in_order(transformer)
    pooled = network(text_cnn(vocabulary=SIZE, width=4, filters=4, widths=(2,)))
    assert not reads_words_in_order(pooled)
    with pytest.raises(DataError, match="vector for every word"):
        masked_words(texts()).attach(pooled)
    rows = np.arange(4)
    with pytest.raises(DataError):
        masked_words(Unlabeled({"numbers": np.zeros((4, 2), "float32")}, rows[:3], rows[3:], 1, 0))
    with pytest.raises(DataError):
        masked_words(Unlabeled({"words": np.ones((4, 2), "int32")}, rows[:3], rows[3:], 1, 0))


def test_the_stage_learns_words_from_those_around_them():
    rows = 300
    rng = np.random.default_rng(0)
    first = rng.integers(0, 8, (rows, 1))
    words = (FIRST + (first + np.arange(LENGTH)) % 8).astype("int32")  # each word follows from the one before
    head = Head("y", "binary", ("y",), (0, 1))
    sizes = {"words": FIRST + 8, "ngrams": FIRST + 8}
    inputs = {"words": words, "ngrams": np.sort(words, axis=1)}
    given = Material(Problem((head,), "log_loss"), inputs, ((first < 4) * 1.0,), (), vocabularies=sizes)
    table = DataFacts(given.problem, 200, given.widths, (), sizes)
    found = {candidate.name: candidate for candidate in word_order_networks(table, np.inf)}
    fold = Fold(np.arange(200), np.arange(200, 260), np.arange(260, rows))
    job = fold_job(FoldTrainer(found["text_transformer"], given), fold, seed=0)
    outcome = pretrain(
        job,
        Progress(None, job.settings),
        deadline=Deadline(),
        task=Part(masked_words),
        epochs=8,
        seeds=1,
        scored_for=1,
    )
    assert outcome.evidence["pretext_figure"] == "accuracy of hidden words"
    assert outcome.evidence["pretext_reached"][0] > 0.6 > 0.3 > outcome.evidence["pretext_chance"]
    job = fold_job(FoldTrainer(found["text_cnn"], given), fold, seed=0)
    skipped = pretrain(job, Progress(None, job.settings), deadline=Deadline(), task=Part(masked_words))
    assert skipped.status == "skipped"


def test_what_takes_longer_than_there_is_time_is_not_tried():
    sizes, widths = {"words": 9000, "ngrams": 9000}, {"words": 100, "ngrams": 120}
    head = Head("y", "binary", ("y",), (0, 1))
    table = DataFacts(Problem((head,), "log_loss"), 5000, widths, (), sizes)
    names = [[c.name for c in word_order_networks(table, seconds)] for seconds in (60.0, 36_000.0)]
    assert names == [[], ["text_transformer", "text_cnn", "dpcnn"]]
