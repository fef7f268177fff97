"""A solver of kernel ridge regression: answers as sums over training rows, weighted by how near they are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import keras
import numpy as np
from scipy.linalg import cho_factor, cho_solve, get_lapack_funcs
from sklearn.utils.extmath import randomized_svd

from composable.core.seeds import derive
from composable.design.fitting import fit_to_rows
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.design.tables import EMBEDDING, adapt
from composable.design.taps import before_layers
from composable.design.text import AXES
from composable.engine.history import Epoch
from composable.engine.predict import predict
from composable.training.closed_form import (
    ClosedFormProblem,
    Solution,
    as_scores,
    factor_of,
    loss_of,
    rows_of_scores,
    scores_name,
)
from composable.training.linear_texts import idf, incidence_matrices, scaled

_ROUNDS = 3  # of the power iteration
_SAMPLED = 500  # rows whose distances show what is usual
_MEANT = 1000  # rows over which derivatives are averaged, or so


@dataclass(frozen=True, eq=False)
class _Kept:
    """The rows that the network keeps.

    Attributes:
        features: (rows, features).
        observed: Their targets, per head.
        wanted: The scores that they should have, those of all heads side by side; NaN where there are none.
        weights: (rows,).
    """

    features: np.ndarray
    observed: list[np.ndarray]
    wanted: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class _Sums:
    """The sums of one head: `kernel @ alphas + bias`, with the setting's `middle` taken off the kernel."""

    alphas: np.ndarray
    bias: np.ndarray

    def times(self, factor: float) -> _Sums:
        """The same with scores multiplied."""
        return _Sums(factor * self.alphas, factor * self.bias)


@dataclass(frozen=True)
class _Setting:
    sharpness: float
    penalty: float
    rounds: int

    @property
    def middle(self) -> float:
        """The kernel of rows that are as far apart as usual."""
        return 1.0 / (1.0 + self.sharpness)


@dataclass(frozen=True, eq=False)
class _Space:
    """How far rows lie from each other where each feature counts as much as it matters.

    Attributes:
        relevance: Of each feature, by which squares are multiplied; 1 on the mean.
        apart: Squared distances of the kept rows.
        away: Of the held-out rows, from the kept ones.
        usual: Of the former.
    """

    relevance: np.ndarray
    apart: np.ndarray
    away: np.ndarray
    usual: float

    @classmethod
    def of(cls, kept: _Kept, queries: np.ndarray, relevance: np.ndarray) -> _Space:
        by = np.sqrt(relevance)
        rows, others = kept.features * by, queries * by
        apart = _squares(rows, rows)
        return cls(
            relevance,
            apart,
            _squares(others, rows),
            max(float(np.median(apart[:_SAMPLED, :_SAMPLED])), 1e-9),
        )


@component
def kernel_ridge(
    problem: ClosedFormProblem,
    *,
    rows: Count,
    categories: tuple[int, ...] = (),
    id_set: str = "",
    penalties: tuple[float, ...] = (0.1, 0.03, 0.3),
    sharpness: tuple[float, ...] = (1.0, 2.0, 0.5, 4.0),
    rounds: int = 2,
) -> Solution:
    """Fit the weights of `tasks.kernel_scores` in closed form, for each of several settings.

    Saunders, Gammerman & Vovk 1998, "Ridge Regression Learning Algorithm in Dual Variables" (ICML). Classes
    are numbers, 1 and -1, whose scores become logits by a factor fitted to the scores that each row would get
    if it alone were left out: Rasmussen & Williams 2006, "Gaussian Processes for Machine Learning", eq. 5.12.

    Args:
        problem: The network and the rows.
        rows: That the network keeps; of more, some are drawn.
        categories: The number of codes of each category column.
        id_set: The input of texts that the network projects on axes, if it does; see `_axes`.
        penalties: Added to the kernel of a row with itself; tried at the first sharpness.
        sharpness: By which squared distances are multiplied, over their median; tried at the best penalty.
        rounds: How often features are weighed by how much the answers of the solution so far change with
            them; tried first, one after another.

    Returns:
        The solution that does best on the held-out rows: log loss, or the error of standardized numbers.
    """
    model = problem.fresh()
    adapt(model, problem.learned.inputs, categories=categories)
    _project_codes(model, problem.seed)
    fit_to_rows(model, problem.learned.inputs, seed=problem.seed)
    if id_set:
        model.get_layer(AXES).set_weights([_axes(problem, id_set, *model.get_layer(AXES).embeddings.shape)])
    kept, queries = _features(model, problem, rows)
    if (hyperparameters := problem.chosen) is not None:
        penalties, sharpness, rounds = (
            (hyperparameters["penalty"],),
            (hyperparameters["sharpness"],),
            round(hyperparameters["rounds"]),
        )
    spaces = [_Space.of(kept, queries, np.ones(kept.features.shape[1], "float32"))]
    tried: list[Epoch] = []
    best, chosen, heads, solved = _Setting(sharpness[0], penalties[0], 0), 0, [], []

    def settings() -> Iterator[_Setting]:
        yield from (replace(best, rounds=count) for count in range(rounds + 1))
        yield from (replace(best, penalty=penalty) for penalty in penalties[1:])
        yield from (replace(best, sharpness=sharp) for sharp in sharpness[1:])

    for number, setting in enumerate(settings()):
        began = time.monotonic()
        if setting.rounds == len(spaces):
            relevance = _relevance(kept, spaces[-1], setting.sharpness, heads)
            spaces.append(_Space.of(kept, queries, relevance))
        heads, losses = _solutions(problem, kept, spaces[setting.rounds], setting)
        seconds = time.monotonic() - began
        if not tried or problem.chosen is not None or losses[1] < min(epoch.held_out for epoch in tried):
            best, solved, chosen = setting, heads, number
        tried.append(Epoch(number, float(losses[0]), float(losses[1]), seconds))
        if problem.deadline.remaining < 2 * seconds:
            break
    space = spaces[best.rounds]
    by = np.float32(best.sharpness / space.usual)
    factors = _factors(problem, kept, space.apart * by, best.penalty, solved)
    heads = [head.times(factor) for head, factor in zip(solved, factors, strict=True)]
    _set_layers(model, kept.features, by * space.relevance, best.sharpness, heads, rows)
    return Solution(model.get_weights(), tuple(tried), chosen, asdict(best))


def _project_codes(model: keras.Model, seed: int) -> None:
    """Embed codes of columns that aren't one-hot by directions of length one, drawn at random.

    So any two codes lie about as far apart as if they were one-hot: Johnson & Lindenstrauss 1984, "Extensions
    of Lipschitz mappings into a Hilbert space". Untrained embeddings would all lie at nearly the same point.
    """
    name = f"{EMBEDDING}_vectors"
    if all(layer.name != name for layer in model.layers):
        return
    layer = model.get_layer(name)
    vectors = np.random.default_rng(derive(seed, name)).normal(size=layer.embeddings.shape)
    layer.set_weights([vectors / np.linalg.norm(vectors, axis=1, keepdims=True)])


def _features(model: keras.Model, problem: ClosedFormProblem, rows: int) -> tuple[_Kept, np.ndarray]:
    """What the network compares: of the rows to be kept, and of the held-out ones."""
    probe = before_layers(model, [f"{scores_name(model, 0)}_keys"])
    there = len(next(iter(problem.learned.inputs.values())))
    some = np.sort(np.random.default_rng(problem.seed).permutation(there)[:rows])
    taken = {name: values[some] for name, values in problem.learned.inputs.items()}
    observed = [y[some] for y in problem.learned.targets]
    wanted = [as_scores(head, y) for head, y in zip(problem.heads, observed, strict=True)]
    weights = np.ones(there) if problem.learned.weights is None else problem.learned.weights
    (kept,), (queries,) = predict(probe, taken), predict(probe, problem.held_out.inputs)
    return _Kept(kept, observed, np.concatenate(wanted, axis=1), weights[some]), queries


def _relevance(kept: _Kept, space: _Space, sharpness: float, heads: Sequence[_Sums]) -> np.ndarray:
    """How much each feature matters: the root of the mean square of the answers' derivatives by it.

    That is the root of the diagonal of the average gradient outer product: Radhakrishnan et al. 2024,
    "Mechanism for feature learning in neural networks and backpropagation-free machine learning models"
    (Science 383). The root, so that nothing is left out that matters little.
    """
    some = slice(None, None, 1 + len(kept.features) // _MEANT)
    x, total = kept.features[some], np.zeros(kept.features.shape[1])
    near = 1.0 / (1.0 + space.apart[some] * np.float32(sharpness / space.usual))
    for alphas in np.concatenate([head.alphas for head in heads], axis=1).T:
        shares = near**2 * alphas.astype("float32")
        slopes = space.relevance * (shares.sum(axis=1, keepdims=True) * x - shares @ kept.features)
        total += np.average(slopes**2, axis=0, weights=kept.weights[some])
    roots = np.sqrt(total).astype("float32")
    return roots / roots.mean() if roots.any() else space.relevance


def _solutions(
    problem: ClosedFormProblem, kept: _Kept, space: _Space, setting: _Setting
) -> tuple[list[_Sums], np.ndarray]:
    """The sums of every head, and the losses on the rows that are kept and on the held-out ones."""
    by = np.float32(setting.sharpness / space.usual)
    apart, away = space.apart * by, space.away * by
    near, query_kernel = 1.0 / (1.0 + apart) - setting.middle, 1.0 / (1.0 + away) - setting.middle
    middle = np.nanmean(kept.wanted, axis=0)
    alphas = np.zeros_like(kept.wanted)
    for scores, rows in rows_of_scores(kept.wanted):
        factor, cells = _factor(kept, apart, setting.penalty, rows), np.ix_(rows, scores)
        alphas[cells] = cho_solve(factor, kept.wanted[cells] - middle[scores], check_finite=False)
    heads, losses = [], np.zeros(2)
    for index, (head, own) in enumerate(zip(problem.heads, _by_head(problem, alphas), strict=True)):
        observed = problem.held_out.targets[index]
        bias = _by_head(problem, middle)[index] + setting.middle * own.sum(axis=0)
        solved = _Sums(own, bias)
        training, held_out = (each @ solved.alphas + solved.bias for each in (near, query_kernel))
        if head.labels:  # as good as a factor can make them
            by = factor_of(head, held_out, observed)
            training, held_out = by * training, by * held_out
        metric = problem.metric
        losses += [
            loss_of(head, metric, training, kept.observed[index]),
            loss_of(head, metric, held_out, observed),
        ]
        heads.append(solved)
    return heads, losses


def _by_head(problem: ClosedFormProblem, scores: np.ndarray) -> list[np.ndarray]:
    """The last axis divided among the heads."""
    return np.split(scores, np.cumsum([head.width for head in problem.heads])[:-1], axis=-1)


def _factor(kept: _Kept, apart: np.ndarray, penalty: float, rows: np.ndarray) -> tuple[np.ndarray, bool]:
    """The Cholesky factor of the kernel of some kept rows, with the penalty on its diagonal."""
    matrix = 1.0 / (1.0 + (apart if len(rows) == len(apart) else apart[np.ix_(rows, rows)]))
    matrix[np.diag_indices_from(matrix)] += penalty / np.maximum(kept.weights[rows], 1e-6)
    return cho_factor(matrix, overwrite_a=True, check_finite=False)


def _factors(
    problem: ClosedFormProblem, kept: _Kept, apart: np.ndarray, penalty: float, heads: Sequence[_Sums]
) -> list[float]:
    """By which the scores of each head are multiplied; numbers are what they are.

    Held-out rows would do, but few are soon separated, and then no factor is too large for them.
    """
    if not any(head.labels for head in problem.heads):
        return [1.0] * len(heads)
    left_out = kept.wanted.copy()
    alphas = np.concatenate([solved.alphas for solved in heads], axis=1)
    for scores, rows in rows_of_scores(kept.wanted):
        triangle, lower = _factor(kept, apart, penalty, rows)
        (potri,) = get_lapack_funcs(("potri",), (triangle,))
        inverse, _ = potri(triangle, lower=lower, overwrite_c=True)
        cells = np.ix_(rows, scores)
        left_out[cells] -= alphas[cells] / np.diag(inverse)[:, None]
    each = zip(problem.heads, _by_head(problem, left_out), kept.observed, strict=True)
    return [factor_of(head, scores, y) if head.labels else 1.0 for head, scores, y in each]


def _set_layers(
    model: keras.Model,
    features: np.ndarray,
    sharp: np.ndarray,
    usual: float,
    heads: Sequence[_Sums],
    rows: int,
) -> None:
    """Set the values of the layers of `kernel_scores`; rows that aren't there are kept with a weight of 0.

    A distance is usual where its square, times the sharpness, is `usual`.
    """
    missing = rows - len(features)
    lengths = features**2 @ sharp - usual
    kernel = np.pad(-2.0 * (sharp * features).T, ((0, 0), (0, missing)))
    for index, solved in enumerate(heads):
        name = scores_name(model, index)
        model.get_layer(f"{name}_keys").set_weights([kernel, np.pad(lengths, (0, missing))])
        model.get_layer(f"{name}_lengths").set_weights([sharp[:, None]])
        model.get_layer(f"{name}_usual").set_weights([np.zeros_like(sharp[:, None]), np.full(1, usual)])
        model.get_layer(name).set_weights([np.pad(solved.alphas, ((0, missing), (0, 0))), solved.bias])


def _squares(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of the distances of rows to others."""
    lengths = (rows**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    return np.maximum(lengths - 2.0 * rows @ others.T, 0.0)


def _axes(problem: ClosedFormProblem, id_set: str, size: int, width: int) -> np.ndarray:
    """The vector of each id, (ids, width): its IDF times its part in the strongest singular vectors.

    Deerwester et al. 1990, "Indexing by Latent Semantic Analysis"; Halko et al. 2011, arXiv:0909.4061.
    """
    (incidence,) = incidence_matrices(problem.learned.inputs, (id_set,), (size,))
    values = idf(incidence)
    features = scaled(incidence, values)
    most = min(width, min(features.shape) - 1)
    axes = np.zeros((size, width))
    if most > 0 and features.nnz:
        rounds: Any = _ROUNDS  # scikit-learn's stub takes "auto" alone
        found: Any = randomized_svd(features, most, n_iter=rounds, random_state=problem.seed % 2**32)
        axes[:, :most] = found[2].T
    return values[:, None] * axes
