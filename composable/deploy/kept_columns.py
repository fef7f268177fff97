"""Columns of the query rows that stand beside the answers, so that each answer finds its row again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from composable.core.errors import ConfigError
from composable.data.names import did_you_mean, listed, shown
from composable.data.schema import Notice
from composable.data.table import Table
from composable.deploy.card import BundleCard


def kept_columns(table: Table, names: Sequence[str]) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """The columns as they were read, with warnings where they name several rows alike.

    Raises:
        ConfigError: If one isn't there, or is named twice; names the nearest.
    """
    there = list(table.frame.columns)
    for name in names:
        if name not in there:
            raise ConfigError(
                "A column that is kept beside the predictions must be in the table.",
                received=f"{table.origin} has no column {shown(name)}",
                remedy=did_you_mean(name, there),
            )
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
