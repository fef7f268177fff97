"""Where a model of masks errs, as pictures: each image beside its true and its predicted mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.auto.pictures import augmented_pictures
from composable.data.images.png import png_text
from composable.design.part import Part
from composable.problem.overlap import confusion, overlap
from composable.problem.problem import Head

WORST = 24  # images
SHOWN = 4  # images with what augmentation makes of them
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


@dataclass(frozen=True, eq=False)
class Segmented:
    """Images that were not learned from.

    Attributes:
        images: (rows, height, width, channels) of uint8.
        observed: (rows, height, width) class numbers.
        predicted: (rows, height, width, classes).
        names: Of the images.
    """

    images: np.ndarray
    observed: np.ndarray
    predicted: np.ndarray
    names: Sequence[str]


def mask_pictures(head: Head, held: Segmented, *, augment: Sequence[Part]) -> dict[str, Any]:
    """The content of `pictures.json`, see docs/run-folder.md: the images with the least overlap first.

    Args:
        head: Of the masks.
        held: What is shown.
        augment: What training did to images.
    """
    codes = held.predicted.argmax(axis=-1)
    scores = [
        overlap("mean_iou", confusion(true, said, head.width))
        for true, said in zip(held.observed, codes, strict=True)
    ]
    common = int(np.bincount(held.observed.ravel(), minlength=head.width).argmax())
    order = np.argsort(scores, kind="stable")[:WORST]
    masks = [
        {
            "name": held.names[row],
            "mean_iou": scores[row],
            "picture": png_text(held.images[row]),
            "observed": png_text(_colored(held.observed[row], common)),
            "predicted": png_text(_colored(codes[row], common)),
            "difference": png_text(_difference(held.images[row], held.observed[row], codes[row], common)),
        }
        for row in order
    ]
    return {
        "head": head.name,
        "masks": masks,
        "augmented": augmented_pictures(augment, held.images[:SHOWN]),
    }


def _colored(codes: np.ndarray, common: int) -> np.ndarray:
    """A color per class, the commonest black; beyond nine they repeat."""
    places = np.where(codes == common, 0, 1 + (codes - (codes > common)) % (len(_COLORS) - 1))
    return _COLORS[places]


def _difference(image: np.ndarray, true: np.ndarray, said: np.ndarray, common: int) -> np.ndarray:
    """The image in dim grays; in colors what was missed, what was added, and what was taken for another."""
    dim = (0.5 * image.mean(axis=-1, keepdims=True)).astype(np.uint8)
    found = np.repeat(dim, 3, axis=-1)
    wrong = true != said
    found[wrong] = TAKEN
    found[wrong & (said == common)] = MISSED
    found[wrong & (true == common)] = ADDED
    return found
