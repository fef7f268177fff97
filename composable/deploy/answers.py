"""The model's outputs as a table: labels with their own types, probabilities under readable names.

Columns of the query rows may stand beside them, so that each answer finds its row again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError
from composable.data.names import listed, require_column
from composable.data.schema import Notice
from composable.data.table import Table
from composable.deploy.card import BundleCard
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


def kept_columns(table: Table, names: Sequence[str]) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """The columns as they were read, with warnings where they name several rows alike.

    Raises:
        ConfigError: If one isn't there, or is named twice; names the nearest.
    """
    there = list(table.frame.columns)
    for name in names:
        rule = "A column that is kept beside the predictions must be in the table."
        require_column(name, there, rule=rule, origin=table.origin)
    if len(set(names)) < len(names):
        raise ConfigError("Each column to keep may be named once.", received=listed(names))
    kept = table.frame.loc[:, list(names)]
    return kept, tuple(_warnings(kept))


def without_foreign(table: Table, names: Sequence[str], card: BundleCard) -> Table:
    """The table without those of the kept columns that the model doesn't know."""
    known = {name for column in card.schema.columns for name in column.table_columns}
    return replace(table, frame=table.frame.drop(columns=[name for name in names if name not in known]))


def beside(kept: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """The kept columns before the answers.

    Raises:
        ConfigError: If one is called as a column of the answers.
    """
    if twice := [name for name in kept.columns if name in answers.columns]:
        raise ConfigError(
            "A column that is kept must not be called as a column of the predictions.",
            received=listed(twice),
            remedy="rename it in the data",
        )
    if kept.empty and not len(kept.columns):
        return answers
    return pd.concat([kept.set_axis(answers.index), answers], axis="columns")


def _warnings(kept: pd.DataFrame) -> Iterator[Notice]:
    repeated = int(kept.duplicated(keep=False).sum()) if len(kept.columns) else 0
    if repeated:
        text = f"{repeated} of {len(kept)} rows share their value of {listed(kept.columns)} with another row."
        yield Notice(text, "warning", str(kept.columns[0]))
