"""Where a model of images errs, as pictures: the worst errors, augmented images, altered copies.

Images with masks stand beside their true and their predicted masks and what differs, the worst first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.report.facts import Facts
from composable.report.reading import number, objects, picture, sequence, shortened, text
from composable.report.section import Section
from composable.report.words import counted, figure, fixed, metric_name, percent

ERRORS, CLOSE, EXAMPLES, VARIANTS, MOST_MASKS = 24, 12, 8, 12, 24  # shown at most


@dataclass(frozen=True)
class Shown:
    """A picture in base 64, its saliency map ("" where there is none), and the words."""

    picture: str
    saliency: str
    title: str
    note: str


@dataclass(frozen=True)
class Images:
    """The section.

    Attributes:
        greatest: Whether the errors are of numbers, the greatest first, rather than of classes.
        errors: The worst ones.
        close: Predictions that are right by the least.
        augmented: Images with their augmented copies.
        altered: Pairs of how images were altered, and the score on them.
        measure: What that score is.
        better: Whether "lower" or "higher" is better.
        rows: How many images were altered.
    """

    greatest: bool
    errors: tuple[Shown, ...]
    close: tuple[Shown, ...]
    augmented: tuple[tuple[str, tuple[str, ...]], ...]
    altered: tuple[tuple[str, str], ...]
    measure: str
    better: str
    rows: str


def images(facts: Facts) -> Images | None:
    """What `pictures.json` says of errors; None where there is none, or it is about masks."""
    found = facts.file("pictures")
    if not found or "masks" in found:
        return None
    altered = objects(found.get("altered"))
    metrics = [text(entry.get("metric"), 30) for entry in altered]
    metric = metrics[0] if metrics else ""
    rows = [number(entry.get("rows")) for entry in altered]
    return Images(
        greatest=metric == "mae",
        errors=tuple(filter(None, map(_shown, objects(found.get("errors"))[:ERRORS]))),
        close=tuple(filter(None, map(_shown, objects(found.get("close"))[:CLOSE]))),
        augmented=augmented(found),
        altered=tuple(
            (text(entry.get("alteration"), 40), percent(value) if metric == "accuracy" else figure(value))
            for entry in altered
            if (value := number(entry.get("value"))) is not None
        ),
        measure=metric_name(metric) if metric else "",
        better="lower" if metric == "mae" else "higher",
        rows=counted(int(rows[0]), "image") if rows and rows[0] else "some images",
    )


def augmented(found: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Images with their augmented copies."""
    return tuple(
        (shown, tuple(filter(None, map(picture, sequence(entry.get("variants"))[:VARIANTS]))))
        for entry in objects(found.get("augmented"))[:EXAMPLES]
        if (shown := picture(entry.get("picture")))
    )


def _shown(entry: Mapping[str, Any]) -> Shown | None:
    shown = picture(entry.get("picture"))
    if not shown:
        return None
    chance = number(entry.get("probability"))
    sure = f" ({percent(chance)})" if chance is not None else ""
    title = f"predicted {_value(entry.get('predicted'))}{sure}, observed {_value(entry.get('observed'))}"
    return Shown(shown, picture(entry.get("saliency")), title, shortened(text(entry.get("name")), 60))


def _value(value: object) -> str:
    found = number(value)
    return figure(found) if found is not None else shortened(text(value), 30)


IMAGES = Section("images", "Pictures", images)


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
    shown = tuple(one for entry in objects(found.get("masks"))[:MOST_MASKS] if (one := _shown_mask(entry)))
    return Masks(shown, augmented(found))


def _shown_mask(entry: Mapping[str, Any]) -> ShownMask | None:
    pictures = tuple(picture(entry.get(key)) for key in ("picture", "observed", "predicted", "difference"))
    overlap = number(entry.get("mean_iou"))
    title = f"mean IoU {fixed(overlap, 2)}" if overlap is not None else ""
    return ShownMask(pictures, title, shortened(text(entry.get("name")), 60)) if all(pictures) else None


MASKS = Section("masks", "Masks", masks)
