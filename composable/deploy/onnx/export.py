"""One ONNX file for everything: raw columns in, labels and probabilities out, in onnxruntime alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from composable.core.optional import optional
from composable.core.workspace import write_json
from composable.deploy.bundle import CARD, Bundle
from composable.deploy.card import BundleCard
from composable.deploy.kinds import deployed_blocks
from composable.deploy.kinds.kind import FileInput
from composable.deploy.onnx.back import Answer, named_answers, planned
from composable.deploy.onnx.graph import Graph, safe_names
from composable.deploy.onnx.numeric import OPSET, write_numeric
from composable.deploy.onnx.pooling import with_plain_pooling

MODEL, INPUTS = "model.onnx", "inputs.json"
ML_OPSET, IR_VERSION = 3, 9


def write_onnx(bundle: Bundle, folder: Path) -> None:
    """Write `model.onnx` and `inputs.json`, which describes what to feed it, into a folder.

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
    inputs, answers = named(bundle)
    description = _description(inputs, answers)
    model = _joined(bundle, network, inputs, answers)
    onnx.helper.set_model_props(model, {"composable": json.dumps(description)})
    onnx.checker.check_model(model)
    (folder / MODEL).write_bytes(model.SerializeToString())
    write_json(folder / INPUTS, description)
    for name, kind, _ in deployed_blocks(bundle.card.encoding):
        if kind.program is not None:
            (folder / f"{name}s.py").write_text(kind.program(), encoding="utf-8")
            (folder / CARD).write_bytes(bundle.files[CARD])


def named(bundle: Bundle) -> tuple[dict[str, tuple[FileInput, ...]], tuple[Answer, ...]]:
    """What the file takes for the columns of each kind, and what it gives, under names that all differ."""
    plain = planned(bundle.card.problem)
    outputs = safe_names(name for a in plain for name in (a.prediction, a.probabilities) if name)
    answers = tuple(
        replace(a, prediction=outputs[a.prediction], probabilities=outputs.get(a.probabilities, ""))
        for a in plain
    )
    inputs = {name: kind.inputs(blocks) for name, kind, blocks in deployed_blocks(bundle.card.encoding)}
    every = [one for each in inputs.values() for one in each]
    whole = [one.name for one in every if one.whole]
    columns = safe_names([one.name for one in every if not one.whole], taken=[*outputs.values(), *whole])
    return {
        kind: tuple(one if one.whole else replace(one, name=columns[one.name]) for one in each)
        for kind, each in inputs.items()
    }, answers


def _joined(
    bundle: Bundle, network: Any, inputs: Mapping[str, tuple[FileInput, ...]], answers: tuple[Answer, ...]
) -> Any:
    """The network between the tables in front and the labels behind."""
    onnx = optional("onnx", extra="onnx")
    network = onnx.compose.add_prefix(network, "network/")
    front, back = Graph("front"), Graph("back")
    feeds = _feeds(front, bundle.card, inputs)
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
    return onnx.helper.make_model(
        graph,
        opset_imports=opsets,
        functions=network.functions,
        ir_version=IR_VERSION,
        producer_name="composable",
    )


def _feeds(graph: Graph, card: BundleCard, inputs: Mapping[str, tuple[FileInput, ...]]) -> dict[str, str]:
    """In front of the network: adds what the file takes, and gives the values of the model's inputs."""
    feeds = {}
    for name, kind, blocks in deployed_blocks(card.encoding):
        for model_input, parts in kind.nodes(
            graph, blocks, card.schema, [one.name for one in inputs[name]]
        ).items():
            feeds[model_input] = parts[0] if len(parts) == 1 else graph.add("Concat", parts, axis=-1)
    return feeds


def _description(inputs: Mapping[str, tuple[FileInput, ...]], answers: tuple[Answer, ...]) -> dict[str, Any]:
    entries = [
        {
            "name": one.name,
            **({"columns": list(one.columns)} if one.whole else {"column": one.columns[0]}),
            "type": one.type,
            "shape": ["rows", *one.shape],
            "meaning": one.meaning,
        }
        for each in inputs.values()
        for one in each
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
    return {"format": "composable.onnx/1", "inputs": entries, "outputs": outputs}
