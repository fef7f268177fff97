"""From the model's outputs to answers: labels and probabilities as a table, masks as large as the images.

Labels have their own types, probabilities readable names, and columns of the query rows may stand beside
them, so that each answer finds its row again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from composable.core.errors import ConfigError
from composable.data.encoding import encode
from composable.data.frames import column_of
from composable.data.images.column import cells_of
from composable.data.images.source import ImageSource, images_of
from composable.data.names import listed, require_column
from composable.data.schema import Notice
from composable.data.table import Table
from composable.deploy.card import BundleCard
from composable.engine.predict import predict
from composable.problem.kinds import kind_of
from composable.problem.problem import Head, Label, Problem

if TYPE_CHECKING:
    from composable.deploy.bundle import Bundle


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


CHUNK = 64  # images that are decoded and predicted for at once
SIZES = (1, 16, CHUNK)


def full_size(probabilities: np.ndarray, height: int, width: int) -> np.ndarray:
    """The most probable class of each pixel of the image as it was, (height, width) of uint8.

    Between the model's pixels probabilities are interpolated linearly.

    Args:
        probabilities: (model's height, model's width, classes).
        height: Of the image.
        width: Of the image.
    """
    codes = np.zeros((height, width), np.uint8)
    highest = np.full((height, width), -1.0, np.float32)
    for code in range(probabilities.shape[-1]):
        plane = np.ascontiguousarray(probabilities[..., code], np.float32)
        if plane.shape != (height, width):
            plane = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        codes[plane > highest] = code
        highest = np.maximum(plane, highest)
    return codes


def levels_at(codes: np.ndarray, labels: Sequence[Label]) -> np.ndarray:
    """The levels of the classes, as masks were painted, (height, width) of uint8."""
    return np.array(labels, np.uint8)[codes]


def class_shares(codes: np.ndarray, classes: int) -> np.ndarray:
    """The share of the pixels that each class has, (classes,)."""
    return np.bincount(codes.ravel(), minlength=classes) / codes.size


def predicted_codes(bundle: Bundle, table: Table) -> Iterator[np.ndarray]:
    """The class of every pixel of each image of a table, at its own size.

    Raises:
        DataError: If an image is missing or can't be decoded.
    """
    card = bundle.card
    for chunk in chunks(table):
        inputs = encode(
            chunk, card.schema, card.encoding, sources=table.sources, origin=table.origin, strict=True
        )
        (outputs,) = predict(bundle.model, inputs, sizes=SIZES)
        for name, probabilities in zip(names_in(chunk, bundle), outputs, strict=True):
            yield full_size(probabilities, *pictured(bundle, images_of(table.sources)).size(name))


def chunks(table: Table) -> Iterator[pd.DataFrame]:
    """Some rows at a time, so that not all images are decoded at once."""
    for first in range(0, len(table.frame), CHUNK):
        yield table.frame.iloc[first : first + CHUNK]


def names_in(frame: pd.DataFrame, bundle: Bundle) -> list[str]:
    """The names of the images in these rows."""
    return cells_of(column_of(frame, bundle.card.encoding.blocks[0].column))


def pictured(bundle: Bundle, images: Mapping[str, ImageSource]) -> ImageSource:
    """Where the images of the model's column are."""
    return images[bundle.card.encoding.blocks[0].column]


def described(names: Sequence[str], codes: Sequence[np.ndarray], head: Head) -> pd.DataFrame:
    """`file` and `share_<level>`, the share of the pixels of each class, a row per image."""
    shares = np.array([class_shares(each, head.width) for each in codes]).reshape(-1, head.width)
    columns = {f"share_{label}": shares[:, index] for index, label in enumerate(head.labels)}
    return pd.DataFrame({"file": list(names), **columns})
