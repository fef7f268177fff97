"""One ONNX file for everything: raw columns in, labels and probabilities out, in onnxruntime alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import keras

from composable.core.optional import optional
from composable.core.workspace import write_json
from composable.data.encoding import TEXTS
from composable.data.schema import DATE_ORIGIN
from composable.deploy.bundle import CARD, Bundle
from composable.deploy.onnx_back import Answer, named_answers, planned
from composable.deploy.onnx_front import raw_inputs
from composable.deploy.onnx_graph import Graph
from composable.deploy.onnx_names import safe_names
from composable.deploy.onnx_numeric import OPSET, write_numeric
from composable.deploy.onnx_pooling import with_plain_pooling
from composable.deploy.text_step import PRESTEP, text_step

MODEL, INPUTS = "model.onnx", "inputs.json"
ML_OPSET, IR_VERSION = 3, 9
IMAGES = (
    "levels from 0 to 255: the image turned as its Exif orientation says, 16 bits cut to 8, transparency on "
    "white, in RGB (1 channel: gray, ITU-R 601), resized by a triangle filter with antialiasing (Pillow's "
    "BILINEAR; a JPEG may be decoded at a fraction of its size, at least twice as large as this), "
)
_SIDES = {True: "the ratio of the sides kept and gray (128) around", False: "the ratio of the sides not kept"}
_KINDS = {
    "numbers": ("double", "a number; NaN where there is none"),
    "dates": (
        "double",
        f"days since {DATE_ORIGIN}, the time of day as the fraction; NaN where there is none",
    ),
    "categories": ("string", 'the value as it was written in the training data; "" where there is none'),
}


def write_onnx(bundle: Bundle, folder: Path) -> None:
    """Write `model.onnx` and `inputs.json`, which says what to feed it, into a folder.

    Where it takes texts, also the program that makes ids of them, and the card with their vocabulary.

    Raises:
        SetupError: If the converter isn't installed.
        ArtifactError: If the network has an operation that ONNX lacks.
    """
    onnx = optional("onnx", extra="onnx")
    with tempfile.TemporaryDirectory() as scratch:
        numeric = Path(scratch) / "numeric.onnx"
        write_numeric(bundle, numeric)
        network = with_plain_pooling(onnx.load(str(numeric)))  # with its weights, which may lie beside it
    names, answers = names_of(bundle)
    model = _joined(bundle, network, names, answers)
    onnx.checker.check_model(model)
    (folder / MODEL).write_bytes(model.SerializeToString())
    write_json(folder / INPUTS, _description(bundle, names, answers))
    if bundle.card.encoding.texts:
        (folder / PRESTEP).write_text(text_step(), encoding="utf-8")
        (folder / CARD).write_bytes(bundle.files[CARD])


def names_of(bundle: Bundle) -> tuple[dict[str, str], tuple[Answer, ...]]:
    """The ONNX names of the columns, of the inputs of ids, and of the outputs, all different."""
    plain = planned(bundle.card.problem)
    outputs = safe_names(name for a in plain for name in (a.prediction, a.probabilities) if name)
    answers = tuple(
        Answer(a.target, outputs[a.prediction], outputs.get(a.probabilities, ""), a.classes) for a in plain
    )
    encoding = bundle.card.encoding
    ids = [name for name in encoding.widths if name in TEXTS]
    tables = (*encoding.numbers, *encoding.categories, *encoding.images)
    raw = [*(table.column for table in tables), *encoding.dates]
    columns = safe_names(raw, taken=[*outputs.values(), *ids])
    return columns | {name: name for name in ids}, answers


def _joined(bundle: Bundle, network: Any, names: dict[str, str], answers: tuple[Answer, ...]) -> Any:
    """The network between the tables in front and the labels behind."""
    onnx = optional("onnx", extra="onnx")
    network = onnx.compose.add_prefix(network, "network/")
    front, back = Graph("front"), Graph("back")
    feeds = raw_inputs(front, bundle.card.schema, bundle.card.encoding, names)
    flat = [tensor.name for tensor in keras.tree.flatten(bundle.model.input)]
    bridge = [
        onnx.helper.make_node("Identity", [feeds[name]], [value.name], name=f"bridge/{name}")
        for name, value in zip(flat, network.graph.input, strict=True)
    ]
    named_answers(back, bundle.card.problem, [value.name for value in network.graph.output], answers)
    graph = onnx.helper.make_graph(
        [*front.nodes, *bridge, *network.graph.node, *back.nodes],
        "composable",
        front.inputs,
        back.outputs,
        [*front.constants, *network.graph.initializer, *back.constants],
    )
    others = [opset for opset in network.opset_import if opset.domain not in ("", "ai.onnx.ml")]
    opsets = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET), *others]
    model = onnx.helper.make_model(
        graph,
        opset_imports=opsets,
        functions=network.functions,
        ir_version=IR_VERSION,
        producer_name="composable",
    )
    onnx.helper.set_model_props(model, {"composable": json.dumps(_description(bundle, names, answers))})
    return model


def _description(bundle: Bundle, names: dict[str, str], answers: tuple[Answer, ...]) -> dict[str, Any]:
    encoding = bundle.card.encoding
    columns = {
        "numbers": [number.column for number in encoding.numbers],
        "dates": list(encoding.dates),
        "categories": [table.column for table in encoding.categories],
    }
    inputs = [
        {
            "name": names[column],
            "column": column,
            "type": _KINDS[kind][0],
            "shape": ["rows", 1],
            "meaning": _KINDS[kind][1],
        }
        for kind, found in columns.items()
        for column in found
    ]
    inputs += [
        {
            "name": names[name],
            "columns": [table.column for table in encoding.texts if name in table.widths],
            "type": "int32",
            "shape": ["rows", width],
            "meaning": f"what `{name}` of {PRESTEP} gives for these columns",
        }
        for name, width in encoding.widths.items()
        if name in TEXTS
    ]
    outputs = [
        {
            "target": a.target,
            "prediction": a.prediction,
            "probabilities": a.probabilities or None,
            "classes": list(a.classes),
        }
        for a in answers
    ]
    inputs += [
        {
            "name": names[image.column],
            "column": image.column,
            "type": "uint8",
            "shape": ["rows", *image.shape],
            "meaning": IMAGES + _SIDES[image.padded],
        }
        for image in encoding.images
    ]
    return {"format": "composable.onnx/1", "inputs": inputs, "outputs": outputs}
