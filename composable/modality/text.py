"""Texts: columns of words, read as n-grams and as words in their order.

Worth trying are closed-form linear models and neighbors, fastText, and, where there is much time, networks
that read words in their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from composable.design import Architecture, Part
from composable.design.building import outline
from composable.design.cost import cost
from composable.design.inputs import Input
from composable.design.metaparameters import names
from composable.design.stems import select_input
from composable.design.tasks import classifier, kernel_scores, regressor, unpooled
from composable.design.text import joined_id_sets, text_axes, weighted_id_sets
from composable.engine.settings import Settings
from composable.explain.text_errors import text_errors
from composable.modality.designed import changed_parts, every_part, fit_to_table
from composable.modality.facts import DataFacts
from composable.modality.modality import Modality
from composable.modality.trees import GRADIENT_BOOSTING
from composable.training.candidate import Candidate
from composable.training.kernel_ridge import kernel_ridge
from composable.training.linear_texts import linear_texts
from composable.training.stages.pretrain.masked_words import masked_words
from composable.zoo.ngrams import fasttext
from composable.zoo.text_cnn import dpcnn, text_cnn
from composable.zoo.text_transformer import text_transformer

_WIDTH = 64  # of word vectors and of all maps
_MANY = 8  # scores; with more, each regularization takes long
_FEW = 256  # n-grams of a text: the vectors of more take much memory
_AXES, _KEPT = 192, 4000  # of text_kernel: numbers per text, and texts that are kept
_FAITHFUL = (0.1, 0.03)  # penalties: a text that is known, or nearly, should be predicted as itself
_WORDS, _ALL = ("ngrams",), ("ngrams", "characters")

_SHARE = 0.3  # of the time, that a network that reads words in their order may take
_UNTIMED = 600.0  # seconds, where there is no time limit
_EPOCHS = 5  # that a network should be able to take in that time
_FOLDS = 4  # that are trained at least
_TRAINING = 6  # additions and multiplications forward and back, for each multiply-add forward
_ENCODER, _CONVOLUTIONS = 2.5e10, 6e9  # of those in a second, on two cores


def fit_design(design: Architecture, facts: DataFacts) -> Architecture:
    """The design with the tasks of these rows.

    One that reads ids of words gets their number and the length of the texts; any other is given one
    vector per row.
    """
    if not any({"vocabulary", "buckets"} & set(names(part.component)) for part in every_part(design.stem)):
        return fit_to_table(design, facts)
    sizes = {"vocabulary": facts.vocabularies["words"], "positions": facts.widths["words"]}

    def fitted(part: Part) -> Part:
        return part.replace(**{name: size for name, size in sizes.items() if name in names(part.component)})

    prestem = (Part(select_input, name="words"), design.prestem)
    stem, learner = (changed_parts(parts, fitted) for parts in (design.stem, design.learner))
    return replace(design, prestem=prestem, stem=stem, learner=learner).with_tasks(*facts.tasks)


def candidates(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
    """Closed-form fits, fastText, then networks that read words in their order, those that the time allows.

    Args:
        facts: Says the tasks, the number of rows and the lengths of the texts.
        seconds: For all candidates together.
    """
    yield from closed_form(facts)
    yield _fasttext(facts)
    yield from word_order_networks(facts, seconds)


def closed_form(facts: DataFacts, _seconds: float = math.inf) -> Iterator[Candidate]:
    """Linear models and neighbors.

    Beside other columns the networks for tables, which see all of them, are a better use of the time than
    further networks for texts.
    """
    short = "characters" in facts.widths
    classes = any(head.labels for head in facts.problem.heads)
    yield _linear(facts, "text_linear", _ALL if short else _WORDS)
    if classes:
        yield _linear(facts, "text_naive_bayes", _ALL if short else _WORDS, naive_bayes=True)
    if short:
        yield _linear(facts, "text_linear_words", _WORDS)
    if _has_kernel(facts):
        yield _kernel(facts)


def _has_kernel(facts: DataFacts) -> bool:
    """Whether to answer by the most similar texts; for classes linear models are better."""
    numbers = not any(head.labels for head in facts.problem.heads)
    return numbers and facts.widths["ngrams"] <= _FEW


def _kernel(facts: DataFacts) -> Candidate:
    size, rows = facts.vocabularies["ngrams"], min(facts.kept, _KEPT)
    architecture = Architecture(
        stem=Part(joined_id_sets, id_sets=_WORDS, sizes=(size,)),
        learner=Part(text_axes, vocabulary=size, width=_AXES),
        tasks=Part(regressor, scores=Part(kernel_scores, rows=rows)),
    ).with_tasks(*facts.tasks)
    solver = Part(kernel_ridge, rows=rows, id_set="ngrams", penalties=_FAITHFUL)
    return Candidate("text_kernel", architecture, Settings(), solver=solver)


def _fasttext(facts: DataFacts) -> Candidate:
    """The mean of the vectors of words and pairs of words: pairs that are known, instead of hashed ones."""
    size = facts.vocabularies["ngrams"]
    taken = Part(joined_id_sets, id_sets=_WORDS, sizes=(size,))
    architecture = replace(fasttext(vocabulary=size, longest=1, width=_WIDTH), prestem=taken)
    settings = Settings(
        learning_rate=5e-3,
        batch_size=min(128, facts.batch_size),
        weight_decay=0.01,
        patience=2,
        rate_reductions=0,
    )
    return Candidate("fasttext", architecture.with_tasks(*facts.tasks), settings)


def _linear(facts: DataFacts, name: str, id_sets: tuple[str, ...], *, naive_bayes: bool = False) -> Candidate:
    sizes = tuple(facts.vocabularies[id_set] for id_set in id_sets)
    scores = Part(
        weighted_id_sets,
        widths=tuple(facts.widths[id_set] for id_set in id_sets),
        vocabulary=sum(sizes),
        own_lengths=naive_bayes,
    )
    architecture = Architecture(
        stem=Part(joined_id_sets, id_sets=id_sets, sizes=sizes),
        tasks=Part(classifier, classes=2, pool=Part(unpooled), scores=scores),
    ).with_tasks(*facts.tasks)
    outputs = sum(head.width for head in facts.problem.heads)
    solver = Part(linear_texts, id_sets=id_sets, sizes=sizes, naive_bayes=naive_bayes)
    if outputs > _MANY:
        solver = solver.replace(costs=(1.0,))
    return Candidate(name, architecture, Settings(), solver=solver)


def word_order_networks(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
    """A small Transformer encoder, a TextCNN and a DPCNN, those that the time allows.

    Linear models of n-grams do as well on few texts, in a hundredth of the time; but these err elsewhere,
    which the ensemble makes use of, and the encoder can be pre-trained (`--stage pretrain`).

    Args:
        facts: Says the tasks, the number of rows and the lengths of the texts.
        seconds: For all candidates together.
    """
    most = _SHARE * (seconds if math.isfinite(seconds) else _UNTIMED)
    length, vocabulary = facts.widths["words"], facts.vocabularies["words"]
    encoder = text_transformer(
        vocabulary=vocabulary, longest=length, width=_WIDTH, heads=4, blocks=2, dropout=0.2
    )
    networks = {
        "text_transformer": (encoder, _ENCODER),
        "text_cnn": (
            text_cnn(vocabulary=vocabulary, width=_WIDTH, widths=(2, 3, 4), filters=_WIDTH),
            _CONVOLUTIONS,
        ),
        "dpcnn": (dpcnn(vocabulary=vocabulary, filters=_WIDTH, blocks=None, dropout=0.3), _CONVOLUTIONS),
    }
    settings = _word_settings(facts)
    for name, (network, speed) in networks.items():
        whole = replace(network, prestem=_words(vocabulary)).with_tasks(*facts.tasks)
        if _work(whole, facts) / speed <= most:
            yield Candidate(name, whole, settings)


def _word_settings(facts: DataFacts) -> Settings:
    """How networks that read words are trained."""
    return Settings(
        learning_rate=1e-3, weight_decay=0.01, batch_size=min(64, facts.batch_size), patience=3, epochs=60
    )


def _words(vocabulary: int) -> Part:
    """Of all inputs, the words in their order."""
    return Part(joined_id_sets, id_sets=("words",), sizes=(vocabulary,))


def _work(network: Architecture, facts: DataFacts) -> float:
    """How many additions and multiplications its training takes."""
    shapes = {name: Input((width,), "int32") for name, width in facts.widths.items()}
    model, _ = outline(network, shapes)
    return _TRAINING * cost(model).multiply_adds * facts.rows * _EPOCHS * _FOLDS


TEXT = Modality(
    name="text",
    inputs=frozenset({"words", "ngrams", "characters"}),
    columns=frozenset({"text"}),
    designs=("text", "table"),
    candidates=candidates,
    settings=_word_settings,
    fit_design=fit_design,
    baseline=GRADIENT_BOOSTING,
    pretexts={"mask": Part(masked_words)},
    beside=closed_form,
    worst_errors={"texts.json": text_errors},
    readable=frozenset({"text_linear", "text_naive_bayes", "text_linear_words"}),
)
