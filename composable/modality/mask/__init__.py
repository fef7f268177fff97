"""Masks: images in which every pixel has a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from composable.core.errors import ConfigError
from composable.explain.mask_errors import mask_errors
from composable.modality.facts import Augmentation, DataFacts
from composable.modality.image import IMAGE
from composable.modality.image.augmentations import augmented_as
from composable.modality.image.designs import images_of
from composable.modality.mask.pixels import LOGISTIC_ON_PIXELS
from composable.modality.mask.portfolio import candidates, moving
from composable.modality.modality import Notify
from composable.training.candidate import Material


def augment(
    facts: DataFacts,
    _material: Material,
    _train: np.ndarray,
    names: Sequence[str],
    _seed: int,
    _notify: Notify,
) -> DataFacts:
    """As the user asks by names; else what moves images and their masks together."""
    return (
        augmented_as(facts, names)
        if names
        else replace(facts, augmentation=Augmentation(tuple(moving(facts))))
    )


def check_design(model: Any, name: str, facts: DataFacts) -> None:
    """Refuse a design that doesn't give a class to every pixel.

    Raises:
        ConfigError: If its maps aren't as large as the images.
    """
    maps = tuple(keras.tree.flatten(model.output)[0].shape[1:-1])
    sides = images_of(facts).sides
    if maps != sides:
        raise ConfigError(
            "Masks are learned by a design that answers for every pixel.",
            received=f"{name} makes maps of {maps} from images of {sides}",
            remedy="a padded U-Net: --design unet_same",
        )


MASK = replace(
    IMAGE,
    name="mask",
    candidates=candidates,
    portfolio_size=lambda _facts: 1,
    baseline=LOGISTIC_ON_PIXELS,
    beside=lambda _facts, _seconds: (),
    augment=augment,
    worst_errors={"pictures.json": mask_errors},
    check_design=check_design,
    targets=frozenset({"mask"}),
)
