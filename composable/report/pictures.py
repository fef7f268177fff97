"""Where a model of images errs, as pictures: the worst errors, what training showed, altered copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.report.facts import Facts
from composable.report.masks import ShownMask, shown_masks
from composable.report.picture_text import picture_text
from composable.report.reading import number, objects, sequence, shortened, text
from composable.report.words import counted, figure, metric_name, percent

ERRORS, CLOSE, EXAMPLES, VARIANTS = 24, 12, 8, 12  # shown at most


@dataclass(frozen=True)
class Shown:
    """A picture in base 64, its saliency map ("" where there is none), and the words."""

    picture: str
    saliency: str
    title: str
    note: str


@dataclass(frozen=True)
class Pictures:
    """The section.

    Attributes:
        errors: The most confident ones.
        close: Answers that are right by the least.
        examples: Images with their augmented copies.
        altered: Pairs of how images were altered, and the score on them.
        measure: What the score is.
        better: Whether "lower" or "higher" is better.
        altered_images: How many images were altered.
        masks: Images with the least overlap, where every pixel was asked about.
    """

    errors: tuple[Shown, ...]
    close: tuple[Shown, ...]
    examples: tuple[tuple[str, tuple[str, ...]], ...]
    altered: tuple[tuple[str, str], ...]
    measure: str
    better: str
    altered_images: str
    masks: tuple[ShownMask, ...] = ()


def pictures(facts: Facts) -> Pictures | None:
    """The section of a model of images; None for others."""
    found = facts.pictures
    if not found:
        return None
    errors = [_shown(entry) for entry in objects(found.get("errors"))[:ERRORS]]
    close = [_shown(entry) for entry in objects(found.get("close"))[:CLOSE]]
    examples = [
        (picture, tuple(filter(None, map(picture_text, sequence(entry.get("variants"))[:VARIANTS]))))
        for entry in objects(found.get("augmented"))[:EXAMPLES]
        if (picture := picture_text(entry.get("picture")))
    ]
    altered = [
        (text(entry.get("alteration"), 40), percent(value) if shares else figure(value))
        for entry in objects(found.get("altered"))
        for shares in [text(entry.get("metric")) == "accuracy"]
        if (value := number(entry.get("value"))) is not None
    ]
    metrics = [text(entry.get("metric"), 30) for entry in objects(found.get("altered"))]
    rows = [number(entry.get("rows")) for entry in objects(found.get("altered"))]
    return Pictures(
        tuple(filter(None, errors)),
        tuple(filter(None, close)),
        tuple(examples),
        tuple(altered),
        metric_name(metrics[0]) if metrics else "",
        "lower" if metrics and metrics[0] == "mae" else "higher",
        counted(int(rows[0]), "image") if rows and rows[0] else "some images",
        shown_masks(found),
    )


def _shown(entry: Mapping[str, Any]) -> Shown | None:
    picture = picture_text(entry.get("picture"))
    if not picture:
        return None
    chance = number(entry.get("probability"))
    sure = f" ({percent(chance)})" if chance is not None else ""
    title = f"{_value(entry.get('predicted'))}{sure}, is {_value(entry.get('observed'))}"
    return Shown(picture, picture_text(entry.get("saliency")), title, shortened(text(entry.get("name")), 60))


def _value(value: object) -> str:
    found = number(value)
    return figure(found) if found is not None else shortened(text(value), 30)
