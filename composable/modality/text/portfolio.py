"""What is worth trying on texts: closed-form linear models and neighbors, fastText, networks of words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from composable.design import Architecture, Part
from composable.design.closed_form import joined_id_sets, kernel_scores, text_axes, unpooled, weighted_id_sets
from composable.design.tasks import classifier, regressor
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.modality.text.word_order import word_order_networks
from composable.training.candidate import Candidate
from composable.training.kernel_ridge import kernel_ridge
from composable.training.linear_texts import linear_texts
from composable.zoo.fasttext import fasttext

_WIDTH = 64  # of word vectors
_MANY = 8  # scores; with more, each regularization takes long
_FEW = 256  # n-grams of a text: the vectors of more take much memory
_AXES, _KEPT = 192, 4000  # of text_kernel: numbers per text, and texts that are kept
_FAITHFUL = (0.1, 0.03)  # penalties: a text that is known, or nearly, should be told by its own answer
_WORDS, _ALL = ("ngrams",), ("ngrams", "characters")


def candidates(facts: DataFacts, _seed: int, seconds: float) -> Iterator[Candidate]:
    """Closed-form fits, fastText, then networks that read words in their order, those that the time allows.

    Args:
        facts: Says the tasks, the number of rows and the lengths of the texts.
        seconds: For all candidates together.
    """
    yield from closed_form(facts)
    yield _fasttext(facts)
    yield from word_order_networks(facts, seconds)


def portfolio_size(facts: DataFacts) -> int:
    """How many candidates there are at most; no draws follow."""
    return sum(1 for _ in candidates(facts, 0, math.inf))


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
    """Whether to answer by the most similar texts; of classes linear models tell more."""
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
