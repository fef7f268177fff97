"""How a model of images errs, as pictures: `pictures.json`.

What it got wrong with most confidence and where it looked; what training showed of an image; how well it
does on altered copies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from composable.auto.saliency import highlighted, integrated_gradients
from composable.auto.worst_errors import least_certain, said_of, worst_errors
from composable.core.budget import Deadline
from composable.data.images.png import png_text
from composable.design.part import Part
from composable.engine.augment import previews
from composable.engine.gradients import gradients_of
from composable.problem.invariance import PROBES
from composable.problem.metrics import score
from composable.problem.problem import Head

WORST, CLOSE = 12, 6  # pictures of errors, and of answers that were nearly errors
SHOWN, VARIANTS = 4, 6  # images with what augmentation makes of them
_PROBED, _FEW = 500, 128  # rows; the latter where there is little time
_PROBING = 0.3  # of the time that is left, for all copies
_TO_COMPILE = 1.0  # seconds

Ask = Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows that were not learned from.

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
    ask: Ask,
    head: Head,
    held: HeldOut,
    network: Callable[[], keras.Model],
    *,
    augment: Sequence[Part],
    deadline: Deadline,
) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md; what the deadline cuts off is left out.

    Args:
        ask: From inputs to answers, one array per head.
        head: The first question.
        held: What is shown.
        network: Makes a network that takes images of float32, to logits.
        augment: What training did to images.
        deadline: When to stop.
    """
    observed, predicted = held.observed[0], held.predicted[0]
    worst = worst_errors(head, observed, predicted, most=WORST).tolist()
    close = least_certain(head, observed, predicted, most=CLOSE).tolist()
    entries = [
        {
            "name": held.names[row],
            "picture": png_text(held.inputs["images"][row]),
            **said_of(head, observed[row], predicted[row]),
        }
        for row in [*worst, *close]
    ]
    shown = augmented_pictures(augment, held.inputs["images"][:SHOWN])
    probes = list(_probes(ask, head, held, deadline))
    if deadline.remaining > _TO_COMPILE:
        looked = _looked(network, head, held, [*worst, *close], deadline)
        for entry, where in zip(entries, looked, strict=False):
            entry["looked"] = where
    errors, close_calls = entries[: len(worst)], entries[len(worst) :]
    return {
        "head": head.name,
        "errors": errors,
        "close": close_calls,
        "augmented": shown,
        "probes": probes,
    }


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
    few = {name: values[:_FEW] for name, values in held.inputs.items()}
    ask(few)  # whatever has to be compiled
    began = time.monotonic()
    ask(few)
    seconds = (time.monotonic() - began) / _FEW * len(PROBES)
    most = _PROBED if _PROBED * seconds < _PROBING * deadline.remaining else _FEW
    some = {name: values[:most] for name, values in held.inputs.items()}
    metric = "mae" if head.kind == "regression" else "accuracy"
    for name, change in {"as they are": lambda images: images, **PROBES}.items():
        if deadline.remaining <= 0:
            return
        said = ask(some | {"images": np.ascontiguousarray(change(some["images"]))})
        value = score(metric, head, held.observed[0][:most], said[0])
        yield {"copies": name, "metric": metric, "value": float(value), "rows": len(said[0])}


def _looked(
    network: Callable[[], keras.Model], head: Head, held: HeldOut, rows: Sequence[int], until: Deadline
) -> Iterator[str]:
    """For each of these rows the image, orange where it speaks for the answer."""
    gradients = gradients_of(network(), "images")
    for row in rows:
        if until.remaining <= 0:
            return
        inputs = {name: values[row] for name, values in held.inputs.items()}
        found = integrated_gradients(gradients, inputs, _direction(head, held.predicted[0][row]))
        yield png_text(highlighted(inputs["images"], found))


def _direction(head: Head, answer: np.ndarray) -> np.ndarray:
    """What logits are multiplied by, so that their sum speaks for an answer."""
    if head.kind == "regression":
        return np.ones(1)
    if head.kind == "binary":
        return np.where(answer >= 0.5, 1.0, -1.0)
    chosen = np.eye(len(answer))[answer.argmax()]
    return chosen - 1.0 / len(answer) if head.kind == "multiclass" else chosen
