"""The client of a bundle in plain Python: its outputs to answers.

`composable.deploy.source` writes these functions into the programs that it emits, beside those of
`composable.deploy.kinds` that read raw cells. They do in plain Python what `composable.deploy.answers` does
for whole pandas columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from composable.data.images.pixels import image_facts
from composable.deploy.answers import class_codes, class_words
from composable.deploy.kinds.kind import Rows, Table, column_of
from composable.deploy.masks import class_shares, full_size, levels_at


def answers(outputs: Sequence[np.ndarray], heads: Sequence[Table]) -> dict[str, list[Any]]:
    """`prediction` and, for classes, `p_<class>`; with several targets `prediction_<target>` and so on."""
    columns = {}
    several = sum(len(head["targets"]) for head in heads) > 1
    for head, output in zip(heads, outputs, strict=True):
        for position, target in enumerate(head["targets"]):
            middle = f"_{target}" if several else ""
            found = output.astype("float64")
            if not head["labels"]:
                columns[f"prediction{middle}"] = found[:, 0].tolist()
                continue
            if found.shape[1] == len(head["targets"]):  # one probability says that of both classes
                found = np.stack([1.0 - found[:, position], found[:, position]], axis=1)
            threshold = head["thresholds"][position] if head["thresholds"] else 0.5
            codes = class_codes(found, threshold)
            columns[f"prediction{middle}"] = [head["labels"][code] for code in codes]
            for word, probabilities in zip(class_words(head["labels"]), found.T, strict=True):
                columns[f"p{middle}_{word}"] = probabilities.tolist()
    return columns


def mask_answers(outputs: Sequence[np.ndarray], tables: Table, rows: Rows) -> dict[str, list[Any]]:
    """`prediction`, the mask of each image as it was, (height, width) of uint8, and `share_<class>`."""
    (head,), (image,) = tables["problem"]["heads"], tables["encoding"]["blocks"]
    columns: dict[str, list[Any]] = {"prediction": []}
    columns |= {f"share_{label}": [] for label in head["labels"]}
    for cell, probabilities in zip(column_of(rows, image["column"]), outputs[0], strict=True):
        seen = image_facts(Path(cell))
        codes = full_size(probabilities, seen.height, seen.width)
        columns["prediction"].append(levels_at(codes, head["labels"]))
        for label, share in zip(head["labels"], class_shares(codes, len(head["labels"])), strict=True):
            columns[f"share_{label}"].append(float(share))
    return columns


def write_mask(mask: np.ndarray, path: str | Path) -> None:
    """Write a mask as a PNG file, in which the classes have the levels that the training masks had."""
    Image.fromarray(mask).save(path, "PNG")
