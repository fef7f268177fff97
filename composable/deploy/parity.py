"""Does an exported file answer as the bundle does? Run in onnxruntime alone, compared row by row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from composable.core.errors import ArtifactError
from composable.core.optional import optional
from composable.deploy.answers import class_words
from composable.deploy.bundle import Bundle
from composable.deploy.kinds import deployed_blocks
from composable.deploy.kinds.kind import Rows
from composable.deploy.onnx.back import Answer
from composable.deploy.onnx.export import named
from composable.engine.predict import predict

TOLERANCE = 1e-5  # on probabilities; on numbers in units of the target's standard deviation
_TIE = 2 * TOLERANCE  # classes nearer than this may swap


def check_parity(bundle: Bundle, path: Path, rows: Rows) -> None:
    """Compare the answers of the file and of the bundle to typed rows, see `composable.deploy.golden`.

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
    several = len(answers) > 1
    for answer in answers:
        middle = f"_{answer.target}" if several else ""
        prediction = expected[f"prediction{middle}"].to_numpy()
        if not answer.classes:
            deviation = bundle.card.target_deviations.get(answer.target) or float(np.std(prediction))
            # A float32 can't be closer than its own spacing.
            allowed = np.maximum(TOLERANCE * deviation, 4 * np.spacing(np.abs(prediction).astype("float32")))
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
            raise _refusal(answer.prediction, row, as_text[0][row], as_text[1][row])


def _clear(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Which rows' class a rounding error can't change."""
    if probabilities.shape[-1] == 2:
        return np.abs(probabilities[..., 1] - threshold) > _TIE / 2
    top = np.sort(probabilities, axis=-1)
    return top[..., -1] - top[..., -2] > _TIE


def _check_masks(bundle: Bundle, found: Mapping[str, np.ndarray], rows: Rows, answer: Answer) -> None:
    (image,) = bundle.card.encoding.blocks
    (expected,) = predict(bundle.model, {image.inputs[0].name: np.asarray(rows[image.column])})
    _compare(found[answer.probabilities], expected, TOLERANCE, answer.probabilities)
    levels = np.array(answer.classes)[expected.argmax(axis=-1)]
    clear = _clear(expected, answer.threshold)
    _compare(np.where(clear, found[answer.prediction], levels), levels, 0, answer.prediction)


def _compare(found: np.ndarray, expected: np.ndarray, allowed: Any, output: str) -> None:
    if found.shape != expected.shape:
        raise _refusal(output, 0, f"shape {found.shape}", f"shape {expected.shape}")
    wrong = ~(np.abs(found.astype("float64") - expected) <= allowed)
    if wrong.any():
        index = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise _refusal(output, int(index[0]), found[index], expected[index])


def _refusal(output: str, row: int, found: Any, expected: Any) -> ArtifactError:
    return ArtifactError(
        "An exported file must answer as the bundle does.",
        received=f"{output}, golden row {row + 1}: {found} from the file, {expected} from the bundle",
        remedy="export with --format keras, and report this",
    )
