"""Images sampled at other positions than those of their pixels.

Positions are (rows, height, width) each, down and right, in pixels of the image; beyond the border the
nearest pixel is repeated.
"""

from __future__ import annotations

from typing import Any

from keras import backend, ops

BRIGHTEST = 255.0
COLORS = 3  # channels of an image; where there are more, they are those of several images


def pixels(size: int) -> Any:
    """The positions along one side, (size,)."""
    return ops.arange(size, dtype="float32")


def per_row(values: Any) -> Any:
    """One value for all of an image."""
    return ops.reshape(values, (-1, 1, 1, 1))


def levels(values: Any, dtype: Any) -> Any:
    """Values as levels of a type: from 0 to 255, whole where the type is."""
    kind = backend.standardize_dtype(dtype)
    values = ops.clip(values, 0.0, BRIGHTEST)
    return ops.cast(values if "float" in kind else ops.round(values), kind)


def grays(values: Any) -> Any:
    """The mean of an image's channels, (rows, height, width, 1); of several images that of each.

    On a CPU this is much faster than a sum along that axis.
    """
    channels: Any = [values[..., position : position + 1] for position in range(int(values.shape[-1]))]
    if len(channels) <= COLORS:
        return sum(channels[1:], channels[0]) / len(channels)
    each = [sum(channels[at + 1 : at + COLORS], channels[at]) for at in range(0, len(channels), COLORS)]
    return ops.concatenate([one / COLORS for one in each for _ in range(COLORS)], axis=-1)


def shifted(images: Any, steps: Any, axis: int) -> Any:
    """The images moved by whole pixels along an axis, (rows,); what comes in is the image's reflection."""
    size = int(images.shape[axis])
    within: Any = ops.abs(pixels(size)[None, :] + ops.reshape(steps, (-1, 1)))
    beyond: Any = ops.abs((size - 1) - within)
    positions: Any = (size - 1) - beyond  # reflected at both ends
    positions = ops.cast(ops.clip(positions, 0, size - 1), "int32")
    shape = (-1, size, 1, 1) if axis == 1 else (-1, 1, size, 1)
    return ops.take_along_axis(
        images, ops.broadcast_to(ops.reshape(positions, shape), ops.shape(images)), axis
    )


def from_center(images: Any) -> tuple[Any, Any]:
    """How far each pixel lies from the center, down (height, 1) and right (1, width)."""
    height, width = int(images.shape[1]), int(images.shape[2])
    return (pixels(height) - (height - 1) / 2)[:, None], (pixels(width) - (width - 1) / 2)[None, :]


def sampled(images: Any, y: Any, x: Any) -> Any:
    """The images at positions between pixels, interpolated linearly."""
    height, width = int(images.shape[1]), int(images.shape[2])
    total: Any = 0.0
    for row, vertical in _neighbors(y, height):
        for column, horizontal in _neighbors(x, width):
            share: Any = ops.expand_dims(vertical * horizontal, -1)
            total = total + share * ops.cast(_at(images, row, column), "float32")
    return levels(total, images.dtype)


def stretched(images: Any, y: Any, x: Any) -> Any:
    """As `sampled`, where the positions down are the same in all columns and those right in all rows.

    By two products of matrices, which XLA computes once, however often the result is used.

    Args:
        images: (rows, height, width, channels).
        y: (rows, height) positions.
        x: (rows, width) positions.
    """
    planes = ops.cast(ops.transpose(images, (0, 3, 1, 2)), "float32")
    down, right = (ops.expand_dims(_shares(positions, positions.shape[1]), 1) for positions in (y, x))
    found = ops.matmul(ops.matmul(down, planes), ops.transpose(right, (0, 1, 3, 2)))
    return levels(ops.transpose(found, (0, 2, 3, 1)), images.dtype)


def nearest(masks: Any, y: Any, x: Any) -> Any:
    """Masks, (rows, height, width, 1), at the nearest pixels: there is no class between two."""
    height, width = int(masks.shape[1]), int(masks.shape[2])
    rows: Any = ops.round(ops.clip(y, 0, height - 1))
    columns: Any = ops.round(ops.clip(x, 0, width - 1))
    return _at(masks, rows, columns)


def _at(images: Any, rows: Any, columns: Any) -> Any:
    """The pixels of each image at whole positions, (rows, height, width) each.

    Whole pixels are taken from all images laid end to end: on a CPU several times faster than by an index
    for every channel.
    """
    height, width, channels = (int(size) for size in images.shape[1:])
    shape: Any = ops.shape(images)
    numbers: Any = ops.arange(shape[0], dtype="int32")
    first: Any = ops.reshape(numbers * (height * width), (-1, 1, 1))
    within: Any = ops.cast(rows * width + columns, "int32")
    flat: Any = ops.reshape(images, (-1, channels))
    return ops.take(flat, first + within, axis=0)


def _shares(positions: Any, size: int) -> Any:
    """How much each pixel counts in each position along one side, (rows, positions, size)."""
    within: Any = ops.expand_dims(ops.clip(positions, 0, size - 1), -1)
    distance: Any = ops.abs(within - pixels(size))
    return ops.maximum(0.0, 1.0 - distance)


def _neighbors(positions: Any, size: int) -> list[tuple[Any, Any]]:
    """The whole positions on both sides, and their shares."""
    positions = ops.clip(positions, 0, size - 1)
    before: Any = ops.floor(positions)
    share: Any = positions - before
    return [(before, 1.0 - share), (ops.minimum(before + 1, size - 1), share)]
