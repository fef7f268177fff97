"""Export a bundle for others to run: with Keras alone, or with onnxruntime alone.

An exported file must answer as the bundle does. It is run in onnxruntime alone and compared row by row, on
rows that try every branch of a bundle: known, respelled, unseen and missing values, far-out numbers. They
are made from the card, so no row of anyone's data has to be kept. The file must hold all of its weights:
weights elsewhere could be any file of this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from composable.core.errors import ArtifactError, ConfigError
from composable.core.packages import optional
from composable.core.seeds import derive
from composable.deploy.answers import class_words
from composable.deploy.bundle import Bundle
from composable.deploy.card import BundleCard
from composable.deploy.kinds import deployed_blocks
from composable.deploy.kinds.kind import TypedRows
from composable.deploy.onnx_export import INPUTS, MODEL, Answer, named, write_onnx
from composable.deploy.publish import whole_folder
from composable.engine.predict import predict

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
TOLERANCE = 1e-5  # on probabilities; on numbers in units of the target's standard deviation
_LARGEST = 1e30  # far from where a float32 overflows
_MOST_UNSURE = 5e-5  # in the same units: what rounding may excuse
_TIE = 2 * TOLERANCE  # classes nearer than this may swap
_GOLDEN_ROWS = 64
_FILE_BYTES = 2 * 2**30


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


def check_parity(bundle: Bundle, path: Path, rows: TypedRows) -> None:
    """Compare the answers of the file and of the bundle to typed rows, see `golden_rows`.

    Args:
        bundle: The bundle.
        path: Of the file.
        rows: A frame, or columns by name, those of images as arrays.

    Raises:
        ArtifactError: Naming the first row and output that differ, with both values.
    """
    runtime = optional("onnxruntime", extra="onnx")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entries, answers = named(bundle)
    card, feed = bundle.card, dict[str, np.ndarray]()
    for name, kind, blocks in deployed_blocks(card.encoding):
        own = [entry.name for entry in entries[name]]
        feed |= dict(zip(own, kind.feed(blocks, card.schema, rows), strict=True))
    outputs = [output.name for output in session.get_outputs()]
    found = dict(zip(outputs, session.run(outputs, feed), strict=True))
    if bundle.masked:
        _check_masks(bundle, found, rows, answers[0])
        return
    expected = bundle.predict(rows)
    nudged = expected if all(answer.classes for answer in answers) else bundle.predict(_nudged(rows))
    several = len(answers) > 1
    for answer in answers:
        middle = f"_{answer.target}" if several else ""
        prediction = expected[f"prediction{middle}"].to_numpy()
        if not answer.classes:
            deviation = bundle.card.target_deviations.get(answer.target) or float(np.std(prediction))
            # A float32 can't be closer than its own spacing, nor two answers than the rounding of both.
            unsure = 2 * np.abs(nudged[f"prediction{middle}"].to_numpy() - prediction).max()
            unsure = float(np.clip(unsure, TOLERANCE * deviation, _MOST_UNSURE * deviation))
            allowed = np.maximum(unsure, 4 * np.spacing(np.abs(prediction).astype("float32")))
            _compare(found[answer.prediction], prediction, allowed, answer.prediction)
            continue
        columns = [f"p{middle}_{word}" for word in class_words(answer.classes)]
        probabilities = expected[columns].to_numpy()
        _compare(found[answer.probabilities], probabilities, TOLERANCE, answer.probabilities)
        clear = _clear(probabilities, answer.threshold)
        as_text = [str(label) for label in found[answer.prediction]], [str(label) for label in prediction]
        differs = clear & (np.array(as_text[0]) != np.array(as_text[1]))
        if differs.any():
            row = int(differs.argmax())
            raise _differs(answer.prediction, row, as_text[0][row], as_text[1][row])


def _nudged(rows: TypedRows) -> dict[str, Any]:
    """The rows with each number the next float32, away from zero, which the model can hardly tell from it."""
    found = {str(name): rows[name] for name in rows}
    for name, values in found.items():
        if isinstance(values, pd.Series) and values.dtype.kind == "f":
            larger = values + np.spacing(values.to_numpy().clip(-_LARGEST, _LARGEST).astype("float32"))
            found[name] = larger.where(values.abs() < _LARGEST, values)
    return found


def _clear(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Which rows' class a rounding error can't change."""
    if probabilities.shape[-1] == 2:
        return np.abs(probabilities[..., 1] - threshold) > _TIE / 2
    top = np.sort(probabilities, axis=-1)
    return top[..., -1] - top[..., -2] > _TIE


def _check_masks(bundle: Bundle, found: Mapping[str, np.ndarray], rows: TypedRows, answer: Answer) -> None:
    (image,) = bundle.card.encoding.blocks
    (expected,) = predict(bundle.model, {image.inputs[0].name: np.asarray(rows[image.column])})
    _compare(found[answer.probabilities], expected, TOLERANCE, answer.probabilities)
    levels = np.array(answer.classes)[expected.argmax(axis=-1)]
    clear = _clear(expected, answer.threshold)
    _compare(np.where(clear, found[answer.prediction], levels), levels, 0, answer.prediction)


def _compare(found: np.ndarray, expected: np.ndarray, allowed: Any, output: str) -> None:
    if found.shape != expected.shape:
        raise _differs(output, 0, f"shape {found.shape}", f"shape {expected.shape}")
    wrong = ~(np.abs(found.astype("float64") - expected) <= allowed)
    if wrong.any():
        index = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise _differs(output, int(index[0]), found[index], expected[index])


def _differs(output: str, row: int, found: Any, expected: Any) -> ArtifactError:
    return ArtifactError(
        "An exported file must answer as the bundle does.",
        received=f"{output}, golden row {row + 1}: {found} from the file, {expected} from the bundle",
        remedy="export with --format keras, and report this",
    )


def golden_rows(card: BundleCard, *, rows: int = _GOLDEN_ROWS) -> dict[str, pd.Series | np.ndarray]:
    """Typed cells by column: numbers as float64, dates as datetime64, texts or None, images as arrays.

    The last three rows: everything missing, everything unseen and beyond the ranges, and farther yet.
    """
    columns: dict[str, pd.Series | np.ndarray] = {}
    for block in card.encoding.blocks:
        if block.column not in columns:  # some are read as categories and as texts
            random = np.random.default_rng(derive(0, "golden", block.column))
            column = card.schema.column(block.column)
            made = block.golden(column, rows, random)
            if not column.members:
                columns[block.column] = made
            for index, name in enumerate(column.members):
                columns[name] = pd.Series(made[:, index, 0])
    return columns


def read_onnx(path: Path) -> Any:
    """The file as an `onnx.ModelProto`; nothing beside the file is opened.

    Raises:
        ArtifactError: If it's no ONNX file, or any tensor of it lies elsewhere.
    """
    onnx = optional("onnx", extra="onnx")
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _FILE_BYTES:
        raise _not_whole(path, f"no plain file of at most {_FILE_BYTES} bytes")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except Exception as broken:  # protobuf's DecodeError has no stable home
        raise _not_whole(path, f"no readable ONNX ({broken})") from broken
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise _not_whole(path, f"the tensor {tensor.name[:100]!r} lies in another file")
    return model


def _tensors(model: Any) -> Iterator[Any]:
    graphs = [model.graph, *model.functions, *(info.algorithm for info in model.training_info)]
    graphs += [info.initialization for info in model.training_info]
    while graphs:
        graph = graphs.pop()
        yield from getattr(graph, "initializer", ())
        for sparse in getattr(graph, "sparse_initializer", ()):
            yield from (sparse.values, sparse.indices)
        for attribute in (
            *getattr(graph, "attribute_proto", ()),
            *(a for node in graph.node for a in node.attribute),
        ):
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            graphs += [inner for inner in (attribute.g, *attribute.graphs) if inner.node or inner.initializer]


def _not_whole(path: Path, found: str) -> ArtifactError:
    return ArtifactError(
        "An ONNX file must hold all of its weights itself.",
        received=f"{path}: {found}",
        remedy="export it again with Composable, or without external data",
    )
