"""`inspect`: what a table holds and which problem it poses, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.auto.options import DateOrder, ProblemKind, options_from
from composable.auto.prepare import completed, leak_notices, read, understand_table
from composable.data.infer import infer_schema
from composable.data.profile import profile
from composable.data.schema import Notice, Schema
from composable.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was found.

    Attributes:
        schema: The columns with kinds, roles and reasons; write it, edit it, pass it to `fit`.
        problem: The problem that the targets pose; None where no target was named.
        notices: Choices with the flags that overrule them, and warnings.
        profile: Ranges, histograms, missing values; see `profile.json` in docs/run-folder.md.
    """

    schema: Schema
    problem: Problem | None
    notices: tuple[Notice, ...]
    profile: dict[str, Any]


def inspect(  # noqa: PLR0913 (the public call states every option)
    data: Any,
    target: str | Sequence[str] = (),
    *,
    problem: ProblemKind | None = None,
    drop: str | Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    date_order: DateOrder | None = None,
) -> Inspection:
    """Look at a table without training; the options are those of `composable.fit`.

    Args:
        data: A path (CSV, TSV, Parquet), a pandas DataFrame, a NumPy array or a mapping of arrays.
        target: The column or columns to predict; without one only the columns are looked at.
        problem: Overrules the inferred kind of problem.
        drop: Columns to leave out.
        encoding: Of a text file, where the detected one is wrong.
        delimiter: Likewise.
        decimal: Likewise, the decimal separator.
        date_order: How 01/02/2024 is read.

    Raises:
        DataError: If the data can't be used as it is.
        ConfigError: If an option doesn't fit them.
    """
    notices: list[Notice] = []
    options = options_from(
        {
            "target": target,
            "problem": problem,
            "drop": drop,
            "encoding": encoding,
            "delimiter": delimiter,
            "decimal": decimal,
            "date_order": date_order,
            "drop_missing_target": True,
            "allow_leaks": True,  # shown here, refused by `fit`
        },
        origin="the call of inspect",
    )
    table = read(data, options)
    if not options.target and table.usual_target is None:
        schema, found = infer_schema(table, (), drop=options.drop, date_order=options.date_order)
        return Inspection(schema, None, (*table.notices, *found), profile(table, schema))
    understood = understand_table(table, completed(options, table), notices.append)
    rows = np.arange(len(understood.table.frame))
    notices += leak_notices(understood, rows, allow=True)
    return Inspection(
        understood.schema, understood.problem, tuple(notices), profile(understood.table, understood.schema)
    )
