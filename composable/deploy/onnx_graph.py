"""A small hand for ONNX graphs: each call adds one node and gives the name of its value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from composable.core.packages import optional

_LENGTH = 60
_SAFE = re.compile(
    r"[\w](?:[\w .()%+-]{0,58}[\w.()%+-])?"
)  # no slash: names within the graph begin with `front/`, `back/`


class Graph:
    """Nodes, constants, inputs and outputs, gathered until `composable.deploy.onnx_export` joins them.

    Args:
        prefix: Begins every name, so that graphs can be joined.
    """

    def __init__(self, prefix: str) -> None:
        self._onnx = optional("onnx", extra="onnx")
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, kind: str, shape: Sequence[int] = (1,)) -> str:
        """What the file takes: of a type as ONNX calls it, and of shape (rows, *shape)."""
        element = getattr(self._onnx.TensorProto, kind.upper())
        self.inputs.append(self._onnx.helper.make_tensor_value_info(name, element, ["rows", *shape]))
        return name

    def output(self, name: str, value: str, element: int, shape: Sequence[int | str]) -> None:
        """Give `value` to the outside as `name`."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [value], [name], name=self._fresh()))
        self.outputs.append(self._onnx.helper.make_tensor_value_info(name, element, shape))

    def add(
        self, operator: str, inputs: Sequence[str], *, outputs: int = 1, domain: str = "", **attributes: Any
    ) -> str:
        """Apply an operator; the name of its first output."""
        name = self._fresh()
        results = [name, *(f"{name}.{extra}" for extra in range(1, outputs))]
        node = self._onnx.helper.make_node(
            operator, list(inputs), results, name=name, domain=domain, **attributes
        )
        self.nodes.append(node)
        return name

    def floats(self, values: Iterable[float]) -> str:
        """A constant vector of 32-bit floats."""
        return self._constant(self._onnx.TensorProto.FLOAT, list(values))

    def doubles(self, values: Iterable[float]) -> str:
        """A constant vector of 64-bit floats."""
        return self._constant(self._onnx.TensorProto.DOUBLE, list(values))

    def double(self, value: float) -> str:
        """A constant 64-bit float."""
        return self._constant(self._onnx.TensorProto.DOUBLE, [value], scalar=True)

    def integers(self, values: Iterable[int]) -> str:
        """A constant vector of 64-bit integers."""
        return self._constant(self._onnx.TensorProto.INT64, list(values))

    def integer(self, value: int) -> str:
        """A constant 64-bit integer."""
        return self._constant(self._onnx.TensorProto.INT64, [value], scalar=True)

    def labels(self, element: int, values: Iterable[Any]) -> str:
        """A constant vector of labels of this element type."""
        return self._constant(element, list(values))

    def _constant(self, element: int, values: list[Any], *, scalar: bool = False) -> str:
        name = self._fresh()
        if element == self._onnx.TensorProto.STRING:
            values = [str(value).encode() for value in values]
        shape = [] if scalar else [len(values)]
        self.constants.append(self._onnx.helper.make_tensor(name, element, shape, values))
        return name

    def _fresh(self) -> str:
        return f"{self.prefix}/{len(self.nodes) + len(self.constants)}"


def safe_names(names: Iterable[str], *, taken: Iterable[str] = ()) -> dict[str, str]:
    """A safe name for each of the names, each used once, none of them in `taken`."""
    used, safe = set(taken), {}
    for name in names:
        base = name if _SAFE.fullmatch(name) else re.sub(r"\W+", "_", name).strip("_")[:_LENGTH] or "column"
        candidate, number = base, 1
        while candidate in used:
            number += 1
            candidate = f"{base}_{number}"
        used.add(candidate)
        safe[name] = candidate
    return safe
