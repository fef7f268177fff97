"""A small table in three folds, and candidates that say what a test wants."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from composable.data.split import Fold, Split
from composable.problem.problem import Head, Problem
from composable.search.predictions import Predictions, pool
from composable.search.scorer import Scorer

AMOUNT = Head("price", "regression", ("price",))


@pytest.fixture
def split() -> Split:
    """Nine rows in three parts; each is validated once and tested once."""
    parts = [np.array([0, 3, 6]), np.array([1, 4, 7]), np.array([2, 5, 8])]
    folds = tuple(Fold(parts[i - 1], parts[(i + 1) % 3], parts[i]) for i in range(3))
    return Split("folds", folds, 3, "")


@pytest.fixture
def scorer(split: Split) -> Scorer:
    """Judges amounts 0 to 8 by rmse."""
    return Scorer(Problem((AMOUNT,), "rmse"), split, (np.arange(9.0)[:, None],))


@pytest.fixture
def predictions_of(scorer: Scorer) -> Callable[..., Predictions]:
    """The predictions of a model that says these values, the same for validation and test rows."""

    def make(*values: Sequence[float] | np.ndarray) -> Predictions:
        answers = [np.asarray(one, float).reshape(9, -1) for one in values]

        def of_fold(number: int) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
            fold = scorer.split.folds[number]
            return [a[fold.held_out] for a in answers], [a[fold.test] for a in answers], []

        return pool(scorer.problem, scorer.split, range(3), 9, of_fold)

    return make
