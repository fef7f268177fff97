"""Images beside their true and their predicted masks and what differs, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.report.facts import Facts
from composable.report.reading import number, objects, picture, shortened, text
from composable.report.section import Section
from composable.report.sections.images import augmented
from composable.report.words import fixed

MASKS = 24  # shown at most


@dataclass(frozen=True)
class ShownMask:
    """Pictures in base 64: the image, the true mask, the predicted one, the difference; and the words."""

    pictures: tuple[str, ...]
    title: str
    note: str


@dataclass(frozen=True)
class Masks:
    """The images with the least overlap first, and images with their augmented copies."""

    shown: tuple[ShownMask, ...]
    augmented: tuple[tuple[str, tuple[str, ...]], ...]


def masks(facts: Facts) -> Masks | None:
    """Those of `pictures.json` of which every picture is there; None where it isn't about masks."""
    found = facts.file("pictures")
    if "masks" not in found:
        return None
    shown = tuple(one for entry in objects(found.get("masks"))[:MASKS] if (one := _shown(entry)))
    return Masks(shown, augmented(found))


def _shown(entry: Mapping[str, Any]) -> ShownMask | None:
    pictures = tuple(picture(entry.get(key)) for key in ("picture", "observed", "predicted", "difference"))
    overlap = number(entry.get("mean_iou"))
    title = f"mean IoU {fixed(overlap, 2)}" if overlap is not None else ""
    return ShownMask(pictures, title, shortened(text(entry.get("name")), 60)) if all(pictures) else None


SECTION = Section("masks", "Masks", masks)
