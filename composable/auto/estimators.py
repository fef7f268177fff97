"""scikit-learn estimators: the whole pipeline behind `fit`, `predict` and `predict_proba`."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, cast

import keras
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, assert_all_finite, check_consistent_length, check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data

from composable.auto.fit import fit
from composable.auto.option import arguments_of, fields_of
from composable.auto.options import (
    Augmentation,
    DateOrder,
    Duplicates,
    FitOptions,
    Preset,
    SamplerName,
    Stage,
    options_from,
)
from composable.auto.presets import PRESETS
from composable.auto.progress import shown
from composable.auto.sample_weight import checked_weights
from composable.core.errors import DataError
from composable.deploy.bundle import Bundle
from composable.design import Architecture
from composable.problem.targets import FEWEST_ROWS

NOT_OF_ESTIMATORS = {
    "target": "y is passed to fit",
    "problem": "the class of the estimator says it",
    "test": "`score` takes labeled rows",
    "weight": "fit takes sample_weight",
    "seed": "scikit-learn calls it random_state",
    "encoding": "X is no file",
    "delimiter": "X is no file",
    "sample_rows": "X is no file",
    "study": "scikit-learn shows every parameter, and with this one a password",
    "decimal": "X is no file",
    "drop_missing_target": "scikit-learn refuses a y that isn't finite",
    "allow_leaks": "whoever passes arrays has chosen the columns",
}
"""The options of a fit that an estimator doesn't take, and why."""
_OPTIONS = tuple(field.name for field in fields_of(FitOptions) if field.name not in NOT_OF_ESTIMATORS)


_TRIALS = 3


class _Estimator(BaseEstimator):
    """What classifier and regressor share."""

    def __init__(  # noqa: PLR0913 (scikit-learn wants every option stated)
        self,
        *,
        metric: str | None = None,
        preset: Preset | None = None,
        time_limit: float | None = None,
        max_trials: int | None = _TRIALS,
        max_epochs: int | None = None,
        max_parameters: int | None = None,
        max_bytes: int | None = None,
        max_latency: float | None = None,
        max_disk: int | None = None,
        max_memory: int | None = None,
        split: str = "auto",
        duplicates: Duplicates | None = None,
        schema: str | Path | None = None,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        drop: str | Sequence[str] = (),
        design: str | Path | Architecture | None = None,
        training: Mapping[str, Any] | Sequence[str] = (),
        pins: Mapping[str, Any] | Sequence[str] = (),
        ranges: Mapping[str, Any] | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        tries: str | Path | Sequence[str | Path] = (),
        space: str | Path | None = None,
        sampler: SamplerName | None = None,
        stages: Stage | Sequence[Stage] = (),
        stage_settings: Mapping[str, Any] | Sequence[str] = (),
        start: str | Path | None = None,
        tap: str | None = None,
        freeze: bool = False,
        unfreeze: str | Sequence[str] = (),
        image_size: int | None = None,
        keep_aspect: bool = False,
        augment: Augmentation | Sequence[Augmentation] = (),
        date_order: DateOrder | None = None,
        single: bool = False,
        tolerance: float | None = None,
        one_network: bool = False,
        no_more_folds: bool = False,
        interpretable: bool = False,
        no_refit: bool = False,
        workers: int = 1,
        allow_other_versions: bool = False,
        out: str | Path | None = None,
        random_state: int | np.random.RandomState | None = 0,
        verbose: int = 0,
    ) -> None:
        for name, value in list(locals().items()):
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.multi_output = True
        tags.non_deterministic = self.get_params()["time_limit"] is not None
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
        problem: Literal["multiclass", "multilabel", "regression"],
    ) -> Self:
        """Run the pipeline on features and targets, shape (n,) or (n, targets), and keep its bundle."""
        stated = self.get_params(deep=False)
        columns = y.reshape(len(y), -1)
        self._targets = _free_names(frame, columns.shape[1])
        settings = {name: stated[name] for name in _OPTIONS} | {
            "target": self._targets,
            "problem": problem,
            "seed": self._seed(),
            "allow_leaks": True,
        }
        preset = PRESETS.get(stated["preset"], {})
        if stated["max_trials"] == _TRIALS:  # an estimator's default, over which a preset's own number wins
            settings["max_trials"] = preset.get("max_trials", _TRIALS)
        if isinstance(stated["design"], Architecture):
            settings["design"] = stated["design"].to_json()
        if isinstance(stated["class_weight"], Mapping):  # it is among the sample weights already
            settings["class_weight"] = None
        options = options_from(settings, origin=type(self).__name__)
        labeled = frame.assign(**dict(zip(self._targets, columns.T, strict=True)))
        out, verbose = stated["out"], stated["verbose"]
        with (
            tempfile.TemporaryDirectory() as temporary,
            shown(verbose > 1, options.time_limit, verbose) as show,
        ):
            folder = Path(temporary, "run") if out is None else Path(out)
            run = fit(labeled, options, out=folder, progress=show, sample_weight=sample_weight)
            self.bundle_: Bundle = run.bundle
        return self

    def _answers(self, X: Any) -> pd.DataFrame:  # noqa: N803 (scikit-learn's name)
        """What the model answers to the rows of `X`."""
        check_is_fitted(self, "bundle_")
        return self.bundle_.predict(self._frame(X, reset=False))

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
        state = self.get_params(deep=False)["random_state"]
        if isinstance(state, (int, np.integer)):
            return int(state)
        return int(check_random_state(state).randint(2**31 - 1))


class Classifier(ClassifierMixin, _Estimator):
    """Networks for two or more classes, searched, averaged and calibrated.

    Example:
        >>> from composable import Classifier
        >>> Classifier(time_limit=60)  # doctest: +SKIP
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 (scikit-learn's name)
        """Train on the rows of `X`, shape (n, features), and their classes.

        Args:
            X: A frame or an array.
            y: (n,) classes; (n, labels) of 0 and 1, where several labels may apply; (n, targets) classes.
            sample_weight: A weight per row, not negative.

        Raises:
            DataError: If the data can't be used as it is; a ValueError.
        """
        frame = self._frame(X, reset=True)
        y = _targets_of(y, frame)
        check_classification_targets(y)
        weights = checked_weights(sample_weight, len(frame))
        several = y.reshape(len(y), -1)
        classes, codes = zip(*(np.unique(each, return_inverse=True) for each in several.T), strict=True)
        for names, each in zip(classes, codes, strict=True):
            if len(present := np.unique(each[weights > 0])) < 2:
                raise DataError(
                    "A classifier needs rows of at least two classes.",
                    received=f"1 class: {names[present[0]]!r}",
                )
        self._labels = type_of_target(y) == "multilabel-indicator"
        self.classes_ = classes[0] if y.ndim == 1 else list(classes)
        wanted = self.get_params(deep=False)["class_weight"]
        if isinstance(wanted, Mapping):  # the pipeline knows "balanced" alone
            sample_weight = weights * np.asarray(compute_sample_weight(cast("Any", wanted), y))
        problem = "multilabel" if self._labels else "multiclass"
        return self._fit(frame, np.stack(codes, axis=1), sample_weight, problem)

    def predict_proba(self, X: Any) -> np.ndarray | list[np.ndarray]:  # noqa: N803 (scikit-learn's name)
        """Probabilities, shape (n, classes), columns in the order of `classes_`.

        Of labels that may apply together: that each applies, shape (n, labels). Of several targets: a list
        with the probabilities of each.
        """
        answers = self._answers(X)
        if isinstance(self.classes_, np.ndarray):
            return _probabilities(answers, "p", len(self.classes_))
        each = [
            _probabilities(answers, f"p_{target}", len(classes))
            for target, classes in zip(self._targets, self.classes_, strict=True)
        ]
        return np.stack([p[:, 1] for p in each], axis=1) if self._labels else each

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803 (scikit-learn's name)
        """The class of each row, shape (n,), or of each row and target, shape (n, targets)."""
        answers = self._answers(X)
        if isinstance(self.classes_, np.ndarray):
            return self.classes_[answers["prediction"].to_numpy("int64")]
        found = [
            classes[answers[f"prediction_{target}"].to_numpy("int64")]
            for target, classes in zip(self._targets, self.classes_, strict=True)
        ]
        return np.stack(found, axis=1)


class Regressor(RegressorMixin, _Estimator):
    """Networks for a number or several, searched and averaged.

    Example:
        >>> from composable import Regressor
        >>> Regressor(time_limit=60)  # doctest: +SKIP
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 (scikit-learn's name)
        """Train on the rows of `X`, shape (n, features), and their numbers.

        Args:
            X: A frame or an array.
            y: (n,) numbers, or (n, targets), of which a row may lack some (NaN): it trains on the others.
            sample_weight: A weight per row, not negative.

        Raises:
            DataError: If the data can't be used as it is; a ValueError.
        """
        frame = self._frame(X, reset=True)
        return self._fit(frame, _targets_of(y, frame, may_lack=True), sample_weight, "regression")

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803 (scikit-learn's name)
        """The expected number for each row, shape (n,), or for each row and target, shape (n, targets)."""
        answers = self._answers(X)
        if len(self._targets) == 1:
            return answers["prediction"].to_numpy("float64")
        return answers[[f"prediction_{target}" for target in self._targets]].to_numpy("float64")


for _estimator in (Classifier, Regressor):
    if _estimator.__doc__:  # Python may leave docstrings out (option -OO)
        _estimator.__doc__ = inspect.cleandoc(_estimator.__doc__).replace(
            "Example:",
            f"""Args:
{arguments_of(FitOptions, _OPTIONS)}
    out: The run folder, kept; None for a temporary one that is removed.
    random_state: One seed for everything random.
    verbose: 0 is silent, 1 warns, 2 shows the progress as well.

Example:""",
            1,
        )


def _targets_of(y: Any, frame: pd.DataFrame, *, may_lack: bool = False) -> np.ndarray:
    """The targets, shape (n,) or (n, targets), a row for each row of `frame`; of several some may lack."""
    if y is None:
        raise DataError("fit requires y to be passed, but the target y is None.")
    shape = np.asarray(y).shape  # what is like an array need not know NumPy's functions
    if len(shape) == 2 and shape[1] > 1:
        y = np.asarray(check_array(y, dtype=cast("Any", None), ensure_all_finite=False, input_name="y"))
    else:
        y = column_or_1d(y, warn=True)
    check_consistent_length(frame, y)
    assert_all_finite(y, allow_nan=may_lack and y.ndim == 2, input_name="y")
    return y


def _probabilities(answers: pd.DataFrame, start: str, classes: int) -> np.ndarray:
    """The probabilities of one target; a class whose rows have no weight has none."""
    columns = [f"{start}_{code}" for code in range(classes)]
    return answers.reindex(columns=columns, fill_value=0.0).to_numpy("float64")


def _free_names(frame: pd.DataFrame, count: int) -> tuple[str, ...]:
    """Names for so many targets that no feature has."""
    name = "target"
    while any(str(column).startswith(name) for column in frame.columns):
        name += "_"
    return (name,) if count == 1 else tuple(f"{name}{number}" for number in range(count))
