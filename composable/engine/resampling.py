"""Images looked at in other places than their pixels' own.

Places are (rows, height, width) each, down and right, in pixels of the image; beyond the border the nearest
pixel is repeated.
"""

from __future__ import annotations

from typing import Any

from keras import backend, ops

BRIGHTEST = 255.0


def pixels(size: int) -> Any:
    """The places along one side, (size,)."""
    return ops.arange(size, dtype="float32")


def per_row(values: Any) -> Any:
    """One value for all of an image."""
    return ops.reshape(values, (-1, 1, 1, 1))


def levels(values: Any, dtype: Any) -> Any:
    """Values as levels of a type: from 0 to 255, whole where the type is."""
    kind = backend.standardize_dtype(dtype)
    values = ops.clip(values, 0.0, BRIGHTEST)
    return ops.cast(values if "float" in kind else ops.round(values), kind)


def shifted(images: Any, steps: Any, axis: int) -> Any:
    """The images moved by whole pixels along an axis, (rows,); what comes in is the image's reflection."""
    size = int(images.shape[axis])
    inside: Any = ops.abs(pixels(size)[None, :] + ops.reshape(steps, (-1, 1)))
    beyond: Any = ops.abs((size - 1) - inside)
    places: Any = (size - 1) - beyond  # reflected at both ends
    places = ops.cast(ops.clip(places, 0, size - 1), "int32")
    shape = (-1, size, 1, 1) if axis == 1 else (-1, 1, size, 1)
    return ops.take_along_axis(images, ops.broadcast_to(ops.reshape(places, shape), ops.shape(images)), axis)


def from_centre(images: Any) -> tuple[Any, Any]:
    """How far each pixel lies from the centre, down (height, 1) and right (1, width)."""
    height, width = int(images.shape[1]), int(images.shape[2])
    return (pixels(height) - (height - 1) / 2)[:, None], (pixels(width) - (width - 1) / 2)[None, :]


def sampled(images: Any, y: Any, x: Any) -> Any:
    """The images at places between pixels, interpolated linearly."""
    height, width, channels = (int(size) for size in images.shape[1:])
    flat = ops.reshape(images, (-1, height * width, channels))
    total: Any = 0.0
    for row, vertical in _neighbours(y, height):
        for column, horizontal in _neighbours(x, width):
            place = ops.cast(ops.reshape(row * width + column, (-1, height * width, 1)), "int32")
            corner = ops.take_along_axis(flat, ops.broadcast_to(place, ops.shape(flat)), 1)
            share: Any = ops.reshape(vertical * horizontal, (-1, height * width, 1))
            total = total + share * ops.cast(corner, "float32")
    return levels(ops.reshape(total, ops.shape(images)), images.dtype)


def nearest(masks: Any, y: Any, x: Any) -> Any:
    """Masks, (rows, height, width, 1), at the nearest pixels: there is no class between two."""
    height, width = int(masks.shape[1]), int(masks.shape[2])
    rows: Any = ops.round(ops.clip(y, 0, height - 1))
    columns: Any = ops.round(ops.clip(x, 0, width - 1))
    place = ops.cast(ops.reshape(rows * width + columns, (-1, height * width, 1)), "int32")
    flat = ops.reshape(masks, (-1, height * width, 1))
    return ops.reshape(ops.take_along_axis(flat, place, 1), ops.shape(masks))


def _neighbours(places: Any, size: int) -> list[tuple[Any, Any]]:
    """The whole places on both sides, and their shares."""
    places = ops.clip(places, 0, size - 1)
    before: Any = ops.floor(places)
    share: Any = places - before
    return [(before, 1.0 - share), (ops.minimum(before + 1, size - 1), share)]
