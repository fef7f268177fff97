"""scikit-learn estimators: the whole pipeline behind `fit`, `predict` and `predict_proba`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from composable.auto.fit import fit
from composable.auto.options import FitOptions
from composable.deploy.bundle import Bundle, load_bundle
from composable.problem.problem import HeadKind

_TARGET = "target"


class _Estimator(BaseEstimator):
    """What classifier and regressor share.

    Args:
        time_limit: Seconds for everything; None bounds the work by trials and epochs alone, reproducibly.
        max_trials: The number of networks tried.
        max_epochs: The number of epochs of each network at most.
        metric: The score that selects the model.
        out: The run folder, kept; None for a temporary one that is removed.
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
        random_state: int | None = 0,
    ) -> None:
        self.time_limit = time_limit
        self.max_trials = max_trials
        self.max_epochs = max_epochs
        self.metric = metric
        self.out = out
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.time_limit is not None
        return tags

    def _fit(self, X: Any, y: Any, sample_weight: Any, problem: HeadKind | None) -> Self:
        frame = self._frame(X, reset=True)
        weights = None if sample_weight is None else np.asarray(_check_sample_weight(sample_weight, frame))
        options = FitOptions(
            target=(_TARGET,),
            problem=problem,
            metric=self.metric,
            time_limit=self.time_limit,
            max_trials=self.max_trials,
            max_epochs=self.max_epochs,
            seed=self._seed(),
            allow_leaks=True,  # whoever passes arrays has chosen the columns
        )
        labelled = frame.assign(**{_TARGET: np.asarray(y)})
        if self.out is not None:
            self.bundle_ = fit(labelled, options, out=Path(self.out), sample_weight=weights).bundle
            return self
        with tempfile.TemporaryDirectory() as folder:
            run = fit(labelled, options, out=Path(folder) / "run", sample_weight=weights)
            self.bundle_: Bundle = load_bundle(run.path / "bundle")
        return self

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Rows under the column names the model knows: a DataFrame's own, x0, x1, ... for arrays."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X.reset_index(drop=True).rename(columns=str)
        array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=2 if reset else 1)
        return pd.DataFrame(np.asarray(array), columns=[f"x{i}" for i in range(array.shape[1])])

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    @property
    def model_(self) -> Any:
        """The deployed network, an ordinary `keras.Model`."""
        check_is_fitted(self, "bundle_")
        return self.bundle_.model


class Classifier(ClassifierMixin, _Estimator):
    """Networks for two or more classes, searched, averaged and calibrated.

    Example:
        >>> from composable import Classifier
        >>> Classifier(time_limit=60)  # doctest: +SKIP
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on the rows of `X`, shape (n, features), and their classes `y`, shape (n,).

        Raises:
            DataError: If the data can't be used as it is; a ValueError.
        """
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier needs at least two classes; got 1 class: {self.classes_[0]!r}.")
        return self._fit(X, codes, sample_weight, "multiclass")

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, classes), columns in the order of `classes_`."""
        check_is_fitted(self, "bundle_")
        answers = self.bundle_.predict(self._frame(X, reset=False))
        return answers[[f"p_{code}" for code in range(len(self.classes_))]].to_numpy("float64")

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Regressor(RegressorMixin, _Estimator):
    """Networks for a number, searched and averaged.

    Example:
        >>> from composable import Regressor
        >>> Regressor(time_limit=60)  # doctest: +SKIP
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on the rows of `X`, shape (n, features), and their numbers `y`, shape (n,).

        Raises:
            DataError: If the data can't be used as it is; a ValueError.
        """
        return self._fit(X, column_or_1d(y, warn=True), sample_weight, "regression")

    def predict(self, X: Any) -> np.ndarray:
        """The expected number for each row, shape (n,)."""
        check_is_fitted(self, "bundle_")
        return self.bundle_.predict(self._frame(X, reset=False))["prediction"].to_numpy("float64")
