"""One ONNX file for everything: raw columns in, labels and probabilities out, in onnxruntime alone.

In front of the network lie the nodes of `composable.deploy.kinds`, behind it those that give labels and
probabilities by name, as the bundle's answers have them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from composable.core.packages import optional
from composable.core.workspace import write_json
from composable.deploy.bundle import CARD, Bundle
from composable.deploy.card import BundleCard
from composable.deploy.kinds import deployed_blocks
from composable.deploy.kinds.kind import FileInput
from composable.deploy.onnx_graph import Graph, safe_names
from composable.deploy.onnx_numeric import OPSET, with_plain_pooling, write_numeric
from composable.problem.kinds import kind_of
from composable.problem.problem import Head, Label, Problem

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
    _named_answers(back, bundle.card.problem, [value.name for value in network.graph.output], answers)
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


@dataclass(frozen=True)
class Answer:
    """What the file gives for one target.

    Attributes:
        target: The target column.
        prediction: The output of shape (rows,): the label, or the number; of masks (rows, height, width).
        probabilities: The output of shape (rows, classes); "" for a regression; of masks (rows, height,
            width, classes).
        classes: The order of the probabilities.
        threshold: Of two classes: the probability from which the second is predicted.
    """

    target: str
    prediction: str
    probabilities: str
    classes: tuple[Label, ...]
    threshold: float = 0.5


def planned(problem: Problem) -> tuple[Answer, ...]:
    """The outputs of the file: `prediction` and `probabilities`, with `_<target>` where there are several."""
    found = []
    several = len(problem.targets) > 1
    for head in problem.heads:
        for position, target in enumerate(head.targets):
            ending = f"_{target}" if several else ""
            probabilities = f"probabilities{ending}" if head.labels else ""
            found.append(
                Answer(target, f"prediction{ending}", probabilities, head.labels, head.threshold(position))
            )
    return tuple(found)


def _named_answers(graph: Graph, problem: Problem, values: Sequence[str], answers: Sequence[Answer]) -> None:
    """Add what lies between the model's outputs, one value per head, and the answers, one per target."""
    remaining = iter(answers)
    for head, value in zip(problem.heads, values, strict=True):
        for position in range(len(head.targets)):
            _answer(graph, head, value, position, next(remaining))


def _answer(graph: Graph, head: Head, value: str, position: int, answer: Answer) -> None:
    types = optional("onnx", extra="onnx").TensorProto
    if not head.labels:
        number = graph.add("Squeeze", [value, graph.integers([1])])
        graph.output(answer.prediction, number, types.FLOAT, ["rows"])
        return
    kind, element = kind_of(head), _element(head.labels)
    axes = ["rows", *kind.answer_axes]
    if kind.activation == "softmax":
        probabilities, code = value, graph.add("ArgMax", [value], axis=len(axes), keepdims=0)
    else:
        second = graph.add("Gather", [value, graph.integers([position])], axis=1)
        probabilities = graph.add("Concat", [graph.add("Sub", [graph.floats([1.0]), second]), second], axis=1)
        chosen = graph.add("GreaterOrEqual", [second, graph.floats([head.threshold(position)])])
        code = graph.add("Squeeze", [graph.add("Cast", [chosen], to=types.INT64), graph.integers([1])])
    label = graph.add("Gather", [graph.labels(element, head.labels), code])
    graph.output(answer.prediction, label, element, axes)
    graph.output(answer.probabilities, probabilities, types.FLOAT, [*axes, len(head.labels)])


def _element(labels: Sequence[Label]) -> int:
    """The ONNX type of the labels; labels of several types become text."""
    types = optional("onnx", extra="onnx").TensorProto
    kinds = {type(label) for label in labels}
    elements = {str: types.STRING, int: types.INT64, bool: types.BOOL, float: types.DOUBLE}
    return elements[kinds.pop()] if len(kinds) == 1 else types.STRING
