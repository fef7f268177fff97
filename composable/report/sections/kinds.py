"""How each kind of input and of target is spoken of in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from composable.report.facts import HeadFacts

_CATEGORY = "A category that training never saw is read as “unknown”; predictions count them."
_MIX = "Probabilities hold for data with the same mix of classes as here; they change when the mix does."


@dataclass(frozen=True)
class InputWords:
    """A kind of input: how a model that reads one such column alone is introduced, and the kind's limits."""

    alone: str = ""
    limit: str = ""


@dataclass(frozen=True)
class TargetWords:
    """A kind of target.

    Attributes:
        answer: What is predicted; `{}` stands for the number of classes or labels.
        limit: What a reader should know of such predictions, or "".
        rows: What is given to `composable predict`.
        out: What it writes.
        method: Of the bundle, that gives predictions in Python.
    """

    answer: str
    limit: str = ""
    rows: str = "new.csv"
    out: str = "predictions.csv"
    method: str = "predict"


INPUTS: Mapping[str, InputWords] = {
    "category": InputWords(limit=_CATEGORY),
    "boolean": InputWords(limit=_CATEGORY),
    "text": InputWords(
        " from a text", "Words that no training text held are not read; what they mean is lost."
    ),
    "image": InputWords(" from an image"),
}
TARGETS: Mapping[str, TargetWords] = {
    "regression": TargetWords(
        "a number",
        "Predicted numbers stay within the range of the training targets: no new record is ever predicted.",
    ),
    "binary": TargetWords("one of two classes", _MIX),
    "multiclass": TargetWords("one of {} classes", _MIX),
    "multilabel": TargetWords("which of {} labels apply", _MIX),
    "mask": TargetWords("one of {} classes for every pixel", rows="images", out="masks", method="masks"),
}


def answer(head: HeadFacts) -> str:
    """What a head predicts: "a number", "one of 26 classes"."""
    return TARGETS.get(head.kind, TargetWords("a value")).answer.format(head.size or "several")
