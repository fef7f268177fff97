"""Images, read by the emitted client; an ONNX file takes their levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from composable.data.images.pixels import ImageShape, read_image
from composable.data.kinds.image import IMAGES, ImageBlock
from composable.data.schema import Schema
from composable.deploy.kinds.kind import DeployedKind, FileInput, Rows, Table, TypedRows, column_of
from composable.deploy.onnx_graph import Graph

_LEVELS = (
    "levels from 0 to 255: the image turned as its Exif orientation says, 16 bits cut to 8, transparency on "
    "white, in RGB (1 channel: gray, ITU-R 601), resized by a triangle filter with antialiasing (Pillow's "
    "BILINEAR; a JPEG may be decoded at a fraction of its size, at least twice as large as this), "
)
_SIDES = {True: "the ratio of the sides kept and gray (128) around", False: "the ratio of the sides not kept"}


def encoded_images(
    rows: Rows, blocks: Sequence[Table], columns: Mapping[str, Table]
) -> dict[str, np.ndarray]:
    """The images that the cells name, shape (rows, height, width, channels of all columns)."""
    made = []
    for block in blocks:
        shape = ImageShape(block["height"], block["width"], block["channels"], block["padded"])
        cells = column_of(rows, columns[block["column"]]["name"])
        made.append(np.stack([read_image(Path(cell), shape) for cell in cells]))
    return {IMAGES: np.concatenate(made, axis=-1)}


def _inputs(blocks: Sequence[ImageBlock]) -> tuple[FileInput, ...]:
    return tuple(
        FileInput(block.column, (block.column,), "uint8", block.shape, _LEVELS + _SIDES[block.padded])
        for block in blocks
    )


def _nodes(
    graph: Graph, blocks: Sequence[ImageBlock], schema: Schema, names: Sequence[str]
) -> dict[str, list[str]]:
    inputs = zip(blocks, names, strict=True)
    return {IMAGES: [graph.input(name, "uint8", block.shape) for block, name in inputs]}


def _feed(blocks: Sequence[ImageBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    return [np.asarray(rows[block.column]) for block in blocks]


IMAGE = DeployedKind(encoded_images, _inputs, _nodes, _feed)
