"""`inspect`: what a table holds and which problem it poses, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from composable.auto.options import FitOptions
from composable.auto.prepare import completed, leak_notices, understand_table
from composable.core.records import validated
from composable.data.infer import infer_schema
from composable.data.profile import profile
from composable.data.read import read_table
from composable.data.schema import Notice, Schema
from composable.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was found.

    Attributes:
        schema: The columns with kinds, roles and reasons; write it, edit it, pass it to `fit`.
        problem: What the targets ask; None where no target was named.
        notices: Choices with the flags that overrule them, and warnings.
        profile: Ranges, histograms, missing values; see `profile.json` in docs/run-folder.md.
    """

    schema: Schema
    problem: Problem | None
    notices: tuple[Notice, ...]
    profile: dict[str, Any]


def inspect(  # noqa: PLR0913 (the public call states every option)
    data: Any,
    targets: str | Sequence[str] = (),
    *,
    problem: str | None = None,
    drop: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    date_order: Literal["day-first", "month-first"] | None = None,
) -> Inspection:
    """Look at a table without training.

    Args:
        data: A path (CSV, TSV, Parquet), a pandas DataFrame, a NumPy array or a mapping of arrays.
        targets: The column or columns to predict; without one only the columns are looked at.
        problem: Overrules the inferred kind of the targets.
        drop: Columns to leave out.
        encoding: Of a text file, where the detected one is wrong.
        delimiter: Likewise.
        decimal: Likewise, the decimal mark.
        date_order: How 01/02/2024 is read.

    Raises:
        DataError: If the data can't be used as it is.
    """
    notices: list[Notice] = []
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    table = read_table(data, encoding=encoding, delimiter=delimiter, decimal=decimal)
    if not targets and table.asked is None:
        schema, found = infer_schema(table, (), drop=tuple(drop), date_order=date_order)
        return Inspection(schema, None, (*table.notices, *found), profile(table, schema))
    options = validated(
        FitOptions,
        {
            "target": targets,
            "problem": problem,
            "drop": tuple(drop),
            "encoding": encoding,
            "delimiter": delimiter,
            "decimal": decimal,
            "date_order": date_order,
            "drop_missing_target": True,
            "allow_leaks": True,  # told here, refused by `fit`
        },
        origin="the call of inspect",
    )
    understood = understand_table(table, completed(options, table), notices.append)
    rows = np.arange(len(understood.table.frame))
    notices += leak_notices(understood, rows, allow=True)
    return Inspection(
        understood.schema, understood.problem, tuple(notices), profile(understood.table, understood.schema)
    )
