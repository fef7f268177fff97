"""What to expect of the deployed model on new rows: a score that nothing was chosen by, with an interval.

Scores that chose something flatter what they chose (Tsamardinos et al. 2018, "Bootstrapping the out-of-sample
predictions"). Here every choice is made again for each fold, on the out-of-fold predictions of the other
folds: the temperatures, the candidates and their weights in the ensemble. What is chosen then predicts the
fold.

An out-of-fold prediction is that of one network, but the average of several is deployed, at a temperature of
its own. How much better that is, the rows show that no network learned from; there the temperature is
cross-fitted.

The folds of a network stop together, at the epoch that is best on the mean. That is not decided again, as it
would take training; but what each fold would measure at the epoch that the others favor, its curve says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from composable.core.seeds import derive
from composable.problem.calibrate import centered, fit_temperature, with_thresholds
from composable.problem.metrics import METRICS, higher_is_better
from composable.search.ensemble import bagged_weights
from composable.search.final_temperature import cross_fitted_averages
from composable.search.limits import SingleChoice
from composable.search.predictions import Arrays
from composable.search.scorer import Scorer
from composable.search.trial import Trial
from composable.training.candidate import Trained

_PARTS, _FEWEST_FOLDS = 5, 3
_CANDIDATES = 6  # that are weighed against each other: others hardly ever win
_DRAWS, _DRAWN_VALUES = 300, 6_000_000  # bootstrap samples, and their predicted values in all
_SINGLE_SCORES = 1500  # of one column in one fold, that choosing or drawing may take: a second or two
_FEWEST_DRAWS = 20  # bootstrap samples
_LEVEL = 0.90
_ROOTS = ("rmse", "rmsle")  # metrics that grow as the root of the loss
_PRIOR_ROWS = 50  # unseen rows for which an average that is no better than a single network would count


@dataclass(frozen=True)
class Expected:
    """The expected score of the deployed model.

    Attributes:
        metric: Its name.
        value: The score to expect.
        low: Where its 90 % interval begins.
        high: Where it ends.
        rows: How many rows it was found on.
    """

    metric: str
    value: float
    low: float
    high: float
    rows: int


def expected_score(
    scorer: Scorer,
    candidates: Sequence[Trial],
    deployed: Trial,
    *,
    seed: int,
    single: SingleChoice | None = None,
) -> Expected | None:
    """The expected score; None where the rows don't define it.

    Args:
        scorer: Holds the rows and what was observed.
        candidates: The networks' trials that the deployed one was chosen from.
        deployed: One of them, or an ensemble of some.
        seed: For everything random.
        single: How one of them was chosen; None where they were weighed against each other.
    """
    metric, fixed = scorer.problem.metric, replace(scorer, tunes=False)
    rng = np.random.default_rng(derive(seed, "expected"))
    learned_more = any(t.refit is not None and t.refit.whole_file for t, _ in deployed.shares)
    if scorer.split.named_test or learned_more:
        rows = [scorer.split.folds[0].test]
        test = _averages(scorer, deployed, rows[0])
        predicted, gain, optimism = centered(scorer.tuned(deployed.predictions), test), None, 1.0
    else:
        rows = scorer.scored_parts
        predicted, gain = (
            cross_fitted(scorer, candidates, seed=seed, single=single),
            _Gain.of(fixed, deployed),
        )
        optimism = _stopping_optimism(deployed, scorer.split.scored_folds)
        optimism **= 0.5 if metric in _ROOTS else 1.0

    def corrected(found: float, draw: np.random.Generator | None = None) -> float:
        return _with_ratio(metric, found, optimism * (1.0 if gain is None else gain.ratio(draw)))

    value = fixed.on_parts(rows)(predicted)
    if np.isnan(value):
        return None
    size = sum(head.size for head in predicted)
    drawn = []
    networks = 0 if gain is None else 1 + scorer.split.scored_folds  # of which the unseen rows are scored
    affordable = _SINGLE_SCORES // _single_scores(scorer, len(rows) + networks)
    draws = min(_DRAWS, _DRAWN_VALUES // size, affordable)
    for _ in range(max(_FEWEST_DRAWS, draws)):
        positions, taken = _resampled(rows, rng)
        found = fixed.on_parts(taken)([head[positions] for head in predicted])
        drawn.append(corrected(found, rng))
    low, high = np.nanquantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    value = corrected(value)
    return Expected(
        metric, float(value), float(min(low, value)), float(max(high, value)), sum(map(len, rows))
    )


def cross_fitted(
    scorer: Scorer, candidates: Sequence[Trial], *, seed: int, single: SingleChoice | None = None
) -> Arrays:
    """Predictions for the scored rows, part after part, by what was chosen on the others.

    The parts are the folds; where few of them are scored, their rows are divided further.

    Args:
        scorer: Holds the rows.
        candidates: The networks' trials.
        seed: For the division, and the bags of each choice.
        single: How one of them is chosen; None where they are weighed against each other.

    Returns:
        Per head, for the rows of `scorer.scored_parts`, one part after another.
    """
    metric = scorer.problem.metric
    if single is None or not single.tolerance:  # else a small one may win that is none of the best
        candidates = [candidates[index] for index in _best(metric, [trial.score for trial in candidates])]
    folds = scorer.scored_parts
    of_fold = np.repeat(np.arange(len(folds)), [len(rows) for rows in folds])
    part = of_fold
    if len(folds) < _FEWEST_FOLDS:
        part = np.random.default_rng(derive(seed, "cross_fit")).permutation(len(of_fold)) % _PARTS
    logits = [_scored_logits(scorer, trial) for trial in candidates]
    rows = np.concatenate(folds)
    observed = [y[rows] for y in scorer.targets]
    chosen: Arrays = []
    affordable = _SINGLE_SCORES // (_single_scores(scorer, len(folds)) * len(np.unique(part)))
    for number in np.unique(part):
        others = part != number
        taken = [rows[others & (of_fold == fold)] for fold in range(len(folds))]
        temperatures = [
            [
                fit_temperature(h, z[others], y[others])
                for h, z, y in zip(scorer.problem.heads, one, observed, strict=True)
            ]
            for one in logits
        ]
        answers = [
            _answers(trial, one, of_fold, found)
            for trial, one, found in zip(candidates, logits, temperatures, strict=True)
        ]
        known = [[head[others] for head in one] for one in answers]
        weights = (
            bagged_weights(
                scorer,
                [one for one in taken if len(one)],
                known,
                networks=[trial.networks for trial in candidates],
                seed=derive(seed, "cross_fit", int(number)),
                most_scores=affordable,
            )
            if single is None
            else _chosen(single, scorer, [one for one in taken if len(one)], known, candidates)
        )
        if not weights.any():
            weights[0] = 1.0
        mixed = [
            np.sum([w * one[h] for w, one in zip(weights, answers, strict=True) if w > 0], axis=0)
            for h in range(len(observed))
        ]
        weights_of = None if scorer.weights is None else scorer.weights[rows][others]
        tuned = with_thresholds(
            scorer.problem, [y[others] for y in observed], [head[others] for head in mixed], weights_of
        )
        mixed = centered(tuned, mixed)
        chosen = chosen or [np.full_like(head, np.nan) for head in mixed]
        for target, values in zip(chosen, mixed, strict=True):
            target[~others] = values[~others]
    return chosen


def _chosen(
    single: SingleChoice,
    scorer: Scorer,
    parts: Sequence[np.ndarray],
    predicted: Sequence[Arrays],
    candidates: Sequence[Trial],
) -> np.ndarray:
    """All weight on the candidate that is chosen by these rows."""
    score, rows = scorer.on_parts(parts), np.concatenate(parts)
    constant = np.nan
    if scorer.constant is not None:
        constant = score([head[rows] for head in scorer.constant.out_of_fold])
    sizes = [trial.deployed_weights for trial in candidates]
    chosen = single.of(scorer.problem.metric, [score(one) for one in predicted], sizes, constant)
    return np.eye(len(candidates))[chosen]


def _single_scores(scorer: Scorer, parts: int) -> int:
    """How many scores of one column make a score: metrics of ranks look at each fold by itself."""
    columns = sum(head.width for head in scorer.problem.heads)
    known = METRICS.get(scorer.problem.metric)
    return columns * (parts if known is not None and known.ranks else 1)


def _best(metric: str, scores: Sequence[float]) -> list[int]:
    """The candidates with the best scores."""
    errors = np.array(scores) * (-1.0 if higher_is_better(metric) else 1.0)
    return np.argsort(errors, kind="stable")[:_CANDIDATES].tolist()  # NaN comes last


def _scored_logits(scorer: Scorer, trial: Trial) -> Arrays:
    """The logits of a trial's networks for the scored rows, per head."""
    scored = sorted((t for t in trial.trained if t.fold < scorer.split.scored_folds), key=lambda t: t.fold)
    return [np.concatenate([t.held_out[head] for t in scored]) for head in range(len(scorer.problem.heads))]


def _answers(trial: Trial, logits: Arrays, of_fold: np.ndarray, temperatures: Sequence[float]) -> Arrays:
    """Post-processed answers of each fold's network at these temperatures."""
    by_fold = {t.fold: t for t in trial.trained}
    parts = [
        trial.answers_at(by_fold[fold], [values[of_fold == fold] for values in logits], temperatures)
        for fold in np.unique(of_fold)
    ]
    return [np.concatenate(head) for head in zip(*parts, strict=True)]


def _resampled(parts: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """Parts drawn anew, and rows within each: where they stand one after another, and their numbers.

    Other training rows would have given other networks, which those of other folds show; of two folds they
    would show too little, so that rows alone are drawn.
    """
    first = np.cumsum([0, *(len(rows) for rows in parts)])
    chosen = np.arange(len(parts))
    if len(parts) >= _FEWEST_FOLDS:
        chosen = rng.integers(0, len(parts), len(parts))
    positions, taken = [], []
    for part in map(int, chosen):
        drawn = rng.integers(0, len(parts[part]), len(parts[part]))
        positions.append(first[part] + drawn)
        taken.append(parts[part][drawn])
    return np.concatenate(positions), taken


def _stopping_optimism(deployed: Trial, folds: int) -> float:
    """What the loss becomes if each fold's network stops at the epoch that is best on the mean of the others.

    All stop at the epoch that is best on the mean of all, and the least of many means flatters: Tibshirani &
    Tibshirani 2009, "A bias correction for the minimum error rate in cross-validation" (Annals of Applied
    Statistics 3).

    Args:
        deployed: The trial.
        folds: How many every candidate trains, the first ones.

    Returns:
        A ratio of 1 or more, the mean over the members; 1 for closed-form fits and for few folds.
    """
    found = 0.0
    for member, weight in deployed.shares:
        histories = [one.history for one in member.trained[:folds]]
        epochs = min(len(history.epochs) for history in histories)
        curves = np.array([[epoch.held_out for epoch in one.epochs[:epochs]] for one in histories])
        curves = curves[:, np.isfinite(curves).all(axis=0)]
        ratio = 1.0
        if member.network.solver is None and len(curves) >= _FEWEST_FOLDS and curves.size:
            others = [np.delete(curves, fold, axis=0).mean(axis=0).argmin() for fold in range(len(curves))]
            ratio = curves[np.arange(len(curves)), others].mean() / curves.mean(axis=0).min()
        found += weight * float(ratio)
    return found


def _averages(scorer: Scorer, deployed: Trial, rows: np.ndarray) -> Arrays:
    """The deployed model's answers for rows that no network learned from, at cross-fitted temperatures."""
    found = [head[rows] for head in deployed.predictions.test]
    return cross_fitted_averages(scorer, rows, found) if deployed.final_calibrations else found


def _with_ratio(metric: str, value: float, ratio: float) -> float:
    """A score whose distance from the perfect one is multiplied by a ratio."""
    return 1.0 - ratio * (1.0 - value) if higher_is_better(metric) else ratio * value


@dataclass(frozen=True, eq=False)
class _Gain:
    """What averaging does to the error on unseen rows.

    Attributes:
        average: Scores the deployed model on some of the rows.
        singles: The same for the networks of each fold by themselves.
    """

    metric: str
    rows: np.ndarray
    score: Callable[[np.ndarray, Arrays], float]
    average: Arrays
    singles: Sequence[Arrays]

    @classmethod
    def of(cls, scorer: Scorer, deployed: Trial) -> _Gain | None:
        rows = scorer.split.folds[0].test
        if not len(rows) or not deployed.predictions.test:
            return None
        heads = scorer.problem.heads
        singles = []
        for fold in range(scorer.split.scored_folds):
            each = [
                (weight, member.answers(_of_fold(member, fold), _of_fold(member, fold).test))
                for member, weight in deployed.shares
            ]
            singles.append(
                [np.sum([w * answers[h] for w, answers in each], axis=0) for h in range(len(heads))]
            )

        def score(taken: np.ndarray, predicted: Arrays) -> float:
            return scorer.on_parts([rows[taken]])([head[taken] for head in predicted])

        return cls(scorer.problem.metric, rows, score, _averages(scorer, deployed, rows), singles)

    def ratio(self, rng: np.random.Generator | None = None) -> float:
        """The error of the average over that of single networks, drawn towards 1 where there are few rows."""
        count = len(self.rows)
        taken = np.arange(count) if rng is None else rng.integers(0, count, count)
        average = self._error(taken, self.average)
        single = float(np.mean([self._error(taken, one) for one in self.singles]))
        if not (np.isfinite(average) and np.isfinite(single) and single > 0):
            return 1.0
        return (count * average / single + _PRIOR_ROWS) / (count + _PRIOR_ROWS)

    def _error(self, taken: np.ndarray, predicted: Arrays) -> float:
        found = self.score(taken, predicted)
        return 1.0 - found if higher_is_better(self.metric) else found


def _of_fold(trial: Trial, fold: int) -> Trained:
    return next(one for one in trial.trained if one.fold == fold)
