"""The model's outputs as a table: labels with their own types, probabilities under readable names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from composable.problem.problem import Head, Label, Problem


def answers(outputs: Sequence[np.ndarray], problem: Problem) -> pd.DataFrame:
    """`prediction` and, for classes, one `p_<class>` each; with several targets each name states the target.

    Args:
        outputs: One array per head, shape (rows, head.width).
        problem: The heads.

    Returns:
        As many rows as the outputs, in their order, under a 0..n-1 index.
    """
    columns: dict[str, pd.Series] = {}
    several = len(problem.targets) > 1
    for head, output in zip(problem.heads, outputs, strict=True):
        for position, target in enumerate(head.targets):
            middle = f"_{target}" if several else ""
            if head.kind == "regression":
                columns[f"prediction{middle}"] = pd.Series(output[:, 0].astype("float64"))
                continue
            probabilities = class_probabilities(output, head, position)
            columns[f"prediction{middle}"] = restored(class_codes(probabilities), head.labels)
            for number, word in enumerate(class_words(head.labels)):
                columns[f"p{middle}_{word}"] = pd.Series(probabilities[:, number])
    return pd.DataFrame(columns)


def class_probabilities(output: np.ndarray, head: Head, position: int) -> np.ndarray:
    """The probability of each class of the head's target at `position`, shape (rows, classes)."""
    if head.kind == "multiclass":
        return output.astype("float64")
    positive = output[:, position].astype("float64")
    return np.stack([1.0 - positive, positive], axis=1)


def class_codes(probabilities: np.ndarray) -> np.ndarray:
    """The most probable class; of two equal ones the second (0.5 counts as positive), of more the first."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= 0.5).astype("int64")
    return probabilities.argmax(axis=1)


def restored(codes: np.ndarray, labels: Sequence[Label]) -> pd.Series:
    """The labels at these codes, with the type they had in the training data."""
    mixed = len({type(label) for label in labels}) > 1
    return pd.Series(list(labels), dtype=object if mixed else None).take(codes).reset_index(drop=True)


def class_words(labels: Sequence[Label]) -> list[str]:
    """A text for each label, distinct even where two labels differ in type alone (1 and "1")."""
    words = [str(label) for label in labels]
    return [
        word if words.count(word) == 1 else repr(label) for word, label in zip(words, labels, strict=True)
    ]
