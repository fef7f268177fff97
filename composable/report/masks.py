"""Images beside their true and their predicted masks and what differs, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.report.picture_text import picture_text
from composable.report.reading import number, objects, shortened, text
from composable.report.words import fixed

MASKS = 24  # shown at most


@dataclass(frozen=True)
class ShownMask:
    """Pictures in base 64: the image, the true mask, the predicted one, the difference; and the words."""

    pictures: tuple[str, ...]
    title: str
    note: str


def shown_masks(found: Mapping[str, Any]) -> tuple[ShownMask, ...]:
    """Those of `pictures.json` of which every picture is there."""
    return tuple(one for entry in objects(found.get("masks"))[:MASKS] if (one := _shown(entry)))


def _shown(entry: Mapping[str, Any]) -> ShownMask | None:
    pictures = tuple(
        picture_text(entry.get(key)) for key in ("picture", "observed", "predicted", "difference")
    )
    overlap = number(entry.get("mean_iou"))
    title = f"mean IoU {fixed(overlap, 2)}" if overlap is not None else ""
    return ShownMask(pictures, title, shortened(text(entry.get("name")), 60)) if all(pictures) else None
