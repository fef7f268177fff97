"""The networks worth trying on texts: linear models and neighbors that are solved for, then fastText."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from composable.design import Architecture, Part
from composable.design.closed_form import joined_id_sets, kernel_scores, text_axes, unpooled, weighted_id_sets
from composable.design.tasks import classifier, regressor
from composable.engine.settings import Settings
from composable.search.table import Table
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


def text_candidates(table: Table) -> Iterator[Candidate]:
    """Those that are always tried where there are texts: solved ones, and if there is nothing else, fastText.

    Beside other columns the networks for tables, which see all of them, are a better use of the time.
    """
    short = "characters" in table.widths
    classes = any(head.labels for head in table.problem.heads)
    yield _linear(table, "text_linear", _ALL if short else _WORDS)
    if classes:
        yield _linear(table, "text_naive_bayes", _ALL if short else _WORDS, naive_bayes=True)
    if short:
        yield _linear(table, "text_linear_words", _WORDS)
    if _has_kernel(table):
        yield _kernel(table)
    if table.texts_alone:
        yield _fasttext(table)


def _has_kernel(table: Table) -> bool:
    """Whether to answer by the most similar texts; of classes linear models tell more."""
    numbers = not any(head.labels for head in table.problem.heads)
    return numbers and table.widths["ngrams"] <= _FEW


def _kernel(table: Table) -> Candidate:
    size, rows = table.vocabularies["ngrams"], min(table.kept, _KEPT)
    architecture = Architecture(
        stem=Part(joined_id_sets, id_sets=_WORDS, sizes=(size,)),
        learner=Part(text_axes, vocabulary=size, width=_AXES),
        tasks=Part(regressor, scores=Part(kernel_scores, rows=rows)),
    ).with_tasks(*table.tasks)
    solver = Part(kernel_ridge, rows=rows, id_set="ngrams", penalties=_FAITHFUL)
    return Candidate("text_kernel", architecture, Settings(), solver=solver)


def _fasttext(table: Table) -> Candidate:
    """The mean of the vectors of words and pairs of words: pairs that are known, instead of hashed ones."""
    size = table.vocabularies["ngrams"]
    taken = Part(joined_id_sets, id_sets=_WORDS, sizes=(size,))
    architecture = replace(fasttext(vocabulary=size, longest=1, width=_WIDTH), prestem=taken)
    settings = Settings(
        learning_rate=5e-3,
        batch_size=min(128, table.batch_size),
        weight_decay=0.01,
        patience=2,
        rate_reductions=0,
    )
    return Candidate("fasttext", architecture.with_tasks(*table.tasks), settings)


def _linear(table: Table, name: str, id_sets: tuple[str, ...], *, naive_bayes: bool = False) -> Candidate:
    sizes = tuple(table.vocabularies[id_set] for id_set in id_sets)
    scores = Part(
        weighted_id_sets,
        widths=tuple(table.widths[id_set] for id_set in id_sets),
        vocabulary=sum(sizes),
        own_lengths=naive_bayes,
    )
    architecture = Architecture(
        stem=Part(joined_id_sets, id_sets=id_sets, sizes=sizes),
        tasks=Part(classifier, classes=2, pool=Part(unpooled), scores=scores),
    ).with_tasks(*table.tasks)
    outputs = sum(head.width for head in table.problem.heads)
    solver = Part(linear_texts, id_sets=id_sets, sizes=sizes, naive_bayes=naive_bayes)
    if outputs > _MANY:
        solver = solver.replace(costs=(1.0,))
    return Candidate(name, architecture, Settings(), solver=solver)
