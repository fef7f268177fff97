"""What may be done to images of a fit: measured on its own rows, and told."""

from __future__ import annotations

from collections.abc import Callable

from composable.auto.masks import head_of_masks
from composable.auto.prepare import Prepared
from composable.design import Part
from composable.search.label_preserving import doubtful, label_preserving
from composable.search.mask_candidates import moving
from composable.search.table import Pixels

_MANY = 5000  # images to measure on


def measured_augmentations(
    prepared: Prepared, pixels: Pixels, *, seed: int, tell: Callable[[str], None]
) -> tuple[Part, ...]:
    """Those that preserve the labels, as far as a quick measurement on training rows shows."""
    material = prepared.material
    if head_of_masks(material.problem):
        return tuple(moving(pixels))
    train = prepared.split.rotations[0].train
    asked = doubtful(pixels, len(train))
    train = train[:: max(1, len(train) // _MANY)]  # they may lie in a file
    images, labels = material.inputs["images"][train], material.targets[0][train]
    evidence = list(label_preserving(asked, material.problem.heads[0], images, labels, seed=seed))
    for kept, meaning in (
        (True, "preserve labels, so training may use them"),
        (False, "may not: left out"),
    ):
        each = [f"{e.name} ({e.change:+.0%} ± {e.spread:.0%})" for e in evidence if e.kept is kept]
        if each:
            measured = "in brackets the change in a quick model's error that learns from them as well"
            tell(f"Images {', '.join(each)} {meaning}; {measured}.")
    return tuple(one.part for one in evidence if one.kept)
