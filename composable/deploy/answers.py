"""The model's outputs as a table: labels with their own types, probabilities under readable names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from composable.problem.kinds import kind_of
from composable.problem.problem import Label, Problem


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
            probabilities = kind_of(head).class_probabilities(head, output, position)
            if probabilities is None:
                columns[f"prediction{middle}"] = pd.Series(output[:, position].astype("float64"))
                continue
            codes = class_codes(probabilities, head.threshold(position))
            columns[f"prediction{middle}"] = restored(codes, head.labels)
            for number, word in enumerate(class_words(head.labels)):
                columns[f"p{middle}_{word}"] = pd.Series(probabilities[:, number])
    return pd.DataFrame(columns)


def class_codes(probabilities: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """The most probable class; of two the second from the threshold on, of more equal ones the first."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= threshold).astype("int64")
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
