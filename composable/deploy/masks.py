"""From the probabilities of every pixel to masks as large as the images that were predicted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from composable.data.encoding import encode
from composable.data.frames import column_of
from composable.data.images.column import cells_of
from composable.data.images.source import ImageSource, images_of
from composable.data.table import Table
from composable.engine.predict import predict
from composable.problem.problem import Head, Label

if TYPE_CHECKING:
    from composable.deploy.bundle import Bundle

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
