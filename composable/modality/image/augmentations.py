"""What may be done to images while a network learns from them, by name: measured, or as a user asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composable.core.errors import ConfigError
from composable.design.part import Part
from composable.engine.augmentations import (
    color,
    crop,
    cutout,
    flip,
    light,
    translate,
    turn,
)
from composable.engine.randaugment import randaugment
from composable.modality.facts import Augmentation, DataFacts, Signal
from composable.modality.image.designs import images_of

_MIXUP, _CUTMIX = 0.2, 1.0  # of the beta distributions: those of their papers


def augmentations(images: Signal) -> dict[str, Part]:
    """Those of single images, with strengths for images of this size."""
    side = min(images.sides)
    return {
        "flip": Part(flip),
        "translate": Part(translate, most=max(1, round(side / 16))),
        "crop": Part(crop),
        "rotate": Part(turn, angle=10.0, zoom=0.1),
        "light": Part(light),
        "color": Part(color),
        "randaugment": Part(randaugment),
        "cutout": Part(cutout),
    }


def augmented_as(facts: DataFacts, names: Sequence[str]) -> DataFacts:
    """The facts with images augmented as the user asks for.

    Raises:
        ConfigError: If a name isn't one for images, the names exclude each other, or CutMix would mix other
            columns.
    """
    chosen = set(names)
    for first, second in (("mixup", "cutmix"), *(("none", name) for name in chosen - {"none"})):
        if {first, second} <= chosen:
            raise ConfigError(
                f"{first} and {second} exclude each other.",
                received=f"--augment {' --augment '.join(names)}",
                remedy="choose one of them",
            )
    if "cutmix" in chosen and facts.widths:
        raise ConfigError(
            "CutMix mixes images; of a table with other columns it would mix half a row.",
            received=f"images beside {', '.join(facts.widths)}",
            remedy="--augment mixup mixes whole rows",
        )
    known = augmentations(images_of(facts))
    if others := chosen - {"none", "mixup", "cutmix", *known}:
        raise ConfigError(
            "This does not alter images.",
            received=f"--augment {' --augment '.join(sorted(others))}",
            remedy=f"choose among {', '.join(known)}, mixup and cutmix",
        )
    augmentation = Augmentation(
        parts=tuple(part for name, part in known.items() if name in chosen),
        chosen=True,
        mixup=_MIXUP if "mixup" in chosen else 0.0,
        cutmix=_CUTMIX if "cutmix" in chosen else 0.0,
    )
    return replace(facts, augmentation=augmentation)
