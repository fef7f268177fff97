"""From data to material: read, understand, check, split and encode, each choice noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from composable.auto.divide import check_rows, divide, notify_of_shared
from composable.auto.image_shapes import with_image_shapes
from composable.auto.large_table import check_whole_file, read_sample, sampled_file
from composable.auto.options import FitOptions, refuse_foreign
from composable.auto.pretrained_source import PretrainedSource
from composable.auto.sample_weight import balanced, weights_of
from composable.core.errors import ConfigError, DataError
from composable.core.records import from_json
from composable.data.encoding import (
    Encoding,
    encode,
    fit_encoding,
    known_encoding,
    training_notices,
)
from composable.data.images.column import have_images
from composable.data.infer import apply_schema, check_dropped, check_targets, infer_schema
from composable.data.kinds import kind_reading
from composable.data.profile import share_known
from composable.data.read import read_table
from composable.data.schema import SCHEMA_VERSION, Column, Notice, Schema
from composable.data.split import Split
from composable.data.table import Table
from composable.problem.leaks import check_leaks
from composable.problem.masks import asks_for_masks, find_masks, images_alone, painted, understand_masks
from composable.problem.problem import Problem
from composable.problem.targets import encode_targets, have_targets, understand
from composable.training.candidate import Material

Notify = Callable[[Notice], None]


@dataclass(frozen=True, eq=False)
class Understood:
    """A table whose columns and question are known.

    Attributes:
        table: Without the rows that have no target or no weight.
        schema: Of its columns.
        problem: The problem that the targets pose.
        weights: A weight per row of `table`, with a mean of one; None where all count alike.
        strata: By what the rows are dealt out, (rows, 1), where the target itself can't decide it: masks.
        own_test: The user's own test file as it was read; None where there is none.
    """

    table: Table
    schema: Schema
    problem: Problem
    weights: np.ndarray | None = None
    strata: np.ndarray | None = None
    own_test: Table | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything training needs, and what the bundle must remember."""

    understood: Understood
    split: Split
    encoding: Encoding
    material: Material
    own_test: Table | None
    own_targets: tuple[np.ndarray, ...]


def read(data: Any, options: FitOptions) -> Table:
    """The data as a table, read by the layout in the options; a sample where they are too large."""
    if (sample := read_sample(data, options)) is not None:
        return sample
    return read_table(data, encoding=options.encoding, delimiter=options.delimiter, decimal=options.decimal)


def completed(options: FitOptions, table: Table) -> FitOptions:
    """The options completed from the data themselves: the target, and which rows train and test.

    Raises:
        ConfigError: If neither options nor data name a target.
    """
    target = options.target or ((table.usual_target,) if table.usual_target else ())
    if not target:
        raise ConfigError(
            "A fit needs to know what to predict.",
            received=f"no target for {table.origin}",
            remedy="add --target COLUMN; `composable inspect` lists the columns",
        )
    divided = options.split == "auto" and table.part is not None
    return replace(options, target=target, split=f"column:{table.part}" if divided else options.split)


def understand_table(
    table: Table,
    options: FitOptions,
    notify: Notify,
    sample_weight: np.ndarray | None = None,
    test: Any = None,
) -> Understood:
    """Find out which problem the targets pose.

    Args:
        table: As it was read.
        options: Completed.
        notify: Is called with a notice of each choice.
        sample_weight: A weight per row of the data, not negative; rows without weight are left out.
        test: Labeled rows of the user's own that no file holds, instead of `options.test`.

    Raises:
        DataError, ConfigError: If the data, the schema or the options don't fit together.
    """
    for notice in table.notices:
        notify(notice)
    check_targets(table, options.target)
    check_dropped(table, options.drop, options.target)
    schema = _schema(table, options, notify)
    refuse_foreign(options, _kinds(table, schema, options), table.origin)
    weights = weights_of(table, options.weight, sample_weight)
    masks = None
    if asks_for_masks(schema):
        schema = images_alone(schema, notify)
        masks = find_masks(table, schema, notify)
    answered = masks.kept if masks else have_targets(table, schema, notify, drop=options.drop_missing_target)
    kept = answered & have_images(table, schema, notify)
    if weights is not None:
        kept &= weights > 0
        weights = weights[kept]
    table = table.among(kept)
    counts = masks.among(kept) if masks else None
    problem = (
        understand(
            table.frame,
            schema,
            problem=options.problem,
            metric=options.metric,
            from_text=table.format is not None,
        )
        if counts is None
        else understand_masks(schema.targets[0].name, counts, metric=options.metric)
    )
    for notice in problem.notices:
        notify(notice)
    check_whole_file(table, schema, problem, options, notify)
    if not schema.features:
        raise DataError(
            "At least one column besides the target is needed to predict from.",
            received=f"{table.origin}: no usable column is left",
            remedy="look at `composable inspect`, and edit the schema if a column was dropped wrongly",
        )
    if options.class_weight == "balanced":
        weights = balanced(weights, table, schema, problem)
    if weights is not None:
        weights = (weights / weights.mean()).astype("float32")
    strata = None if counts is None else painted(counts)
    return Understood(
        table,
        schema,
        problem,
        weights,
        strata,
        _read_test(options.test if test is None else test, table, options),
    )


def prepare(
    understood: Understood, options: FitOptions, notify: Notify, origin: PretrainedSource | None = None
) -> Prepared:
    """Check for leaks and copies, divide the rows, encode them.

    Args:
        understood: What was read.
        options: Completed.
        notify: Is called with a notice of each choice.
        origin: What a fit begins from: rows are encoded as it knows them, where they have the same columns.

    Raises:
        DataError: If a column gives the target away, or the rows can't be divided as wanted.
    """
    table, schema, problem = understood.table, understood.schema, understood.problem
    # Where targets are maps, their size is known once the rows are divided; until then strata stand for them.
    early = () if understood.strata is not None else encode_targets(table, schema, problem)
    own = _own_test(understood, options, notify)
    split = divide(
        table,
        schema,
        early if understood.strata is None else (understood.strata,),
        options,
        notify,
        has_test=own is not None,
        costly=any(map(_is_costly, schema.features)),
    )
    if early:
        check_rows(split, problem, early)
    known = split.known
    encoding = fit_encoding(table.frame, schema, rows=known, sources=table.sources)
    encoding = with_image_shapes(encoding, table, options, origin)
    if origin is not None:
        _warn_of_known_rows(origin, table, own, notify)
    if origin is not None and origin.encoding is not None:
        encoding = known_encoding(encoding, origin.encoding) or encoding
    inputs = encode(table.frame, schema, encoding, sources=table.sources, origin=table.origin)
    targets = early or encode_targets(table, schema, problem, encoding)
    for notice in check_leaks(encoding, problem, inputs, targets, known, allow=options.allow_leaks):
        notify(notice)
    for notice in training_notices(encoding, inputs):
        notify(notice)
    own_inputs, own_targets = None, ()
    if own is not None:
        own_inputs = encode(own.frame, schema, encoding, sources=own.sources, origin=own.origin, strict=True)
        own_targets = encode_targets(own, schema, problem, encoding)
        notify_of_shared(table, own, schema, notify)
    material = Material(
        problem,
        inputs,
        targets,
        encoding.categories,
        understood.weights,
        own_inputs,
        encoding.vocabularies,
        sampled_file(table, schema, problem, options, encoding, split),
    )
    return Prepared(understood, split, encoding, material, own, own_targets)


def _warn_of_known_rows(origin: PretrainedSource, table: Table, own: Table | None, notify: Notify) -> None:
    """Warn if the network that a fit begins from has learned from rows that it will be scored by."""
    if origin.rows is None:
        return
    for scored in (table, own) if own else (table,):
        share = share_known(origin.rows, scored.frame)
        if share > 0:
            notify(
                Notice(
                    f"{origin.path} has learned from about {share:.0%} of the rows of {scored.origin}: "
                    "scores on them flatter a network that begins from it.",
                    "warning",
                    remedy="score it by rows of its own: --test FILE",
                )
            )


def leak_notices(understood: Understood, rows: np.ndarray, *, allow: bool) -> list[Notice]:
    """The columns that leak the target among these rows, but for costly ones; see `check_leaks`."""
    table, schema, problem = understood.table, understood.schema, understood.problem
    others = Schema(tuple(column for column in schema.columns if not _is_costly(column)))
    if not others.features:
        return []
    encoding = fit_encoding(table.frame, others, rows=rows)
    inputs = encode(table.frame, others, encoding, origin=table.origin)
    targets = encode_targets(table, schema, problem)
    leaks = check_leaks(encoding, problem, inputs, targets, rows, allow=allow)
    return [*leaks, *training_notices(encoding, inputs)]


def _is_costly(column: Column) -> bool:
    kind = kind_reading(column)
    return kind is not None and kind.is_costly


def _kinds(table: Table, schema: Schema, options: FitOptions) -> set[str]:
    """What kinds of columns there are, and whether anything is read from a text file."""
    text_file = table.format is not None or options.test is not None
    return {column.kind for column in schema.features} | ({"text file"} if text_file else set())


def _schema(table: Table, options: FitOptions, notify: Notify) -> Schema:
    if options.schema:
        try:
            text = Path(options.schema).read_text(encoding="utf-8")
        except OSError as missing:
            raise DataError(
                "The schema file must be readable.", received=f"{options.schema}: {missing}"
            ) from missing
        schema = from_json(Schema, text, format="schema", version=SCHEMA_VERSION, origin=options.schema)
        return _without(apply_schema(table, schema, options.target), options.weight)
    kind, _, name = options.split.partition(":")
    beside = (name if kind in ("group", "column") else None, options.weight)
    drop = (*options.drop, *(column for column in beside if column and column in table.frame))
    schema, notices = infer_schema(table, options.target, drop=drop, date_order=options.date_order)
    for notice in notices:
        notify(notice)
    return schema


def _without(schema: Schema, column: str | None) -> Schema:
    """The schema in which the model doesn't see a column."""
    return Schema(tuple(replace(c, role="drop") if c.name == column else c for c in schema.columns))


def _read_test(test: Any, table: Table, options: FitOptions) -> Table | None:
    """The user's own test rows; a file of them is laid out as the table is."""
    if test is None:
        return None
    return read_table(
        test,
        encoding=options.encoding,
        delimiter=options.delimiter or (table.format.delimiter if table.format else None),
        decimal=options.decimal or (table.format.decimal if table.format else None),
    )


def _own_test(understood: Understood, options: FitOptions, notify: Notify) -> Table | None:
    """The rows of the user's own test file that can be scored."""
    table = understood.own_test
    if table is None:
        return None
    check_targets(table, options.target)
    kept = have_targets(table, understood.schema, notify, drop=options.drop_missing_target)
    return replace(table, frame=table.frame[kept].reset_index(drop=True))
