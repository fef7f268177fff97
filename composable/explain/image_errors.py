"""Where a model of images errs, as pictures: `pictures.json`.

What it got wrong with most confidence and which pixels spoke for that; what augmentation makes of an image;
how well it does on altered copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.data.frames import column_of
from composable.data.images.column import cells_of
from composable.data.images.png import png_text
from composable.data.kinds.image import ImageBlock
from composable.design import Input
from composable.design.part import Part
from composable.design.taps import tap
from composable.engine.augment import previews
from composable.engine.gradients import gradients_of
from composable.explain.altered_copies import altered_scores
from composable.explain.explained_model import ExplainedModel
from composable.explain.saliency import highlighted, integrated_gradients
from composable.explain.worst_errors import least_certain, worst_errors
from composable.problem.kinds import kind_of

WORST, CLOSE = 12, 6  # pictures of errors, and of answers that were nearly errors
SHOWN, VARIANTS = 4, 6  # images with what augmentation makes of them
_TO_COMPILE = 1.0  # seconds


def image_errors(model: ExplainedModel, deadline: Deadline) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md; what the deadline cuts off is left out."""
    head, names, images = model.head, image_names(model), model.inputs["images"]
    observed, predicted = model.observed[0], model.predicted[0]
    worst = worst_errors(head, observed, predicted, most=WORST).tolist()
    close = least_certain(head, observed, predicted, most=CLOSE).tolist()
    entries = [
        {
            "name": names[row],
            "picture": png_text(images[row]),
            **kind_of(head).effects.outcome(head, observed[row], predicted[row]),
        }
        for row in [*worst, *close]
    ]
    augmented = augmented_pictures(model.candidate.settings.augment, images[:SHOWN])
    altered = list(altered_scores(model.predict, head, model.inputs, observed, deadline))
    if deadline.remaining > _TO_COMPILE:
        for entry, where in zip(entries, _saliency(model, [*worst, *close], deadline), strict=False):
            entry["saliency"] = where
    return {
        "format": "composable.pictures/2",
        "head": head.name,
        "errors": entries[: len(worst)],
        "close": entries[len(worst) :],
        "augmented": augmented,
        "altered": altered,
    }


def image_names(model: ExplainedModel) -> list[str]:
    """What the cells of each row call its images; several are joined by commas."""
    columns = [cells_of(column_of(model.frame, image.column)) for image in model.encoding.of(ImageBlock)]
    return [", ".join(each) for each in zip(*columns, strict=True)]


def augmented_pictures(augment: Sequence[Part], images: np.ndarray) -> list[dict[str, Any]]:
    """Images beside what some epochs of training would make of them."""
    if not augment:
        return []
    (variants,) = previews([augment], images, seed=0, epochs=VARIANTS)
    return [
        {"picture": png_text(image), "variants": [png_text(each[row]) for each in variants]}
        for row, image in enumerate(images)
    ]


def _saliency(model: ExplainedModel, rows: Sequence[int], deadline: Deadline) -> Iterator[str]:
    """For each of these rows the image, orange where it speaks for the answer."""
    # Gradients are taken with respect to numbers, while the trained network takes bytes.
    shapes = {name: Input(v.shape[1:], v.dtype.name) for name, v in model.inputs.items()}
    shapes["images"] = Input(shapes["images"].shape, "float32")
    network = tap(model.candidate.architecture.build(shapes), "logits")
    network.set_weights(model.network.get_weights())
    gradients = gradients_of(network, "images")
    for row in rows:
        if deadline.remaining <= 0:
            return
        inputs = {name: values[row] for name, values in model.inputs.items()}
        direction = kind_of(model.head).effects.logit_direction(model.head, model.predicted[0][row])
        yield png_text(highlighted(inputs["images"], integrated_gradients(gradients, inputs, direction)))
