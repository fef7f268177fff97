"""Behind the network: labels and probabilities by name, as the bundle's answers have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from composable.core.optional import optional
from composable.deploy.onnx.graph import Graph
from composable.problem.kinds import kind_of
from composable.problem.problem import Head, Label, Problem


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


def named_answers(graph: Graph, problem: Problem, values: Sequence[str], answers: Sequence[Answer]) -> None:
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
