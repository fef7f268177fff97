"""What images look like in small: how much they are like whitened patches, part by part.

Coates, Ng & Lee 2011, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning" (AISTATS):
patches of training images, whitened (ZCA), are the filters; what they say of each place, cut off at zero on
both sides, is summed over the parts of a grid. Where the paper has means of clusters, patches are drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PATCH, FILTERS, GRID = 6, 64, 3
SIDE = 32  # pixels: larger images are shrunk, for the work grows with the places
_DRAWN = 20_000  # patches that tell the whitening
_CONTRAST = 10.0  # added to a patch's variance (levels from 0 to 255), as in the paper
_SMOOTHING = 0.1  # added to the variances of whitened directions
_OFFSET = 0.5  # what is cut off, in standard deviations of what a filter says
_BLOCK = 256  # images at once


@dataclass(frozen=True, eq=False)
class Patches:
    """Filters and what brings patches to their coordinates.

    Attributes:
        mean: Of all patches, (values,).
        filters: (values, filters): whitening and filters in one.
        side: Of a patch.
        step: From one place to the next.
    """

    mean: np.ndarray
    filters: np.ndarray
    side: int
    step: int


def draw_patches(images: np.ndarray, seed: int) -> Patches:
    """Patches of these images, (rows, height, width, channels), as whitened filters."""
    rng = np.random.default_rng(seed)
    images = _shrunk(images)
    height, width = images.shape[1:3]
    side = min(PATCH, height, width)
    rows = rng.integers(len(images), size=_DRAWN)
    tops, lefts = rng.integers(height - side + 1, size=_DRAWN), rng.integers(width - side + 1, size=_DRAWN)
    places = np.arange(side)
    cut = images[
        rows[:, None, None], tops[:, None, None] + places[:, None], lefts[:, None, None] + places[None, :]
    ]
    clean = _normalized(cut.reshape(_DRAWN, -1).astype("float32"))
    mean = clean.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(clean - mean, rowvar=False).reshape(clean.shape[1], -1))
    whitening = (directions / np.sqrt(np.maximum(variances, 0) + _SMOOTHING)) @ directions.T
    chosen = (clean[rng.permutation(_DRAWN)[:FILTERS]] - mean) @ whitening
    norms = np.linalg.norm(chosen, axis=1, keepdims=True)
    filters = whitening @ (chosen / np.maximum(norms, 1e-6)).T
    step = 2 if min(height, width) > 2 * PATCH else 1
    return Patches(mean.astype("float32"), filters.astype("float32"), side, step)


def described(images: np.ndarray, patches: Patches) -> np.ndarray:
    """The features of images, (rows, 2 * filters * grid * grid), float32."""
    parts = [_described(_shrunk(images[at : at + _BLOCK]), patches) for at in range(0, len(images), _BLOCK)]
    count = 2 * patches.filters.shape[1] * GRID**2
    return np.concatenate(parts) if parts else np.empty((0, count), "float32")


def _described(images: np.ndarray, patches: Patches) -> np.ndarray:
    side, step = patches.side, patches.step
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), axis=(1, 2))
    windows = windows[:, ::step, ::step].transpose(
        0, 1, 2, 4, 5, 3
    )  # rows, down, right, side, side, channels
    rows, down, right = windows.shape[:3]
    flat = _normalized(windows.reshape(rows * down * right, -1).astype("float32"))
    said = ((flat - patches.mean) @ patches.filters).reshape(rows, down, right, -1)
    both = np.concatenate([np.maximum(said - _OFFSET, 0), np.maximum(-said - _OFFSET, 0)], axis=-1)
    sums = np.add.reduceat(both, _starts(down), axis=1)
    return np.add.reduceat(sums, _starts(right), axis=2).reshape(rows, -1)


def _shrunk(images: np.ndarray) -> np.ndarray:
    """Means over squares of pixels, as many as bring the longer side down to `SIDE` or so."""
    factor = round(max(images.shape[1:3]) / SIDE)
    if factor < 2:
        return images
    down, right = (max(1, side // factor) for side in images.shape[1:3])
    cut = images[:, : down * factor, : right * factor].astype("float32")
    return cut.reshape(len(images), down, -1, right, factor, images.shape[3]).mean(axis=(2, 4))


def _starts(size: int) -> np.ndarray:
    """Where the parts of the grid begin; the same place twice where there are too few."""
    return np.minimum(np.arange(GRID) * size // GRID, size - 1)


def _normalized(patches: np.ndarray) -> np.ndarray:
    """Each patch with a mean of zero and a deviation of about one."""
    centerd = patches - patches.mean(axis=1, keepdims=True)
    return centerd / np.sqrt((centerd**2).mean(axis=1, keepdims=True) + _CONTRAST)
