"""What may be done to images while a network learns from them, by name: as a user wishes, or as measured.

Which augmentations leave the labels as they are is measured, not supposed: a mirrored digit is none, a
mirrored dress is one. Ridge regression on patches learns a sample of the training rows alone, then with
augmented copies of them as well, and predicts other rows, which are not augmented. Copies that keep their
labels teach it something or nothing; others mislead it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.data.kinds.image import IMAGES
from composable.design.part import Part
from composable.engine.augment import previews
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
from composable.modality.image.portfolio import images_of
from composable.modality.image.ridge import described, draw_patches, fit_ridge
from composable.modality.modality import Notify
from composable.problem.kinds import kind_of
from composable.problem.problem import Head
from composable.problem.scores import has_target
from composable.training.candidate import Material

_MIXUP, _CUTMIX = 0.2, 1.0  # of the beta distributions: those of their papers
_MEASURED = 1200  # looked at
_FEW = 5000  # images
_MANY = 5000  # images that the measured ones are drawn from
_CHEAP = {"flip": "mirrored", "translate": "moved"}
_COSTLY = {"rotate": "turned and zoomed", "light": "lit otherwise"}
_HELD_OUT = 3  # every third is held out
_PENALTY = 0.1
_NOISE = 1.0  # standard errors that the error may rise by and still be taken for none


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
    """The facts with images augmented as the user wishes.

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


@dataclass(frozen=True)
class Evidence:
    """What was measured of one augmentation.

    Attributes:
        name: Of the augmentation.
        part: Itself.
        change: Of the mean squared error, relative to that without it.
        spread: The standard error of `change`.
    """

    name: str
    part: Part
    change: float
    spread: float

    @property
    def kept(self) -> bool:
        """Whether the labels are preserved, as far as it shows."""
        return self.change <= _NOISE * self.spread


def _doubtful(images: Signal, rows: int) -> dict[str, Part]:
    """The augmentations that are measured, in the words of a report.

    Of many images a network learns more than of their altered copies: only those that cost little then.
    """
    measured = _CHEAP if rows >= _FEW else _CHEAP | _COSTLY
    known = augmentations(images)
    return {words: known[name] for name, words in measured.items()}


def measured_augmentations(
    facts: DataFacts,
    material: Material,
    train: np.ndarray,
    names: Sequence[str],
    seed: int,
    notify: Notify,
) -> DataFacts:
    """The facts with what may be done to images: as the user names it, else as it is measured.

    Args:
        facts: Says the size of the images.
        material: The rows.
        train: The numbers of the training rows.
        names: Those that a user wants.
        seed: The seed of the measurement.
        notify: Receives what was measured.
    """
    if names:
        return augmented_as(facts, names)
    doubted = _doubtful(images_of(facts), len(train))
    train = train[:: max(1, len(train) // _MANY)]  # they may lie in a file
    train = train[has_target(material.targets[0][train])]
    images, labels = material.inputs[IMAGES][train], material.targets[0][train]
    evidence = list(_label_preserving(doubted, material.problem.heads[0], images, labels, seed=seed))
    for kept, meaning in (
        (True, "preserve labels, so training may use them"),
        (False, "may not: left out"),
    ):
        each = [f"{e.name} ({e.change:+.0%} ± {e.spread:.0%})" for e in evidence if e.kept is kept]
        if each:
            measured = "in brackets the change in a quick model's error that learns from them as well"
            notify(f"Images {', '.join(each)} {meaning}; {measured}.")
    return replace(facts, augmentation=Augmentation(tuple(one.part for one in evidence if one.kept)))


def _label_preserving(
    tried: Mapping[str, Part], head: Head, images: np.ndarray, targets: np.ndarray, *, seed: int
) -> Iterator[Evidence]:
    """Measure each augmentation on training rows.

    Args:
        tried: By name.
        head: What is predicted.
        images: (rows, height, width, channels) of uint8, training rows alone.
        targets: (rows, width) as `encode_targets` gives them.
        seed: Of the rows that are looked at, and of the augmentation.
    """
    rows = np.random.default_rng(derive(seed, "label_preserving")).permutation(len(images))[:_MEASURED]
    images, wanted = images[rows], _wanted(head, targets[rows])
    held = np.arange(len(images)) % _HELD_OUT == 0
    patches = draw_patches(images[~held], derive(seed, "label_preserving", "patches"))
    of_held, of_others = described(images[held], patches), described(images[~held], patches)
    alone = _errors(of_others, wanted[~held], of_held, wanted[held])
    shown = previews([[part] for part in tried.values()], images[~held], seed=seed, epochs=2)
    for (name, part), each in zip(tried.items(), shown, strict=True):
        copies = [described(altered, patches) for altered in each]
        features = np.concatenate([of_others, *copies])
        with_them = _errors(
            features, np.concatenate([wanted[~held]] * (1 + len(copies))), of_held, wanted[held]
        )
        difference = (with_them - alone) / max(float(alone.mean()), 1e-12)
        spread = float(difference.std() / np.sqrt(len(difference)))
        yield Evidence(name, part, float(difference.mean()), spread)


def _wanted(head: Head, targets: np.ndarray) -> np.ndarray:
    kind = kind_of(head)
    if kind.activation == "softmax":
        return kind.indicators(head, targets)
    apart = (targets - np.nanmean(targets, axis=0)) / np.maximum(np.nanstd(targets, axis=0), 1e-9)
    return np.nan_to_num(apart).astype("float32")  # of a label that a row lacks the mean


def _errors(features: np.ndarray, wanted: np.ndarray, query: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """The squared error of each row of the query."""
    return ((fit_ridge(features, wanted, _PENALTY)(query) - observed) ** 2).sum(axis=1)
