"""What may be done to images of a fit: as a user asks, or measured on its own rows, and told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from composable.auto.prepare import Prepared
from composable.design import Part
from composable.problem.kinds import answers_pixels
from composable.search.augmentations import augmented_as
from composable.search.label_preserving import doubtful, label_preserving
from composable.search.mask_candidates import moving
from composable.search.table import Pixels, Table

_MANY = 5000  # images to measure on


def with_augmentations(
    table: Table, prepared: Prepared, names: Sequence[str], *, seed: int, tell: Callable[[str], None]
) -> Table:
    """The table, with what may be done to its images.

    Args:
        table: Of these rows.
        prepared: The rows.
        names: What a user asks for; else it is measured.
        seed: For everything random.
        tell: Told what was measured.
    """
    if names:
        return augmented_as(table, names)
    if table.pixels is None:
        return table
    return replace(table, augment=_measured(prepared, table.pixels, seed=seed, tell=tell))


def _measured(
    prepared: Prepared, pixels: Pixels, *, seed: int, tell: Callable[[str], None]
) -> tuple[Part, ...]:
    """Those that preserve the labels, as far as a quick measurement on training rows shows."""
    material = prepared.material
    if answers_pixels(material.problem):
        return tuple(moving(pixels))
    train = prepared.split.folds[0].train
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
