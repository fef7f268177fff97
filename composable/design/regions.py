"""Regions of an image: pooled from feature maps, and proposed by the scores of anchors.

A region is top, left, bottom, right, as shares of the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component


@component
def roi_pooling(x: Mapping[str, Any], *, bins: Count = 7) -> Any:
    """Each region's `features` as one small map: bilinear samples, two by two per bin, of which the largest.

    So Chen & Gupta 2017, "An Implementation of Faster RCNN with Study for Region Sampling", arXiv:1702.02138,
    section 2.2. Bilinear sampling is a product with a matrix per axis: nothing but products, on any backend.

    Args:
        x: `features`, (rows, height, width, channels), and `regions`, (rows, n, 4).
        bins: Per side.

    Returns:
        Shape (rows, n, bins, bins, channels).
    """
    features, regions = x["features"], x["regions"]
    top, left, bottom, right = _edges(regions)
    down = _interpolation(top, bottom, features[0, :, 0, 0], samples=2 * bins)
    across = _interpolation(left, right, features[0, 0, :, 0], samples=2 * bins)
    rows = ops.einsum("bnyh,bhwc->bnywc", down, features)
    sampled = ops.einsum("bnxw,bnywc->bnyxc", across, rows)
    paired = layers.Reshape((-1, bins, 2, bins, 2, features.shape[-1]))(sampled)
    return ops.max(paired, axis=(3, 5))


@component
def proposals(
    x: Mapping[str, Any],
    *,
    grid: tuple[Count, Count],
    count: Count = 300,
    stride: Count = 16,
    sizes: tuple[Count, ...] = (128, 256, 512),
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0),
) -> Any:
    """The regions that most likely hold an object, the likeliest first; they may overlap.

    Args:
        x: Per anchor, `objectness` (rows, anchors, 2), of which the second is the probability of an object,
            and `deltas` (rows, anchors, 4), how far the object's box is from the anchor.
        grid: The height and width of the feature maps.
        count: How many regions; all, where there are fewer anchors.
        stride: Pixels per position.
        sizes: In pixels, the sides of square anchors.
        ratios: Of height to width, with the area kept.

    Returns:
        Shape (rows, count, 4).

    Raises:
        ValueError: If the grid's anchors aren't as many as `deltas` is for.
    """
    known = anchors(grid=grid, stride=stride, sizes=sizes, ratios=ratios)
    if x["deltas"].shape[1] not in (None, len(known)):
        raise ValueError(f"A grid of {grid} has {len(known)} anchors, not {x['deltas'].shape[1]}.")
    boxes = ops.clip(moved(ops.convert_to_tensor(known), x["deltas"]), 0.0, 1.0)
    ranked: Any = ops.top_k(x["objectness"][..., 1], min(count, len(known)))
    best: Any = ranked[1]
    return ops.take_along_axis(boxes, ops.expand_dims(best, -1), axis=1)


def anchors(
    *, grid: tuple[int, int], stride: int, sizes: tuple[int, ...], ratios: tuple[float, ...]
) -> np.ndarray:
    """The boxes around every position of a grid, row by row: sizes by ratios of them at each.

    Returns:
        Shape (anchors, 4); those at the border of the image reach beyond it.
    """
    sides = [(size * ratio**0.5, size / ratio**0.5) for size in sizes for ratio in ratios]
    half = np.asarray(sides) / 2 / (stride * np.asarray(grid))
    middle = np.moveaxis(np.indices(grid), 0, -1) + 0.5
    centers = (middle / np.asarray(grid))[:, :, None, :]
    return np.concatenate([centers - half, centers + half], axis=-1).reshape(-1, 4).astype("float32")


def moved(boxes: Any, deltas: Any) -> Any:
    """Boxes moved and resized (Girshick et al. 2014, arXiv:1311.2524, appendix C).

    Args:
        boxes: Shape (..., 4).
        deltas: Shape (..., 4): down and across, in heights and widths of the box, then by which powers of e
            it is higher and wider.
    """
    top, left, bottom, right = _edges(boxes)
    down, across, higher, wider = _edges(deltas)
    height, width = bottom - top, right - left
    middle, center = top + (0.5 + down) * height, left + (0.5 + across) * width
    half_height, half_width = ops.exp(higher) * height / 2, ops.exp(wider) * width / 2
    return ops.concatenate(
        [middle - half_height, center - half_width, middle + half_height, center + half_width], axis=-1
    )


def _edges(boxes: Any) -> list[Any]:
    return [boxes[..., edge : edge + 1] for edge in range(4)]


def _interpolation(start: Any, end: Any, line: Any, *, samples: int) -> Any:
    """Which share each cell of a line of cells has in each of the samples from `start` to `end`.

    Args:
        start: Shape (rows, n, 1).
        end: Shape (rows, n, 1).
        line: As many numbers as there are cells, which are counted, as the size may be free.
        samples: How many.

    Returns:
        Shape (rows, n, samples, cells).
    """
    number: Any = ops.cumsum(ops.ones_like(line))
    cells: Any = ops.max(number)
    steps = ((np.arange(samples) + 0.5) / samples).astype("float32")
    positions: Any = (start + (end - start) * steps) * cells
    positions = ops.maximum(ops.minimum(positions, cells - 0.5), 0.5)
    apart: Any = ops.absolute(ops.expand_dims(positions, -1) - (number - 0.5))
    return ops.relu(1.0 - apart)
