"""Export a bundle for others to run: with Keras alone, or with onnxruntime alone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from composable.core.errors import ConfigError
from composable.deploy.bundle import Bundle
from composable.deploy.onnx.export import INPUTS, MODEL, write_onnx
from composable.deploy.parity import check_parity, golden_rows, read_onnx
from composable.deploy.publish import whole_folder

Format = Literal["keras", "onnx"]

_KERAS = """\
A model by Composable: {name}, for {targets}.

With Composable (raw rows in, labels out):
    import composable
    composable.load("this folder").predict("new.csv")

With Keras alone (inputs {inputs} as bundle.json describes under `encoding`, any backend):
    import keras
    model = keras.saving.load_model("model.keras", compile=False)
    model.predict({{"numbers": ...}})
"""

_MASKS = """\
Masks come as large as the model's images: `prediction` has the levels, `probabilities` a share per class. For
masks as large as an image was, resize the probabilities of each class (linearly) and take the greatest.
"""
_ONNX = """\
A model by Composable: {name}, for {targets}. {inputs_file} lists its inputs and outputs.

    import numpy, onnxruntime
    session = onnxruntime.InferenceSession("{model_file}")
    # one array of shape (rows, 1) per column: float64 for numbers and dates, objects (str) for categories;
    # for texts int32 ids, which `texts.encoded(folder, rows)` gives (texts.py, where there are texts)
    session.run(None, {{"column": numpy.array([["value"]], dtype=object)}})

{masks}Missing values: NaN, or "". Dates: days since 2000-01-01.
Images: arrays of uint8 as {inputs_file} says; `composable source` writes the program that makes them
of files.
"""


def export(bundle: Bundle, format: Format, folder: str | Path) -> Path:
    """Write the bundle in another format, completely or not at all.

    Args:
        bundle: What to export.
        format: "keras" (the bundle itself, with a page on how to use it) or "onnx" (one file that takes raw
            columns).
        folder: Where to; new, empty, or an earlier export, which is replaced.

    Returns:
        The folder.

    Raises:
        ConfigError: If there is no such format.
        SetupError: If the exporter isn't installed.
        ArtifactError: If the network can't be expressed, the file answers otherwise than the bundle, or the
            folder holds something else.
    """
    folder = Path(folder)
    if format not in ("keras", "onnx"):
        raise ConfigError(
            "A model is exported as keras or onnx.", received=repr(format), remedy="--format keras"
        )
    targets = ", ".join(bundle.card.problem.targets)
    with whole_folder(folder) as partial:
        if format == "keras":
            for name, content in bundle.files.items():
                (partial / name).write_bytes(content)
            page = _KERAS.format(
                name=bundle.card.name, targets=targets, inputs=", ".join(bundle.card.encoding.shapes)
            )
        else:
            write_onnx(bundle, partial)
            read_onnx(partial / MODEL)
            check_parity(bundle, partial / MODEL, golden_rows(bundle.card))
            page = _ONNX.format(
                name=bundle.card.name,
                targets=targets,
                inputs_file=INPUTS,
                model_file=MODEL,
                masks=_MASKS if bundle.masked else "",
            )
        (partial / "README.txt").write_text(page, encoding="utf-8")
    return folder
