"""The bundle: the one artifact to deploy. Raw rows in, labels with probabilities out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from composable.core.errors import ArtifactError, ConfigError, DataError
from composable.core.records import from_json, to_json
from composable.data.encoding import encode, query_notices
from composable.data.images.folder import IMAGE
from composable.data.names import listed
from composable.data.read import LAYOUT, Layout, read_table, table_parts
from composable.data.schema import Notice
from composable.data.table import Table
from composable.deploy.answers import (
    answers,
    beside,
    described,
    kept_columns,
    levels_at,
    names_in,
    predicted_codes,
    without_foreign,
)
from composable.deploy.card import BundleCard
from composable.deploy.kinds import encode_few, few_rows
from composable.deploy.publish import MANIFEST, located, read_verified, whole_folder
from composable.deploy.safe_load import check_model, model_from_bytes
from composable.engine.predict import SERVING_SIZES, predict
from composable.problem.kinds import answers_pixels

CARD, MODEL = "bundle.json", "model.keras"
LARGE = 64 * 2**20  # bytes of a file that is answered in parts
VERSION = 3  # of the format of `CARD`


@dataclass(frozen=True)
class Prediction:
    """Answers to rows.

    Attributes:
        frame: One row per query row, under its index, with the columns of `composable.deploy.answers`.
        notices: What the rows held that the training data didn't: unseen categories, values out of range,
            other columns.
        masks: Where every pixel is predicted: levels, (height, width) of uint8 per image, at its own size.
    """

    frame: pd.DataFrame
    notices: tuple[Notice, ...]
    masks: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model with all it takes to predict raw rows; reference client of the files that `save_bundle` writes.

    Attributes:
        card: The facts about the model in the bundle.
        origin: The folder it was read from.
        files: The verified content of that folder, so that what was verified is what is used.
    """

    card: BundleCard
    origin: Path
    files: Mapping[str, bytes] = field(repr=False)

    @cached_property
    def model(self) -> keras.Model:
        """The network, an ordinary `keras.Model`, loaded when first needed."""
        return model_from_bytes(self.files[MODEL], str(self.origin / MODEL))

    def predict(self, data: Any, *, ids: Sequence[str] = (), layout: Layout = LAYOUT) -> pd.DataFrame:
        """The answers to raw rows.

        Args:
            data: A path, a DataFrame or an array, as for the fit, or the cells of one row by their columns;
                columns may come in any order.
            ids: Columns of the data that are kept before the answers, such as the number of a customer.
            layout: How a text file is read, where what is detected is wrong.

        Returns:
            `prediction` and, for classes, `p_<class>`; with several targets `prediction_<target>` and
            `p_<target>_<class>`. For a folder of images, `file` comes first. Where every
            pixel is predicted, `file` and `share_<class>`; `masks` gives the masks themselves.
            `attrs["notices"]` lists in words what the rows held that the training data didn't.

        Raises:
            DataError: If a column is missing, or a value can't be read as its column's type.
            ConfigError: If a column to keep isn't there.
        """
        prediction = self.answer(data, ids=ids, layout=layout)
        prediction.frame.attrs["notices"] = [notice.text for notice in prediction.notices]
        return prediction.frame

    def masks(self, data: Any) -> list[np.ndarray]:
        """What every pixel of each image shows: levels as in the training masks, (height, width) of uint8.

        Args:
            data: As for `predict`.

        Raises:
            ConfigError: If the model answers something else.
            DataError: If an image is missing or can't be decoded.
        """
        if not self.masked:
            raise ConfigError(
                "Masks are given by a model that learned from masks.",
                received=f"a model for {', '.join(self.card.problem.targets)}",
                remedy="use predict",
            )
        return list(self.answer(data).masks)

    @property
    def masked(self) -> bool:
        """Whether the model answers for every pixel."""
        return answers_pixels(self.card.problem)

    def answer(self, data: Any, *, ids: Sequence[str] = (), layout: Layout = LAYOUT) -> Prediction:
        """As `predict`, with the notices as records."""
        if not ids and (found := self._answer_few(data)) is not None:
            return found
        return self._beside(read_table(data, allow_empty=True, **asdict(layout)), data, ids)

    def answer_parts(
        self, data: Any, *, ids: Sequence[str] = (), layout: Layout = LAYOUT
    ) -> Iterator[Prediction]:
        """As `answer`, of a large CSV or Parquet file part after part, so that it needn't fit into memory."""
        path = Path(data).expanduser() if isinstance(data, (str, PathLike)) else None
        if path is None or not path.is_file() or not self._is_large_table(path):
            yield self.answer(data, ids=ids, layout=layout)
            return
        for table in table_parts(path, layout):
            yield self._beside(table, data, ids)

    def _is_large_table(self, path: Path) -> bool:
        large = path.stat().st_size > LARGE and path.suffix.lower() != ".npz"
        return large and self._of_plain_cells

    def _beside(self, table: Table, data: Any, ids: Sequence[str]) -> Prediction:
        """The answers to a table, beside the columns that are kept of it."""
        kept, kept_notices = kept_columns(table, ids)
        prediction = self._answer(without_foreign(table, ids, self.card), data)
        frame = beside(kept, prediction.frame)
        return replace(prediction, frame=frame, notices=(*kept_notices, *prediction.notices))

    def _answer(self, table: Table, data: Any) -> Prediction:
        if self.masked:
            return self._masks(table)
        inputs = encode(
            table.frame,
            self.card.schema,
            self.card.encoding,
            sources=table.sources,
            origin=table.origin,
            strict=True,
        )
        frame = self._finite_answers(inputs, table.origin)
        if isinstance(data, pd.DataFrame) and len(data) == len(frame):
            frame.index = data.index
        if isinstance(data, (str, PathLike)) and IMAGE in table.sources:
            frame.insert(0, "file", table.frame[IMAGE])
        unusual = query_notices(self.card.encoding, inputs)
        return Prediction(frame, (*table.notices, *_unknown_columns(list(table.frame), self.card), *unusual))

    def _answer_few(self, data: Any) -> Prediction | None:
        """The answer to a few rows in memory, without the time that large tables are worth."""
        encoding = self.card.encoding
        if self.masked or not self._of_plain_cells:
            return None
        rows = few_rows(data, encoding.columns)
        inputs = None if rows is None else encode_few(rows, encoding, self._tables)
        if inputs is None:
            return None
        frame = self._finite_answers(inputs, type(data).__name__)
        if isinstance(data, pd.DataFrame):
            frame.index = data.index
        unknown = _unknown_columns(list(data), self.card)
        return Prediction(frame, (*unknown, *query_notices(encoding, inputs)))

    @cached_property
    def _of_plain_cells(self) -> bool:
        """Whether a cell is all that a column takes, rather than an image or other columns beside it."""
        encoding, columns = self.card.encoding, self.card.schema.columns
        return encoding.shapes.keys() == encoding.widths.keys() and not any(c.members for c in columns)

    @cached_property
    def _tables(self) -> dict[str, Any]:
        return json.loads(self.files[CARD])

    def _finite_answers(self, inputs: Mapping[str, np.ndarray], origin: str) -> pd.DataFrame:
        outputs = self.outputs(inputs)
        for output in outputs:
            if (bad := ~np.isfinite(output).all(axis=1)).any():
                raise DataError(
                    "The model gives a finite answer to every row.",
                    received=f"{origin}, row {int(bad.argmax()) + 1}: no finite answer",
                    remedy="correct that row, or leave it out",
                )
        return answers(outputs, self.card.problem)

    def _masks(self, table: Table) -> Prediction:
        (head,) = self.card.problem.heads
        _check_columns(table, self.card)
        codes = list(predicted_codes(self, table))
        frame = described(names_in(table.frame, self), codes, head)
        masks = tuple(levels_at(each, head.labels) for each in codes)
        return Prediction(frame, (*table.notices, *_unknown_columns(list(table.frame), self.card)), masks)

    def outputs(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The model's plain outputs, one array of shape (rows, width) per head.

        Args:
            inputs: The model's inputs by name, as `composable.data.encoding.encode` gives them.
        """
        return predict(self.model, inputs, sizes=SERVING_SIZES)


def _check_columns(table: Table, card: BundleCard) -> None:
    if missing := [name for name in card.encoding.columns if name not in table.sources]:
        raise DataError(
            "The rows need every column that the model was trained on.",
            received=f"{table.origin} lacks images in {listed(missing)}",
            remedy="name a folder of images, or a table whose column of that name holds their paths",
        )


def _unknown_columns(names: Sequence[str], card: BundleCard) -> Iterator[Notice]:
    """The columns that the model doesn't know."""
    known = {name for column in card.schema.columns for name in column.table_columns}
    if extra := [name for name in names if name not in known]:
        yield Notice(f"Columns that the model doesn't know were left out: {listed(extra)}.", "warning")


def save_bundle(folder: Path, model: keras.Model, card: BundleCard) -> None:
    """Write the bundle completely or not at all; one that is there stays until the new one is complete.

    Args:
        folder: Where to.
        model: A functional model of stock Keras layers and operations, models inside it uncompiled. Inputs:
            some of `numbers`, `dates`, `categories`, `words`, `ngrams`, `characters`, `images`; outputs: one
            per head (numbers in the target's unit, probabilities).
        card: All else.

    Raises:
        ArtifactError: If the model holds what `load_bundle` would refuse, or the folder holds something else.
    """
    with whole_folder(folder) as partial:
        model.save(partial / MODEL)
        check_model((partial / MODEL).read_bytes(), MODEL)
        (partial / CARD).write_text(to_json(card, format="bundle", version=VERSION), encoding="utf-8")


def file_bytes(model: keras.Model) -> int:
    """How many bytes a model takes as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL)
        model.save(path)
        return path.stat().st_size


def load_bundle(folder: str | Path) -> Bundle:
    """Open a bundle, or the bundle of a run folder, after every file of it was verified.

    Raises:
        ArtifactError: Naming the file that was altered, is missing or was added.
    """
    folder = Path(folder)
    if not (located(folder) / MANIFEST).exists() and (located(folder / "bundle") / MANIFEST).exists():
        folder = folder / "bundle"
    files = read_verified(folder)
    if missing := sorted({CARD, MODEL} - set(files)):
        raise ArtifactError(
            "A bundle holds a model and its card.",
            received=f"{folder}: no {missing[0]}",
            remedy="name a bundle's folder",
        )
    try:
        card = from_json(
            BundleCard, files[CARD].decode(), format="bundle", version=VERSION, origin=str(folder / CARD)
        )
    except (ConfigError, UnicodeDecodeError) as invalid:
        raise ArtifactError(
            "The bundle must be readable by this version.", received=str(invalid)
        ) from invalid
    return Bundle(card, folder, files)
