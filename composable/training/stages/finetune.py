"""Fine-tuning: a trained network is thawed part by part, from the top down.

Howard & Ruder 2018, "Universal Language Model Fine-tuning for Text Classification", arXiv:1801.06146, section
3.3 ("gradual unfreezing"). Batch norm in a frozen layer neither learns nor takes new statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import keras
import numpy as np
from keras import layers

from composable.core.budget import Deadline
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.rows import held_out_blocks
from composable.engine.schedules import Positive
from composable.engine.train import train
from composable.training.stages.gain import (
    LEAST,
    NOT_MEASURED,
    Gain,
    compared,
    concluded,
    for_scoring,
    reached_measure,
    scoring_seeds,
)
from composable.training.stages.stage import (
    Job,
    Outcome,
    Progress,
    Several,
    Share,
    Start,
    Weights,
    cohort_of,
    out_of_time,
    part_of,
)

_STATISTICS = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)


def parts_of(model: keras.Model, count: int) -> list[list[int]]:
    """Which layers are thawed together, as indices into `model.layers`, the top part first.

    The top part is what follows the tap `encoding`, the task; the lowest is the stem, the first layer that
    learns; what lies between, the groups, is divided evenly by depth. A normalization goes with the layer
    below it. Layers without weights are in no part.

    Args:
        model: From its inputs to its logits, its layers in the order of the graph.
        count: Of parts; fewer, where there are fewer layers that learn.
    """
    units, task = _units(model)
    if count == 1 or len(units) == 1:
        return [[place for unit in units for place in unit]]
    top = [place for unit in units[task:] for place in unit]
    between = units[1:task]
    pieces = min(max(count - 2, 0), len(between))
    edges = [round(number * len(between) / pieces) for number in range(pieces + 1)] if pieces else []
    middle = [between[low:high] for low, high in pairwise(edges)]
    lower = [units[0]] if pieces or not between else [[place for unit in units[:task] for place in unit]]
    groups = [[place for unit in piece for place in unit] for piece in reversed(middle)]
    return [top, *groups, *lower]


def frozen(model: keras.Model, places: Sequence[int]) -> keras.Model:
    """The same model; the layers at these indices neither learn nor gather statistics."""
    found = model.layers
    for index in places:
        found[index].trainable = False
    return model


def _units(model: keras.Model) -> tuple[list[list[int]], int]:
    """Layers that learn, each with the normalizations above it; the lowest first; where the task begins.

    Statistics that are fitted to the rows before training, and don't learn, are in none of them.
    """
    found: list[list[int]] = []
    task = None
    for index, layer in enumerate(model.layers):
        if layer.name == "encoding":
            task = len(found)
        if isinstance(layer, _STATISTICS) and found:
            found[-1].append(index)
        elif layer.trainable_weights:
            found.append([index])
    last = max(len(found) - 1, 1)
    return found, last if task is None or not 0 < task < len(found) else task


@component
def finetune(  # noqa: PLR0913 (a recipe states every metaparameter)
    job: Job,
    progress: Progress,
    *,
    deadline: Deadline,
    parts: Count = 4,
    epochs: Count = 3,
    factor: Positive = 0.1,
    seeds: Several = 3,
    share: Share = 0.5,
) -> Outcome:
    """Train the top part alone, then with the part below it, and so on; the lowest, the stem, comes last.

    It is done in several orders of the rows, side by side, and so is a training of the whole network for as
    many epochs. The gain is over the better of that training and no training at all. The order with the best
    measure is the output of the stage.

    Args:
        job: What is trained.
        progress: The weights to begin with; without any there is nothing to tune finely.
        deadline: Of everything.
        parts: How many parts the layers are divided into, by their depth.
        epochs: For each part.
        factor: Of the learning rate of the settings.
        seeds: The orders of the rows.
        share: Of the time left, that this stage takes at most; half of it goes to the comparison.
    """
    if progress.weights is None:
        return Outcome("finetune", progress, "skipped", "there are no weights yet")
    if deadline.remaining <= 0:
        return out_of_time("finetune", progress)
    until = part_of(deadline, share)
    settings = for_scoring(progress.settings, epochs)
    settings = replace(settings, learning_rate=factor * settings.learning_rate)
    starts = [Start(settings, seed, progress.weights) for seed in scoring_seeds(job, "finetune", seeds)]
    divided = parts_of(job.build(), parts)
    thawed = _thawed(job, starts, divided, part_of(until, 0.5))
    evidence = {"parts": [len(part) for part in divided], "measures": [one.measures for one in thawed]}
    best = int(np.argmin([one.best for one in thawed]))
    if thawed[best].weights is None:
        return Outcome("finetune", progress, "failed", "the loss was never a number", evidence=evidence)
    gain, before = _gain(job, starts, thawed, epochs * len(divided), until)
    whole = all(len(one.measures) == len(divided) for one in thawed)
    evidence["before"] = before
    return concluded(
        progress,
        Outcome("finetune", replace(progress, weights=thawed[best].weights), evidence=evidence),
        gain,
        cut="" if whole else "the time for it ended before all parts were thawed",
    )


@dataclass(eq=False)
class Thawed:
    """One order of the rows: the measure after each part, the best of them, and the weights it came with."""

    measures: list[float]
    best: float = np.inf
    weights: Weights | None = None


def _thawed(
    job: Job, starts: Sequence[Start], divided: Sequence[Sequence[int]], deadline: Deadline
) -> list[Thawed]:
    """One per start; each part goes on from where the one before it was best."""
    found = [Thawed([]) for _ in starts]
    for number in range(len(divided)):
        if deadline.remaining <= 0:
            break
        below = [place for part in divided[number + 1 :] for place in part]
        partly = replace(job, build=lambda below=below: frozen(job.build(), below))
        cohort = cohort_of(partly, starts)
        histories = train(cohort, deadline=deadline)
        reached = cohort.weights()
        for one, history, weights in zip(found, histories, reached, strict=True):
            measure = reached_measure(history)
            one.measures.append(measure)
            if measure < one.best:
                one.best, one.weights = measure, tuple(weights)
        starts = [
            replace(start, weights=one.weights or start.weights)
            for start, one in zip(starts, found, strict=True)
        ]
    return found


def _gain(
    job: Job, starts: Sequence[Start], thawed: Sequence[Thawed], epochs: int, deadline: Deadline
) -> tuple[Gain, float | None]:
    """The gain over the better of training the whole network and not training; and the measure before."""
    if deadline.remaining <= 0:
        return NOT_MEASURED, None
    whole = for_scoring(starts[0].settings, epochs)
    cohort = cohort_of(job, [replace(start, settings=whole) for start in starts])
    before = cohort.program.measured(held_out_blocks([job.held_out] * len(starts)))
    histories = train(cohort, deadline=deadline)
    without = np.fmin(before, [reached_measure(history) for history in histories])
    trained = max(len(history.epochs) for history in histories)
    if trained < LEAST * epochs:
        return NOT_MEASURED, float(before[0])
    return compared(without, np.array([one.best for one in thawed]), epochs=trained, paired=True), float(
        before[0]
    )
