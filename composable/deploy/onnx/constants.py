"""Whole numbers in float arithmetic, written as floats: jax2onnx 0.17 computes `x + 2` in double precision.

It promotes as NumPy does (float32 with int32 gives float64), where JAX and Keras stay with float32.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from composable.deploy.archive import checked_members
from composable.design.keras_configuration import walk

_ARITHMETIC = {
    *(
        "Add",
        "Subtract",
        "Multiply",
        "Divide",
        "TrueDivide",
        "FloorDivide",
        "Mod",
        "Power",
        "Maximum",
        "Minimum",
    ),
    *("Where", "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "Clip"),
}


def with_float_constants(content: bytes, origin: str) -> bytes:
    """The same `.keras` file, each whole number that meets a float tensor written as a float."""
    members = checked_members(content, origin)
    config = json.loads(members["config.json"])
    for _, value in walk(config, origin):
        if isinstance(value, dict) and value.get("class_name") in _ARITHMETIC:
            for node in value.get("inbound_nodes", ()):
                if any(map(_is_float_tensor, node["args"])):
                    node["args"] = [float(item) if type(item) is int else item for item in node["args"]]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, member in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, member)
    return stream.getvalue()


def _is_float_tensor(item: Any) -> bool:
    is_tensor = isinstance(item, dict) and item.get("class_name") == "__keras_tensor__"
    return is_tensor and str(item["config"]["dtype"]).startswith("float")
