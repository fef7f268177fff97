"""How a model of images errs, as pictures: `pictures.json`.

What it got wrong with most confidence and where it looked; what training showed of an image; how well it
does on altered copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.auto.worst_errors import said_of, worst_errors
from composable.core.budget import Deadline
from composable.data.images.png import png_text
from composable.design.part import Part
from composable.engine.augment import previews
from composable.problem.invariance import PROBES
from composable.problem.metrics import score
from composable.problem.problem import Head

WORST = 12  # pictures
SHOWN, VARIANTS = 4, 6  # images with what augmentation makes of them
_PROBED = 500  # rows
_GRID = 8  # squares along each side that are covered one after another

Ask = Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows that were not learnt from.

    Attributes:
        inputs: `images` among them.
        observed: Per head.
        predicted: Per head.
        names: Of the images.
    """

    inputs: Mapping[str, np.ndarray]
    observed: Sequence[np.ndarray]
    predicted: Sequence[np.ndarray]
    names: Sequence[str]


def pictures(
    ask: Ask, head: Head, held: HeldOut, *, augment: Sequence[Part], deadline: Deadline
) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md; what the deadline cuts off is left out.

    Args:
        ask: From inputs to answers, one array per head.
        head: The first question.
        held: What is shown.
        augment: What training did to images.
        deadline: When to stop.
    """
    observed, predicted = held.observed[0], held.predicted[0]
    worst = worst_errors(head, observed, predicted, most=WORST)
    errors = [
        {
            "name": held.names[row],
            "picture": png_text(held.inputs["images"][row]),
            **said_of(head, observed[row], predicted[row]),
        }
        for row in worst
    ]
    shown = augmented_pictures(augment, held.inputs["images"][:SHOWN])
    probes = list(_probes(ask, head, held, deadline))
    for row, error in zip(worst, errors, strict=True):
        if deadline.remaining <= 0:
            break
        inputs = {name: values[row] for name, values in held.inputs.items()}
        error["looked"] = png_text(_looked(ask, head, inputs, predicted[row]))
    return {"head": head.name, "errors": errors, "augmented": shown, "probes": probes}


def augmented_pictures(augment: Sequence[Part], images: np.ndarray) -> list[dict[str, Any]]:
    """Images beside what some epochs of training would show of them."""
    if not augment:
        return []
    (shown,) = previews([augment], images, seed=0, epochs=VARIANTS)
    return [
        {"picture": png_text(image), "variants": [png_text(each[place]) for each in shown]}
        for place, image in enumerate(images)
    ]


def _probes(ask: Ask, head: Head, held: HeldOut, deadline: Deadline) -> Iterator[dict[str, Any]]:
    """The head's usual score on altered copies, the unaltered ones first."""
    some = {name: values[:_PROBED] for name, values in held.inputs.items()}
    metric = "mae" if head.kind == "regression" else "accuracy"
    for name, change in {"as they are": lambda images: images, **PROBES}.items():
        if deadline.remaining <= 0:
            return
        said = ask(some | {"images": np.ascontiguousarray(change(some["images"]))})
        value = score(metric, head, held.observed[0][:_PROBED], said[0])
        yield {"copies": name, "metric": metric, "value": float(value)}


def _looked(ask: Ask, head: Head, row: Mapping[str, np.ndarray], predicted: np.ndarray) -> np.ndarray:
    """The image, bright where covering it changes the answer most.

    Occlusion: Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks",
    arXiv:1311.2901, section 4.2. One square after another is covered by the mean colour.
    """
    image = row["images"]
    height, width = image.shape[:2]
    down, right = np.arange(height) * _GRID // height, np.arange(width) * _GRID // width
    copies = np.repeat(image[None], _GRID**2, axis=0)
    middle = image.mean(axis=(0, 1)).astype(image.dtype)
    for square in range(_GRID**2):
        # Squares overlap by half, lest a part that lies on an edge is never covered.
        near_rows, near_columns = np.abs(down - square // _GRID) <= 1, np.abs(right - square % _GRID) <= 1
        copies[square, near_rows[:, None] & near_columns] = middle
    others = {name: np.repeat(value[None], _GRID**2, axis=0) for name, value in row.items()}
    said = ask({**others, "images": copies})[0]
    if head.kind == "multiclass":
        change = predicted.max() - said[:, predicted.argmax()]
    else:
        change = np.abs(said - predicted).max(axis=1)
    weight = np.maximum(change, 0) / max(float(np.maximum(change, 0).max()), 1e-9)
    bright = 0.25 + 0.75 * weight.reshape(_GRID, _GRID)[down][:, right]
    return (image * bright[..., None]).astype(np.uint8)
