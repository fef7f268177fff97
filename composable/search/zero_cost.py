"""What networks promise before anyone trains them: scores of one batch, forward and back, and their ranks.

The first three and their sum are those of AZ-NAS: Lee & Ham 2024, "AZ-NAS: Assembling Zero-Cost Proxies for
Network Architecture Search", arXiv:2403.19232. The others are the usual ones, beside which they are reported:

- NASWOT: Mellor et al. 2021, "Neural Architecture Search without Training", arXiv:2006.04647, equation 2;
- SWAP: Peng et al. 2024, "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS", arXiv:2403.04161,
  definition 3.3;
- SynFlow: Tanaka et al. 2020, arXiv:2006.05467, as a score of networks in Abdelfattah et al. 2021,
  "Zero-Cost Proxies for Lightweight NAS", arXiv:2101.08134, with the norm of the gradient;
- ZiCo: Li et al. 2023, "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients",
  arXiv:2301.11300, equation 14.

No score is of use that says less than how large a network is, so depth, multiply-adds and parameters are
always among them. The gradients are of the logits times random signs, which stand for labels drawn at random:
so targets of every kind are scored alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.architecture import Architecture
from composable.design.building import build
from composable.design.cost import cost
from composable.design.graph import deep_graphs, layers_between
from composable.design.inputs import Inputs
from composable.design.part import Step
from composable.design.taps import tap
from composable.engine.initialize import seeded
from composable.engine.probe import input_gradient, weight_gradients
from composable.engine.rows import as_model_input, on_host

COMBINED = ("expressivity", "progressivity", "trainability", "multiply_adds")
"""AZ-NAS's four, which see different things; `promise` combines them."""
UNTRAINED = (*COMBINED, "naswot", "swap", "depth", "parameters")
"""The scores that are always there."""
_TINY = 1e-8


@dataclass(frozen=True)
class Scores:
    """The scores of one network; of each, more is better, but for the three costs, which only are.

    Attributes:
        expressivity: How evenly the features of a block fill their space, summed over the blocks.
        progressivity: The least that the expressivity grows from a block to the next.
        trainability: How nearly the blocks keep the length of gradients on their way back, at most 0.
        naswot: How differently rows switch the activations on.
        swap: How many of the activations are switched on by different rows.
        depth: How many blocks there are.
        multiply_adds: For one row.
        parameters: Those that training changes.
        synflow: Logarithm of how much of the output passes through the weights.
        gradient_norm: Of all weights.
        zico: How steady the gradients of the weights are from batch to batch.
    """

    expressivity: float
    progressivity: float
    trainability: float
    naswot: float
    swap: float
    depth: float
    multiply_adds: float
    parameters: float
    synflow: float = math.nan
    gradient_norm: float = math.nan
    zico: float = math.nan


def promise(scores: Sequence[Scores], combined: Sequence[str] = COMBINED) -> np.ndarray:
    """How much each of several networks promises among them, (networks,).

    AZ-NAS's nonlinear rank aggregation: the sum of log(rank / networks), so that a network which is bad in
    one respect isn't saved by another.

    Args:
        scores: Of networks for the same rows.
        combined: The names of the scores.
    """
    return log_ranks([tuple(getattr(one, name) for name in combined) for one in scores])


def log_ranks(measures: Sequence[Sequence[float]]) -> np.ndarray:
    """The sum over several measures of log(rank / networks), 0 for what is best in all; NaN is the worst.

    Args:
        measures: (networks, measures); of each more is better.
    """
    from scipy.stats import rankdata  # slow to import

    values = np.nan_to_num(np.asarray(measures, float).reshape(len(measures), -1), nan=-np.inf, posinf=np.inf)
    return np.sum(np.log(rankdata(values, axis=0) / len(values)), axis=1)


@deep_graphs()
def zero_cost(
    architecture: Architecture, inputs: Inputs, rows: Any, *, seed: int, of_weights: bool = False
) -> Scores:
    """Build a network and score it on one batch; neither is it trained, nor are labels needed.

    Args:
        architecture: Without openings.
        inputs: What it takes in.
        rows: Arrays by the names of the inputs, or one array; two rows at least, 32 are usual.
        seed: Of its weights and of what else is drawn.
        of_weights: Whether the last three scores are found, too, which takes far longer; else they are NaN.

    Raises:
        ConfigError: If no single tensor flows from its stem to its learner, or there are less than two rows.
    """
    with seeded(derive(seed, "zero_cost")):
        model, trail = build(architecture, inputs)
    first, *later = boundaries(trail)
    x = on_host(ops.cast(keras.Model(model.inputs, first)(_inputs(model, rows)), "float32"))
    if len(x) < 2:
        raise ConfigError("Networks are scored on two rows at least.", received=f"{len(x)} rows")
    random = np.random.default_rng(derive(seed, "zero_cost", "signs"))
    passed = _pass([first, *later], x, random)
    spent, spread = cost(model), [entropy(each) for each in passed.features]
    found = Scores(
        expressivity=float(np.sum(spread)),
        progressivity=min((b - a for a, b in pairwise(spread)), default=0.0),
        trainability=float(np.mean(passed.trainabilities)) if passed.trainabilities else 0.0,
        naswot=naswot(passed.codes),
        swap=swap(passed.codes),
        depth=len(later),
        multiply_adds=spent.multiply_adds,
        parameters=spent.trainable,
    )
    return _with_gradients(found, keras.Model(first, _logits(model)), x, random) if of_weights else found


def _with_gradients(found: Scores, trunk: keras.Model, x: np.ndarray, random: np.random.Generator) -> Scores:
    kernels = [number for number, one in enumerate(trunk.trainable_variables) if len(one.shape) > 1]
    halves = [_gradients(trunk, half, random) for half in np.array_split(x, 2)]
    means = [(one + other) / 2 for one, other in zip(*halves, strict=True)]
    return replace(
        found,
        synflow=_synflow(trunk, x.shape[1:]),
        gradient_norm=math.sqrt(sum(float(np.sum(np.square(one), dtype="float64")) for one in means)),
        zico=zico([[half[number] for half in halves] for number in kernels]),
    )


def boundaries(trail: Step) -> list[Any]:
    """The tensor that enters the learner, and what each of its blocks makes, one after another.

    A part that consists of parts one after another counts as these: a group as its blocks. A part that gives
    what it is given is none, and one whose output isn't a single tensor of numbers belongs to the next.

    Raises:
        ConfigError: If what enters the learner isn't a single tensor.
    """
    learner = [step for step in trail.steps if step.path.startswith("learner")]
    entering = learner[0].input if learner else None
    if not _is_tensor(entering):
        raise ConfigError(
            "Networks are scored untrained whose learner takes a single tensor.",
            received="several tensors" if learner else "no learner",
            remedy="let the pre-stem or the stem join them",
        )
    found = [entering]
    for step in (each for outer in learner for each in _blocks(outer)):
        if _is_tensor(step.output) and step.output is not found[-1]:
            found.append(step.output)
    return found


def _is_tensor(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor) and "float" in str(value.dtype)


def _blocks(step: Step) -> list[Step]:
    inner = step.steps
    joined = inner and inner[0].input is step.input and inner[-1].output is step.output
    if not joined or any(after.input is not before.output for before, after in pairwise(inner)):
        return [step]
    return [each for one in inner for each in _blocks(one)]


def _inputs(model: keras.Model, rows: Any) -> Any:
    given = as_model_input(model, rows) if isinstance(rows, Mapping) else rows
    return [ops.convert_to_tensor(one) for one in keras.tree.flatten(given)]


def _logits(model: keras.Model) -> Any:
    """The logits of all tasks, row by row, side by side."""
    outputs = keras.tree.flatten(tap(model, "logits").output)
    flat = [layers.Reshape((math.prod(one.shape[1:]),))(one) for one in outputs]
    return flat[0] if len(flat) == 1 else layers.Concatenate()(flat)


@dataclass(frozen=True, eq=False)
class _Pass:
    """What one batch leaves behind: features per block, how well gradients come back, activations' codes."""

    features: list[np.ndarray]
    trainabilities: list[float]
    codes: np.ndarray


def _pass(between: Sequence[Any], x: np.ndarray, random: np.random.Generator) -> _Pass:
    features, trainabilities, codes = [x], [], [np.zeros((len(x), 0), bool)]
    for enters, leaves in pairwise(between):
        switching = [layer.output for layer in layers_between(enters, leaves) if _switches(layer)]
        inside = [each for each in switching if each is not leaves]
        block = keras.Model(enters, [leaves, *inside])
        signs = random.choice(np.array([-1.0, 1.0], "float32"), (len(x), *leaves.shape[1:]))
        outputs, back = input_gradient(block, features[-1], lambda y, signs=signs: ops.sum(y * signs))
        features.append(outputs[0])
        trainabilities.append(trainability(signs, back))
        switched = outputs if len(inside) < len(switching) else outputs[1:]
        codes += [(each > 0).reshape(len(x), -1) for each in switched]
    return _Pass(features[1:], trainabilities, np.concatenate(codes, axis=1))


def _switches(layer: keras.Layer) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, layers.ReLU) or (
        activation is not None and activation is not keras.activations.linear
    )


def _gradients(trunk: keras.Model, x: np.ndarray, random: np.random.Generator) -> list[np.ndarray]:
    signs = random.choice(np.array([-1.0, 1.0], "float32"), (len(x), trunk.outputs[0].shape[-1]))
    return weight_gradients(trunk, x, lambda y: ops.mean(y * signs), training=True)


def _synflow(trunk: keras.Model, shape: tuple[int, ...]) -> float:
    """With the sizes of all weights in their place, and one row of ones.

    Normalization that has seen nothing yet passes on what it is given.
    """
    variables = trunk.trainable_variables
    before = [on_host(variable.value).copy() for variable in variables]
    sizes = [np.abs(one) for one in before]
    try:
        for variable, size in zip(variables, sizes, strict=True):
            variable.assign(size)
        found = weight_gradients(trunk, np.ones((1, *shape), "float32"), ops.sum, training=False)
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
    total = sum(float(np.sum(np.abs(w * g), dtype="float64")) for w, g in zip(sizes, found, strict=True))
    return math.log(total) if total > 0 else -math.inf


def entropy(features: np.ndarray) -> float:
    """How evenly features fill their space: the entropy of the shares of their principal components.

    AZ-NAS, equations 1 to 3: 0 if all lie on one line, log(channels) if they spread alike in all directions.

    Args:
        features: (rows, ..., channels); positions count as rows.
    """
    flat = features.reshape(-1, features.shape[-1]).astype("float64")
    if not np.isfinite(flat).all():
        return math.nan
    flat -= flat.mean(axis=0)
    shares = np.maximum(np.linalg.eigvalsh(flat.T @ flat / len(flat)), 0.0)
    shares /= max(float(shares.sum()), _TINY)
    return float(-np.sum(shares * np.log(shares + _TINY)))


def trainability(signs: np.ndarray, back: np.ndarray) -> float:
    """How nearly a block keeps the length of gradients, from -inf to 0 (AZ-NAS, equations 6 to 9).

    With s the spectral norm of the correlation of random signs at its output with what comes back of them to
    its input, 2 - s - 1/s.

    Args:
        signs: (rows, ..., channels), that were sent back from its output.
        back: (rows, ..., channels), what of them arrived at its input. Where the sides are whole numbers of
            times as long, the pixels that make one are its channels.
    """
    ours, theirs = _by_position(signs, back)
    largest = float(np.linalg.norm(ours.T @ theirs / len(ours), 2))
    return 2.0 - largest - 1.0 / (largest + 1e-6) if math.isfinite(largest) else math.nan


def _by_position(signs: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as (positions, channels); where positions don't correspond, (rows, channels) of their means."""
    theirs = back
    if signs.ndim == back.ndim == 4:
        (rows, height, width, _), (_, high, wide, channels) = signs.shape, back.shape
        if high % height == 0 and wide % width == 0:
            theirs = back.reshape(rows, height, high // height, width, wide // width, channels)
            theirs = theirs.transpose(0, 1, 3, 2, 4, 5).reshape(rows, height, width, -1)
    if signs.shape[:-1] != theirs.shape[:-1]:
        signs, theirs = (each.reshape(len(each), -1, each.shape[-1]).mean(axis=1) for each in (signs, theirs))
    return signs.reshape(-1, signs.shape[-1]), theirs.reshape(-1, theirs.shape[-1])


def naswot(codes: np.ndarray) -> float:
    """The logarithm of the determinant of how many activations rows switch alike, (rows, rows)."""
    on = codes.astype("float32")
    alike = (on @ on.T + (1.0 - on) @ (1.0 - on).T).astype("float64")
    sign, size = np.linalg.slogdet(alike)
    return float(size) if sign > 0 else -math.inf


def swap(codes: np.ndarray) -> float:
    """How many sets of rows there are that switch an activation on, each once."""
    packed = np.ascontiguousarray(np.packbits(codes, axis=0).T)
    return float(len(np.unique(packed.view(f"V{packed.shape[1]}"))))


def zico(gradients: Sequence[Sequence[np.ndarray]]) -> float:
    """The sum over layers of the logarithm of the sum over weights of mean(|g|) / deviation(g).

    Args:
        gradients: Of each kernel, on each of several batches.
    """
    total = 0.0
    for batches in gradients:
        stacked = np.stack(batches).astype("float64")
        spread = stacked.std(axis=0)
        ratio = float(np.sum(np.abs(stacked).mean(axis=0)[spread > 0] / spread[spread > 0]))
        total += math.log(ratio) if ratio > 0 else 0.0
    return total
