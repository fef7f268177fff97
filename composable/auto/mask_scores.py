"""How far a bundle's masks cover the true ones, each image at its own size."""

from __future__ import annotations

import numpy as np

from composable.core.errors import DataError
from composable.data.frames import column_of
from composable.data.images.column import cells_of
from composable.data.images.source import images_of
from composable.data.table import Table
from composable.deploy.answers import names_in, predicted_codes
from composable.deploy.bundle import Bundle
from composable.problem.formulas import confusion, overlap
from composable.problem.masks import true_codes
from composable.problem.metrics import fitting
from composable.problem.problem import Head


def mask_scores(bundle: Bundle, table: Table, head: Head) -> dict[str, float]:
    """Every metric of masks, over the pixels of all images, and `rows`.

    Args:
        bundle: The model.
        table: Images, all with masks.
        head: The head of the masks.

    Raises:
        DataError: If a mask isn't of its image's size, has an unknown level, or there is no row.
    """
    (target,) = head.targets
    names, source = cells_of(column_of(table.frame, target)), images_of(table.sources).get(target)
    if source is None or not names:
        raise DataError(
            "Masks are compared with the true ones.",
            received=f"{table.origin}: no image with a mask",
            remedy="bring masks as for the fit",
        )
    matrix = np.zeros((head.width, head.width), np.int64)
    pictures = names_in(table.frame, bundle)
    for image, name, predicted in zip(pictures, names, predicted_codes(bundle, table), strict=True):
        true = true_codes(source, name, head)
        if true.shape != predicted.shape:
            raise DataError(
                "A mask is as large as its image.",
                received=f"{name}: {true.shape[1]} x {true.shape[0]} pixels, "
                f"{image}: {predicted.shape[1]} x {predicted.shape[0]}",
                remedy="correct those files, or leave that row out",
            )
        matrix += confusion(true, predicted, head.width)
    return {metric: overlap(metric, matrix) for metric in fitting(head.kind)} | {"rows": len(names)}
