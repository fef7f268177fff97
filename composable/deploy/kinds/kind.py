"""How columns of one kind are read outside the package: by the emitted client, and by an ONNX file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from composable.data.schema import Schema
from composable.deploy.onnx.graph import Graph

Rows = pd.DataFrame | Mapping[str, Any]


@dataclass(frozen=True)
class FileInput:
    """What an ONNX file takes.

    Attributes:
        name: What it is called: as its column, or as the model's input that it is.
        columns: The columns that it holds.
        type: The type of its values, as ONNX calls it.
        shape: The shape of one row.
        meaning: What the values are, for who feeds it.
        whole: Whether it is an input of the model as it is, of several columns, rather than one column.
    """

    name: str
    columns: tuple[str, ...]
    type: str
    shape: tuple[int, ...]
    meaning: str
    whole: bool = False


@dataclass(frozen=True)
class DeployedKind:
    """How the blocks of one kind of input are deployed.

    Attributes:
        client: Raw cells to the model's inputs in plain Python, emitted as source: takes the rows, the blocks
            and the columns of the schema as `bundle.json` has them, and gives the model's inputs.
        inputs: What an ONNX file takes for these blocks.
        nodes: Adds to a graph what makes the model's inputs of these, and gives the values by the model's
            input, to be put side by side; takes the graph, the blocks, the schema and the names of `inputs`.
        program: The program beside an ONNX file that makes what it takes of raw cells, where it doesn't take
            these themselves.
        feed: Typed rows, see `composable.deploy.golden`, as the file takes them, in the order of `inputs`.
    """

    client: Callable[[Mapping[str, Any], Sequence[Any], Mapping[str, Any]], dict[str, np.ndarray]]
    inputs: Callable[[Sequence[Any]], tuple[FileInput, ...]]
    nodes: Callable[[Graph, Sequence[Any], Schema, Sequence[str]], dict[str, list[str]]]
    feed: Callable[[Sequence[Any], Schema, Rows], list[np.ndarray]]
    program: Callable[[], str] | None = None
