"""A target that is a class for every pixel of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from composable.core.errors import ConfigError
from composable.data.encoding import Encoding
from composable.data.schema import Schema
from composable.data.table import Table
from composable.design.part import Part
from composable.design.tasks import segmenter
from composable.engine.objective import Goal, mask_loss
from composable.problem.formulas import confusion_of, overlap
from composable.problem.kinds.classes import softmax_row_losses
from composable.problem.kinds.multiclass import EFFECTS as CLASS_EFFECTS
from composable.problem.kinds.multiclass import diagnose as diagnose_classes
from composable.problem.kinds.target_kind import ScoredRows, TargetKind
from composable.problem.masks import as_rows, masks_as_targets
from composable.problem.metrics import Metric
from composable.problem.postprocessing import PostProcessing
from composable.problem.problem import Head
from composable.problem.target_columns import Notify, ObservedTarget


def pose(targets: Sequence[ObservedTarget], notify: Notify) -> tuple[Head, ...]:
    """None: what is asked of masks says `composable.problem.masks.understand_masks`, from their levels.

    Raises:
        ConfigError: Always.
    """
    raise ConfigError(
        "Masks are images, named by the cells of a column.",
        received=f"the target {targets[0].column.name!r}",
        remedy="leave out --problem",
    )


def encode(table: Table, schema: Schema, head: Head, encoding: Encoding | None) -> np.ndarray:
    """The class of every pixel.

    Raises:
        DataError: If a mask is missing or broken, or has a level that is no class.
        ValueError: Without an encoding, which sets how large the masks are to be.
    """
    if encoding is None:
        raise ValueError("Masks are encoded at the size of the model's images.")
    return masks_as_targets(table, head, encoding)


def goal(metric: str) -> Goal:
    """Cross entropy and missed overlap, by which training stops as well."""
    return Goal(mask_loss, mask_loss)


def one_hot(head: Head, y: np.ndarray) -> np.ndarray:
    """(rows, height, width, classes) of 0 and 1."""
    return (y[..., None] == np.arange(head.width)).astype("float32")


def shares(head: Head, y: np.ndarray) -> np.ndarray:
    """The share of each class at each pixel, (height, width, classes)."""
    return np.stack([(y == code).mean(axis=0, dtype="float32") for code in range(head.width)], axis=-1)


def score(metric: Metric, head: Head, rows: ScoredRows) -> float:
    """A metric of the pixels of all masks together."""
    return overlap(metric.name, confusion_of(rows.observed, rows.predicted, rows.weights))


def diagnose(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """That of many classes, of evenly spaced pixels."""
    pixels, predicted, observed = as_rows(head, predicted, observed)
    return diagnose_classes(pixels, observed, predicted)


MASK = TargetKind(
    name="mask",
    activation="softmax",
    default_metric="mean_iou",
    loss_metric="mean_iou",
    pose=pose,
    encode=encode,
    width=lambda head: len(head.labels),
    task=lambda head: Part(segmenter, classes=len(head.labels)),
    goal=goal,
    fit_postprocessing=lambda y: PostProcessing("softmax"),
    training_targets=lambda step, y: y.astype("int16"),  # half the memory of float32
    indicators=one_hot,
    constant_prediction=shares,
    score=score,
    row_losses=lambda y, p: softmax_row_losses(y[..., None], p),
    calibration_rows=as_rows,
    class_probabilities=lambda head, predicted, position: predicted,
    effects=CLASS_EFFECTS,
    diagnose=diagnose,
    leak_questions=lambda head, y: [],
    answer_axes=("height", "width"),
)
