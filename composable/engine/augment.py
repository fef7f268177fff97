"""Images shown a little different in every epoch: flipped, moved, turned, partly covered, lit otherwise.

What happens to a row is decided by numbers that are drawn on the host with the order of the rows, so all
backends show the same. They lie in [0, 1), (rows, 4) for each augmentation; the last of the four belongs to
the row and moves by a half from epoch to epoch.

Images are (rows, height, width, channels) with levels from 0 to 255, and keep their type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import keras
import numpy as np
from keras import ops
from pydantic import Field

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.metaparameters import Count
from composable.design.part import Part, component

DRAWN = 4  # numbers per row and augmentation
_BRIGHTEST = 255.0
Degrees = Annotated[float, Field(ge=0, le=180)]
Portion = Annotated[float, Field(gt=0, lt=1)]


@component
def flip(images: Any, drawn: Any, *, alternating: bool = True) -> Any:
    """Left becomes right in every second image.

    Args:
        images: The images.
        drawn: (rows, 4).
        alternating: Each image every second time, beginning at random (Jordan 2024, "94% on CIFAR-10 in 3.29
            Seconds on a Single GPU", arXiv:2404.00498, section 3.6); else at random each time.
    """
    turned: Any = drawn[:, DRAWN - 1 if alternating else 0]
    return ops.where(_per_row(turned < 0.5), ops.flip(images, axis=2), images)


@component
def translate(images: Any, drawn: Any, *, most: Count = 2) -> Any:
    """Moved by up to `most` whole pixels along both axes; what comes in is the image's reflection."""
    for axis in (1, 2):
        steps: Any = ops.floor(drawn[:, axis - 1] * (2 * most + 1))
        images = _moved(images, steps - most, axis)
    return images


@component
def turn(images: Any, drawn: Any, *, angle: Degrees = 15.0, zoom: Portion = 0.1) -> Any:
    """Turned about the centre by up to `angle` degrees, enlarged or shrunk by up to the factor 1 + `zoom`.

    Between pixels it is interpolated linearly; beyond the border the nearest pixel is repeated.
    """
    return _sampled(images, *_turned(images, drawn, angle, zoom))


def _turned(images: Any, drawn: Any, angle: float, zoom: float) -> tuple[Any, Any]:
    """Where in the image each pixel of the turned one lies, (rows, height, width) down and right."""
    height, width = int(images.shape[1]), int(images.shape[2])
    radians: Any = (2.0 * drawn[:, 0] - 1.0) * np.float32(np.deg2rad(angle))
    scale: Any = ops.exp((2.0 * drawn[:, 1] - 1.0) * np.float32(np.log1p(zoom)))
    cosine: Any = ops.reshape(ops.cos(radians) * scale, (-1, 1, 1))
    sine: Any = ops.reshape(ops.sin(radians) * scale, (-1, 1, 1))
    down: Any = (_places(height) - (height - 1) / 2)[:, None]
    right: Any = (_places(width) - (width - 1) / 2)[None, :]
    y: Any = cosine * down - sine * right + (height - 1) / 2
    x: Any = sine * down + cosine * right + (width - 1) / 2
    return y, x


@component
def cutout(images: Any, drawn: Any, *, side: Portion = 0.3) -> Any:
    """A square, wholly or partly inside, replaced by the image's mean colour.

    DeVries & Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout",
    arXiv:1708.04552.

    Args:
        images: The images.
        drawn: (rows, 4).
        side: Of the square, as a share of the shorter side of the image.
    """
    height, width = int(images.shape[1]), int(images.shape[2])
    half = side * min(height, width) / 2
    down: Any = ops.abs(_places(height) + 0.5 - drawn[:, :1] * height)
    right: Any = ops.abs(_places(width) + 0.5 - drawn[:, 1:2] * width)
    covered = ops.logical_and(down[:, :, None, None] < half, right[:, None, :, None] < half)
    middle = ops.mean(ops.cast(images, "float32"), axis=(1, 2), keepdims=True)
    return ops.where(covered, _levels(middle, images.dtype), images)


@component
def light(images: Any, drawn: Any, *, brightness: Portion = 0.14, contrast: Portion = 0.13) -> Any:
    """Brighter or darker by up to a share of the whole range, with more or less contrast."""
    values: Any = ops.cast(images, "float32")
    middle: Any = ops.mean(values, axis=(1, 2, 3), keepdims=True)
    lifted = _per_row(2.0 * drawn[:, 0] - 1.0) * (brightness * _BRIGHTEST)
    stretched = 1.0 + contrast * _per_row(2.0 * drawn[:, 1] - 1.0)
    return _levels(middle + lifted + (values - middle) * stretched, images.dtype)


def augmented(augment: Sequence[Part], inputs: Any, drawn: Any) -> Any:
    """All images among the inputs of a batch, each augmentation in its turn.

    Args:
        augment: The augmentations.
        inputs: Arrays, rows first; those with four axes are images, the others stay.
        drawn: (rows, 4 per augmentation), as `draws` gives them.
    """
    leaves = keras.tree.flatten(inputs)
    for place, one in enumerate(augment):
        own = drawn[:, place * DRAWN : (place + 1) * DRAWN]
        leaves = [
            one.component(leaf, own, **one.metaparameters) if _is_image(leaf) else leaf for leaf in leaves
        ]
    return keras.tree.pack_sequence_as(inputs, leaves)


def moved(augment: Sequence[Part], targets: tuple[Any, ...], drawn: Any) -> tuple[Any, ...]:
    """The masks among the targets of a batch, moved as their images are; what is only lit otherwise stays.

    Args:
        augment: The augmentations.
        targets: Arrays, rows first; those with three axes are masks, the others stay.
        drawn: As for `augmented`.
    """
    found = list(targets)
    for place, one in enumerate(augment):
        move = _OF_MASKS.get(one.component)
        own = drawn[:, place * DRAWN : (place + 1) * DRAWN]
        for number, target in enumerate(found):
            if move is not None and len(target.shape) == 3:
                mask = ops.expand_dims(target, -1)
                found[number] = ops.squeeze(move(mask, own, **one.metaparameters), -1)
    return tuple(found)


def previews(
    augments: Sequence[Sequence[Part]], images: np.ndarray, *, seed: int, epochs: int
) -> list[list[np.ndarray]]:
    """What some epochs would show of images: for each of several ways to augment, one array per epoch.

    Args:
        augments: The ways.
        images: (rows, height, width, channels) of uint8.
        seed: As of an instance.
        epochs: How many.
    """
    order = np.arange(len(images))[None, :]
    given = keras.Input(images.shape[1:], dtype="uint8")
    numbers = [keras.Input((DRAWN * len(one),)) for one in augments]
    outputs = [_Augmented(one)(given, drawn) for one, drawn in zip(augments, numbers, strict=True)]
    model = keras.Model([given, *numbers], outputs)  # one program for all, instead of one per operation
    found = [[] for _ in augments]
    for epoch in range(epochs):
        drawn = [draws(one, order, seed=seed, epoch=epoch, first=0)[0] for one in augments]
        said = keras.tree.flatten(model.predict_on_batch([images, *drawn]))
        for each, shown in zip(found, said, strict=True):
            each.append(np.asarray(shown))
    return found


class _Augmented(keras.layers.Layer):
    """`augmented` as a layer."""

    def __init__(self, augment: Sequence[Part]) -> None:
        super().__init__()
        self.augment = augment

    def call(self, images: Any, drawn: Any) -> Any:
        """Images as they come out, alike in shape and type."""
        return augmented(self.augment, images, drawn)

    def compute_output_spec(self, images: Any, drawn: Any) -> Any:  # noqa: ARG002 (Keras's names)
        """That of the images."""
        return keras.KerasTensor(images.shape, images.dtype)


def check_images(model: keras.Model) -> None:
    """Whether there is anything to augment.

    Raises:
        ConfigError: If the model takes no images.
    """
    shapes = [tuple(one.shape) for one in model.inputs]
    if not any(len(shape) == 4 for shape in shapes):
        raise ConfigError(
            "Images are augmented, (rows, height, width, channels).",
            received=f"a model that takes {', '.join(map(str, shapes))}",
            remedy="leave `augment` empty",
        )


def draws(augment: Sequence[Part], order: np.ndarray, *, seed: int, epoch: int, first: int) -> np.ndarray:
    """The numbers that decide, for some steps of an epoch.

    Args:
        augment: The augmentations.
        order: (steps, rows of a step) row numbers.
        seed: Of the instance.
        epoch: Its number.
        first: The number of the first of these steps.

    Returns:
        (steps, rows, 4 per augmentation) of float32.
    """
    rng = np.random.default_rng((derive(seed, "augment"), epoch, first))
    found = rng.random((*order.shape, len(augment), DRAWN), dtype="float32")
    own = np.random.default_rng(derive(seed, "augment", "rows")).random(int(order.max(initial=0)) + 1)
    found[..., -1] = ((own[order] + 0.5 * epoch) % 1.0)[..., None]
    return np.minimum(found, np.float32(1 - 2**-24)).reshape(*order.shape, -1)


def _is_image(leaf: Any) -> bool:
    return len(leaf.shape) == 4


def _places(size: int) -> Any:
    return ops.arange(size, dtype="float32")


def _per_row(values: Any) -> Any:
    """One value for all of an image."""
    return ops.reshape(values, (-1, 1, 1, 1))


def _levels(values: Any, dtype: Any) -> Any:
    """Values as levels of a type: within the range, whole where the type is."""
    kind = keras.backend.standardize_dtype(dtype)
    values = ops.clip(values, 0.0, _BRIGHTEST)
    return ops.cast(values if "float" in kind else ops.round(values), kind)


def _moved(images: Any, steps: Any, axis: int) -> Any:
    size = int(images.shape[axis])
    inside: Any = ops.abs(_places(size)[None, :] + ops.reshape(steps, (-1, 1)))
    beyond: Any = ops.abs((size - 1) - inside)
    places: Any = (size - 1) - beyond  # reflected at both ends
    places = ops.cast(ops.clip(places, 0, size - 1), "int32")
    shape = (-1, size, 1, 1) if axis == 1 else (-1, 1, size, 1)
    return ops.take_along_axis(images, ops.broadcast_to(ops.reshape(places, shape), ops.shape(images)), axis)


def _sampled(images: Any, y: Any, x: Any) -> Any:
    """The images at places between pixels, (rows, height, width) each."""
    height, width, channels = (int(size) for size in images.shape[1:])
    flat = ops.reshape(images, (-1, height * width, channels))
    total: Any = 0.0
    for row, vertical in _neighbours(y, height):
        for column, horizontal in _neighbours(x, width):
            place = ops.cast(ops.reshape(row * width + column, (-1, height * width, 1)), "int32")
            corner = ops.take_along_axis(flat, ops.broadcast_to(place, ops.shape(flat)), 1)
            share: Any = ops.reshape(vertical * horizontal, (-1, height * width, 1))
            total = total + share * ops.cast(corner, "float32")
    return _levels(ops.reshape(total, ops.shape(images)), images.dtype)


def _turned_mask(mask: Any, drawn: Any, *, angle: float = 15.0, zoom: float = 0.1) -> Any:
    """As `turn`; between pixels the nearest one is taken, for there is no class between two."""
    height, width = int(mask.shape[1]), int(mask.shape[2])
    y, x = _turned(mask, drawn, angle, zoom)
    rows: Any = ops.round(ops.clip(y, 0, height - 1))
    columns: Any = ops.round(ops.clip(x, 0, width - 1))
    place = ops.cast(ops.reshape(rows * width + columns, (-1, height * width, 1)), "int32")
    flat = ops.reshape(mask, (-1, height * width, 1))
    return ops.reshape(ops.take_along_axis(flat, place, 1), ops.shape(mask))


_OF_MASKS = {flip: flip, translate: translate, turn: _turned_mask}  # those that move anything


def _neighbours(places: Any, size: int) -> list[tuple[Any, Any]]:
    """The whole places on both sides, and their shares."""
    places = ops.clip(places, 0, size - 1)
    before: Any = ops.floor(places)
    share: Any = places - before
    return [(before, 1.0 - share), (ops.minimum(before + 1, size - 1), share)]
