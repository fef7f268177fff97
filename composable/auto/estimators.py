"""scikit-learn estimators: the whole pipeline behind `fit`, `predict` and `predict_proba`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal, Self, cast

import keras
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, assert_all_finite, check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from composable.auto.fit import fit
from composable.auto.options import FitOptions
from composable.auto.sample_weight import checked_weights
from composable.core.errors import DataError
from composable.core.records import validated
from composable.deploy.bundle import Bundle
from composable.problem.understand import FEWEST_ROWS

_TARGET = "target"


class _Estimator(BaseEstimator):
    """What classifier and regressor share.

    Args:
        time_limit: Seconds for everything; None bounds the work by trials and epochs alone, reproducibly.
        max_trials: The number of networks tried.
        max_epochs: The number of epochs of each network at most.
        metric: The score that selects the model.
        out: The run folder, kept; None for a temporary one that is removed.
        design: What to train instead of the usual networks, see `composable.fit`.
        random_state: One seed for everything random.
    """

    def __init__(
        self,
        *,
        time_limit: float | None = None,
        max_trials: int | None = 3,
        max_epochs: int | None = None,
        metric: str | None = None,
        out: str | Path | None = None,
        design: str | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.time_limit = time_limit
        self.max_trials = max_trials
        self.max_epochs = max_epochs
        self.metric = metric
        self.out = out
        self.design = design
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.time_limit is not None
        return tags

    @property
    def model_(self) -> keras.Model:
        """The deployed network, an ordinary `keras.Model`."""
        check_is_fitted(self, "bundle_")
        return self.bundle_.model

    def _fit(
        self,
        frame: pd.DataFrame,
        y: np.ndarray,
        sample_weight: Any,
        problem: Literal["multiclass", "regression"],
    ) -> Self:
        """Run the pipeline on features and an array of targets, shape (n,), and keep its bundle."""
        target = _free_name(frame)
        given = {
            "target": (target,),
            "problem": problem,
            "metric": self.metric,
            "time_limit": self.time_limit,
            "max_trials": self.max_trials,
            "max_epochs": self.max_epochs,
            "design": self.design,
            "seed": self._seed(),
            "allow_leaks": True,  # whoever passes arrays has chosen the columns
        }
        options = validated(FitOptions, given, origin=type(self).__name__)
        labeled = frame.assign(**{target: y})
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "run") if self.out is None else Path(self.out)
            self.bundle_: Bundle = fit(labeled, options, out=folder, sample_weight=sample_weight).bundle
        return self

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:  # noqa: N803 (scikit-learn's name)
        """The rows under the names that the model knows: a frame's own, x0, x1, ... for arrays."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, cast("Any", X), reset=reset, skip_check_array=True)
            return X.reset_index(drop=True).rename(columns=str)
        least = FEWEST_ROWS if reset else 1
        array = np.asarray(
            validate_data(
                self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=least
            )
        )
        return pd.DataFrame(array, columns=pd.Index([f"x{i}" for i in range(array.shape[1])]))

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))


class Classifier(ClassifierMixin, _Estimator):
    """Networks for two or more classes, searched, averaged and calibrated.

    Example:
        >>> from composable import Classifier
        >>> Classifier(time_limit=60)  # doctest: +SKIP
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 (scikit-learn's name)
        """Train on the rows of `X`, shape (n, features), and their classes `y`, shape (n,).

        Raises:
            DataError: If the data can't be used as it is; a ValueError.
        """
        frame = self._frame(X, reset=True)
        y = _one_column(y, frame)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        weights = checked_weights(sample_weight, len(frame))
        if len(present := np.unique(codes[weights > 0])) < 2:
            raise DataError(
                "A classifier needs rows of at least two classes.",
                received=f"1 class: {self.classes_[present[0]]!r}",
            )
        return self._fit(frame, codes, sample_weight, "multiclass")

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803 (scikit-learn's name)
        """Probabilities, shape (n, classes), columns in the order of `classes_`."""
        check_is_fitted(self, "bundle_")
        answers = self.bundle_.predict(self._frame(X, reset=False))
        columns = [f"p_{code}" for code in range(len(self.classes_))]
        return answers.reindex(columns=columns, fill_value=0.0).to_numpy(
            "float64"
        )  # a class may have no weight

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803 (scikit-learn's name)
        """The most probable class of each row, shape (n,)."""
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]


class Regressor(RegressorMixin, _Estimator):
    """Networks for a number, searched and averaged.

    Example:
        >>> from composable import Regressor
        >>> Regressor(time_limit=60)  # doctest: +SKIP
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 (scikit-learn's name)
        """Train on the rows of `X`, shape (n, features), and their numbers `y`, shape (n,).

        Raises:
            DataError: If the data can't be used as it is; a ValueError.
        """
        frame = self._frame(X, reset=True)
        return self._fit(frame, _one_column(y, frame), sample_weight, "regression")

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803 (scikit-learn's name)
        """The expected number for each row, shape (n,)."""
        check_is_fitted(self, "bundle_")
        return self.bundle_.predict(self._frame(X, reset=False))["prediction"].to_numpy("float64")


def _one_column(y: Any, frame: pd.DataFrame) -> np.ndarray:
    """The targets, shape (n,), one for each row of `frame`."""
    if y is None:
        raise DataError("fit requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    check_consistent_length(frame, y)
    assert_all_finite(y, input_name="y")
    return y


def _free_name(frame: pd.DataFrame) -> str:
    name = _TARGET
    while name in frame.columns:
        name += "_"
    return name
