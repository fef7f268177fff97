"""Rows shown a little different in every epoch, as `composable.engine.augmentations` can alter them.

What happens to a row is decided by numbers that are drawn on the host with the order of the rows, so all
backends show the same. They lie in [0, 1), (rows, 4) for each augmentation; the last of the four belongs to
the row and moves by a half from epoch to epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.part import Part
from composable.engine.augmentations import DRAWN, OF_MASKS, OF_SERIES


def augmented(augment: Sequence[Part], inputs: Any, drawn: Any) -> Any:
    """All images and series among the inputs of a batch, each augmentation in its turn.

    Args:
        augment: The augmentations.
        inputs: Arrays, rows first; those with four axes are images, with three series, the others stay.
        drawn: (rows, 4 per augmentation), as `draws` gives them.
    """
    leaves = keras.tree.flatten(inputs)
    for index, one in enumerate(augment):
        own = ops.convert_to_tensor(drawn[:, index * DRAWN : (index + 1) * DRAWN])
        leaves = [
            one.component(ops.convert_to_tensor(leaf), own, **one.metaparameters)
            if _fits(one, leaf)
            else leaf
            for leaf in leaves
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
    for index, one in enumerate(augment):
        move = OF_MASKS.get(one.component)
        own = drawn[:, index * DRAWN : (index + 1) * DRAWN]
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
    source = keras.Input(images.shape[1:], dtype="uint8")
    numbers = [keras.Input((DRAWN * len(one),)) for one in augments]
    outputs = [_Augmented(one)(source, drawn) for one, drawn in zip(augments, numbers, strict=True)]
    model = keras.Model([source, *numbers], outputs)  # one program for all, instead of one per operation
    found = [[] for _ in augments]
    for epoch in range(epochs):
        drawn = [draws(one, order, seed=seed, epoch=epoch, first=0)[0] for one in augments]
        altered = keras.tree.flatten(model.predict_on_batch([images, *drawn]))
        for each, shown in zip(found, altered, strict=True):
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
        ConfigError: If the model takes neither images nor series.
    """
    shapes = [tuple(one.shape) for one in model.inputs]
    if not any(len(shape) in (3, 4) for shape in shapes):
        raise ConfigError(
            "Images are augmented, (rows, height, width, channels), and series, (rows, steps, channels).",
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


def _fits(augmentation: Part, leaf: Any) -> bool:
    return len(leaf.shape) == (3 if augmentation.component in OF_SERIES else 4)
