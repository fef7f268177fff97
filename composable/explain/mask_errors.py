"""Where a model of masks errs, as pictures: each image beside its true and its predicted mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.data.images.pixels import png_text
from composable.explain.explained_model import ExplainedModel
from composable.explain.image_errors import SHOWN, augmented_pictures, image_names
from composable.problem.formulas import confusion, overlap

WORST = 24  # images
MISSED, ADDED, TAKEN = (0, 90, 181), (220, 50, 32), (255, 194, 10)  # told apart by the color-blind too
_COLORS = np.array(
    [
        (0, 0, 0),
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (0, 114, 178),
        (213, 94, 0),
        (204, 121, 167),
        (255, 255, 255),
    ],
    np.uint8,
)  # Okabe & Ito 2008, "Color Universal Design"


def mask_errors(model: ExplainedModel, _deadline: Deadline) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md: the images with the least overlap first."""
    head, names, images = model.head, image_names(model), model.inputs["images"]
    observed, codes = model.observed[0], model.predicted[0].argmax(axis=-1)
    scores = [
        overlap("mean_iou", confusion(true, predicted, head.width))
        for true, predicted in zip(observed, codes, strict=True)
    ]
    common = int(np.bincount(observed.ravel(), minlength=head.width).argmax())
    order = np.argsort(scores, kind="stable")[:WORST]
    masks = [
        {
            "name": names[row],
            "mean_iou": scores[row],
            "picture": png_text(images[row]),
            "observed": png_text(_colored(observed[row], common)),
            "predicted": png_text(_colored(codes[row], common)),
            "difference": png_text(_difference(images[row], observed[row], codes[row], common)),
        }
        for row in order
    ]
    return {
        "format": "composable.pictures/2",
        "head": head.name,
        "masks": masks,
        "augmented": augmented_pictures(model.candidate.settings.augment, images[:SHOWN]),
    }


def _colored(codes: np.ndarray, common: int) -> np.ndarray:
    """A color per class, the most frequent one black; beyond nine they repeat."""
    indices = np.where(codes == common, 0, 1 + (codes - (codes > common)) % (len(_COLORS) - 1))
    return _COLORS[indices]


def _difference(image: np.ndarray, true: np.ndarray, predicted: np.ndarray, common: int) -> np.ndarray:
    """The image in dim grays; in colors what was missed, what was added, and what was taken for another."""
    dim = (0.5 * image.mean(axis=-1, keepdims=True)).astype(np.uint8)
    found = np.repeat(dim, 3, axis=-1)
    wrong = true != predicted
    found[wrong] = TAKEN
    found[wrong & (predicted == common)] = MISSED
    found[wrong & (true == common)] = ADDED
    return found
