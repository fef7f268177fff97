"""What a network is trained for: a loss per head, and a measure that is taken on held-out rows.

Rows may be mixed with a partner, by mixup or CutMix. Zhang et al. 2018, "mixup: Beyond Empirical Risk
Minimization", arXiv:1710.09412; Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong
Classifiers with Localizable Features", arXiv:1905.04899. As rows come in a random order, a row's partner is
the one before it.

Losses per row are taken from the logits of one head: `(targets, logits, smoothing)`. With members (TabM) it
is the mean of the members' losses, never the loss of their mean (Gorishniy et al. 2025, section 3.2).

A step may learn from the hardest rows of a batch alone: those that are known already teach next to nothing.
Jiang et al. 2019, "Accelerating Deep Learning by Focusing on the Biggest Losers", arXiv:1910.00762; a fixed
share of each batch, as in Kawaguchi & Lu 2020, "Ordered SGD", arXiv:1907.04371. The forward pass over all
rows costs a third of a step; the rest of it is saved for each row that is left out.

And it may take the gradient where the loss nearby is worst: Foret et al. 2021, "Sharpness-Aware Minimization
for Efficiently Improving Generalization", arXiv:2010.01412, equation 2 with p = 2. Such a step takes the
gradient twice, at the weights and where these are `perturbed`; the second one counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from composable.core.errors import ConfigError

Loss = Callable[..., Any]  # (targets, outputs, smoothing) -> one loss per row, in keras.ops
Measure = Callable[[Any, Any], Any]  # (targets, outputs) -> one number per row, lower is better


@dataclass(frozen=True)
class Goal:
    """Of one head.

    Attributes:
        loss: What training lowers: `(targets, outputs, smoothing)` to one number per row, (rows,).
        measure: What is measured on held-out rows: `(targets, outputs)` to one number per row.
        weight: Of this head's loss and measure among all of them.
        partial: Whether both leave out the labels of a row that are NaN, so that a row counts that has some.
    """

    loss: Loss
    measure: Measure
    weight: float = 1.0
    partial: bool = False


class Batch(NamedTuple):
    """What one step learns from, rows first; `counted` and `weights` are None where all rows count alike."""

    inputs: Any
    targets: tuple[Any, ...]
    counted: Any
    weights: Any


def batch_loss(
    goals: Sequence[Goal],
    call: Callable[[Any], tuple[Any, Any, Sequence[Any]]],
    batch: Batch,
    curve: Mapping[str, Any],
) -> tuple[Any, Any]:
    """The loss of a batch, penalties on weights included, and what `call` gives beside its outputs.

    Args:
        goals: One per output.
        call: From inputs to outputs, something else, and penalties.
        batch: Mixed first, if the curve has a `share`.
        curve: The scalars of `settings.curves` at this step.
    """
    inputs, share = mix(batch.inputs, curve)
    called, beside, penalties = call(inputs)
    outputs = [ops.cast(one, "float32") for one in flat(called)]
    loss = _data_loss(goals, outputs, batch, curve)
    if share is not None:
        loss = share * loss + (1.0 - share) * _data_loss(goals, outputs, partners(batch), curve)
    return loss + sum(penalties), beside


def _data_loss(goals: Sequence[Goal], outputs: Sequence[Any], batch: Batch, curve: Mapping[str, Any]) -> Any:
    total = 0.0
    for goal, output, target in zip(goals, outputs, batch.targets, strict=True):
        known, filled = labeled(goal, target)
        counted = known if batch.counted is None else known * ops.cast(batch.counted, "float32")
        total = total + goal.weight * mean(
            goal.loss(filled, output, curve["smoothing"]), counted, batch.weights
        )
    return total


def measures(goals: Sequence[Goal], outputs: Sequence[Any], batch: Batch) -> list[tuple[Any, Any]]:
    """Per head the weighted sum of the measure over the rows that count, and the sum of their weights."""
    found = []
    for goal, output, target in zip(goals, outputs, batch.targets, strict=True):
        known, filled = labeled(goal, target)
        counted: Any = known * ops.cast(batch.counted, "float32")
        if batch.weights is not None:
            counted = counted * ops.cast(batch.weights, "float32")
        each = goal.measure(filled, ops.cast(output, "float32"))
        found.append((ops.sum(ops.where(counted > 0, each * counted, 0.0)), ops.sum(counted)))
    return found


def labeled(goal: Goal, targets: Any) -> tuple[Any, Any]:
    """Which rows have all their labels, or some where the goal is `partial`; and the targets without gaps.

    Returns:
        (rows,) of 0 and 1, and the targets, in which 0 stands for what is missing (-1 of whole numbers, else
        NaN); the gaps of a row that counts stay NaN.
    """
    whole = "int" in str(targets.dtype)
    known: Any = ops.not_equal(targets, -1) if whole else ops.logical_not(ops.isnan(targets))
    axes = tuple(range(1, len(targets.shape)))
    every: Any = ops.all(known, axis=axes) if axes else known
    if goal.partial:
        known = ops.any(known, axis=axes, keepdims=True)
        every = ops.reshape(known, (-1,))
    filled = ops.where(known, targets, ops.zeros_like(targets))
    return ops.cast(every, "float32"), filled


def mean(values: Any, counted: Any, weights: Any | None = None) -> Any:
    """The sum of the weighted values over how many count; 0 where none does.

    As in Keras, the weights don't enter the number that it is divided by.
    """
    # Zero times infinity is NaN: a row that doesn't count must not spoil the mean.
    finite: Any = ops.where(counted > 0, values, 0.0)
    weighted = finite * counted if weights is None else finite * counted * weights
    total: Any = ops.sum(weighted)
    return total / ops.maximum(ops.sum(counted), 1.0)


def flat(outputs: Any) -> list[Any]:
    """The outputs of a model as a list, one per head; by their names where they have names."""
    return keras.tree.flatten(outputs)


def mix(inputs: Any, curve: Mapping[str, Any]) -> tuple[Any, Any]:
    """The mixed inputs, and which share of each row is its own: None where the curve doesn't mix."""
    if "share" not in curve:
        return inputs, None
    if "center" not in curve:
        return _blended(inputs, curve["share"]), curve["share"]
    images = keras.tree.flatten(inputs)
    if len(images) != 1 or len(images[0].shape) != 4:
        raise ConfigError(
            "CutMix mixes images, (rows, height, width, channels).",
            received=", ".join(str(tuple(x.shape)) for x in images),
            remedy="use mixup for anything else",
        )
    mixed, share = _cut(images[0], curve["share"], curve["center"])
    return keras.tree.pack_sequence_as(inputs, [mixed]), share


def partners(values: Any) -> Any:
    """For each row the one before it, for the first the last one."""
    return keras.tree.map_structure(lambda x: None if x is None else ops.roll(x, 1, axis=0), values)


def _blended(inputs: Any, share: Any) -> Any:
    """Each row's numbers by `share` its own, the rest its partner's; whole numbers, which are codes, stay."""

    def one(x: Any) -> Any:
        if "float" not in str(x.dtype) and len(x.shape) < 4:  # images of whole numbers are mixed
            return x
        x = ops.cast(x, "float32")
        return share * x + (1.0 - share) * ops.roll(x, 1, axis=0)

    return keras.tree.map_structure(one, inputs)


def _cut(images: Any, share: Any, center: Any) -> tuple[Any, Any]:
    """A box of the partner's image laid over each row's, and the share that is left of its own.

    Args:
        images: (rows, height, width, channels).
        share: Of the area that stays, if the box is wholly within the image.
        center: (2,) of the box, both in [0, 1).
    """
    height, width = int(images.shape[1]), int(images.shape[2])
    side = ops.sqrt(1.0 - share)
    rows: Any = _within(height, center[0], side)
    columns = _within(width, center[1], side)
    box: Any = rows[:, None] * columns[None, :]
    covered = ops.cast(ops.expand_dims(box, -1), "bool")
    replaced: Any = ops.mean(box)
    return ops.where(covered, ops.roll(images, 1, axis=0), images), 1.0 - replaced


def _within(size: int, center: Any, side: Any) -> Any:
    positions = np.arange(size, dtype="float32") / size
    return ops.cast(ops.abs(positions - center) < side / 2, "float32")


def hardest(goals: Sequence[Goal], outputs: Sequence[Any], batch: Batch, share: float) -> Batch:
    """The rows of a batch with the highest losses, all heads together; rows that don't count come last.

    Args:
        goals: One per output.
        outputs: Those of the network for the batch.
        batch: Rows first.
        share: Of the rows, which is kept; at least one row is.
    """
    total: Any = 0.0
    for goal, output, target in zip(goals, outputs, batch.targets, strict=True):
        known, filled = labeled(goal, target)
        each = goal.weight * goal.loss(filled, ops.cast(output, "float32"), 0.0)
        total = total + ops.where(known > 0, each, 0.0)
    if batch.counted is not None:
        total = ops.where(ops.cast(batch.counted, "bool"), total, -math.inf)
    most = max(1, math.ceil(share * int(total.shape[0])))
    found: Any = ops.top_k(total, most)
    kept: Any = keras.tree.map_structure(
        lambda x: None if x is None else ops.take(x, found[1], axis=0), batch
    )
    return kept


def perturbed(parameters: Sequence[Any], gradients: Sequence[Any], radius: Any) -> list[Any]:
    """The parameters moved uphill: w + radius · g / ‖g‖, the norm being that of all gradients together.

    Args:
        parameters: Arrays of any shapes.
        gradients: Of the loss at these parameters, shapes alike. Where all are zero, nothing moves.
        radius: Rho, in the units of the parameters; a number or a scalar array. The paper takes 0.05 for
            CIFAR-10 and 0.1 for CIFAR-100.
    """
    squares: Any = ops.stack([ops.sum(ops.square(ops.cast(g, "float32"))) for g in gradients])
    total: Any = ops.sum(squares)
    # A square root of zero would do no harm here, but its division would.
    scale = radius / ops.sqrt(ops.where(total > 0, total, ops.ones_like(total)))
    return [
        parameter + ops.cast(scale * ops.cast(gradient, "float32"), parameter.dtype)
        for parameter, gradient in zip(parameters, gradients, strict=True)
    ]


def squared_error(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (nothing to smooth)
    """(rows, 1) targets; (rows, 1) or (rows, members, 1) outputs."""
    return _over_members(ops.square(logits - _beside(y, logits)))


def absolute_error(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (nothing to smooth)
    """As `squared_error`, for the metric mae."""
    return _over_members(ops.abs(logits - _beside(y, logits)))


def quantile_error(y: Any, logits: Any, smoothing: Any = 0.0, *, level: float = 0.5) -> Any:  # noqa: ARG001
    """As `squared_error`, for a quantile: Koenker & Bassett 1978, "Regression Quantiles"."""
    away: Any = _beside(y, logits) - logits
    return _over_members(ops.maximum(level * away, (level - 1.0) * away))


def binary_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, labels) targets in [0, 1]; one or several sigmoids. Smoothing moves targets towards a half.

    The mean over the labels that a row has; the others are NaN.
    """
    known, y = of_known_labels(_beside(y, logits))
    y = y * (1.0 - smoothing) + 0.5 * smoothing
    # -y log sigmoid(logits) - (1 - y) log sigmoid(-logits), without overflow.
    positive: Any = ops.relu(logits)
    size: Any = ops.abs(logits)
    return _over_members(known * (positive - logits * y + ops.softplus(-size)))


def of_known_labels(y: Any) -> tuple[Any, Any]:
    """What each label of a row counts, 1 on the mean and 0 where it is NaN; and `y` without NaN."""
    there: Any = ops.logical_not(ops.isnan(y))
    known: Any = ops.cast(there, y.dtype)
    return known / ops.maximum(ops.mean(known, axis=-1, keepdims=True), 1e-6), ops.where(there, y, 0.0)


def categorical_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, 1) class numbers; (rows, classes) or (rows, members, classes) logits.

    Smoothing moves targets towards all classes alike (Szegedy et al. 2016, section 7).
    """
    classes = int(logits.shape[-1])
    chosen = ops.one_hot(ops.cast(ops.squeeze(y, -1), "int32"), classes)
    chosen = chosen * (1.0 - smoothing) + smoothing / classes
    log_shares: Any = ops.log_softmax(logits, axis=-1)
    return _over_members(-log_shares * _beside(chosen, logits)) * classes


def pixel_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, height, width) class numbers; (rows, height, width, classes) logits. The mean over pixels."""
    classes = int(logits.shape[-1])
    chosen = ops.one_hot(ops.cast(y, "int32"), classes, dtype="float32")
    chosen = chosen * (1.0 - smoothing) + smoothing / classes
    log_shares: Any = ops.log_softmax(logits, axis=-1)
    return ops.mean(ops.sum(-log_shares * chosen, axis=-1), axis=(1, 2))


def missed_overlap(y: Any, logits: Any) -> Any:
    """One minus the Dice coefficient of probabilities, the mean over classes; as `pixel_cross_entropy`.

    Milletari et al. 2016, "V-Net", arXiv:1606.04797, section 3, without their squares. One pixel is added
    above and below, so that a class that isn't there has the coefficient one.
    """
    chosen: Any = ops.one_hot(ops.cast(y, "int32"), int(logits.shape[-1]), dtype="float32")
    shares: Any = ops.softmax(logits, axis=-1)
    size: Any = ops.sum(chosen, axis=(1, 2))
    predicted: Any = ops.sum(shares, axis=(1, 2))
    both: Any = ops.sum(chosen * shares, axis=(1, 2))
    overlap: Any = ops.mean((2.0 * both + 1.0) / (size + predicted + 1.0), axis=-1)
    return 1.0 - overlap


def mask_loss(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """Cross entropy and missed overlap: the one is smooth, the other doesn't forget small classes."""
    return pixel_cross_entropy(y, logits, smoothing) + missed_overlap(y, logits)


def _beside(y: Any, logits: Any) -> Any:
    y = ops.cast(y, logits.dtype)
    return ops.expand_dims(y, 1) if len(logits.shape) == 3 else y


def _over_members(losses: Any) -> Any:
    return ops.mean(losses, axis=tuple(range(1, len(losses.shape))))
