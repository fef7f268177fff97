"""The numeric network as an ONNX graph, converted by Keras on JAX (jax2onnx), here or in a child process.

On other backends than JAX a child process does it, since a backend can't be changed once Keras is imported.
`python -m composable.deploy.onnx.numeric BUNDLE FILE` is that child.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import keras

from composable.core.errors import ArtifactError, ComposableError
from composable.core.optional import optional
from composable.deploy.bundle import MODEL, Bundle, load_bundle
from composable.deploy.onnx.constants import with_float_constants
from composable.deploy.safe_load import model_from_bytes

OPSET = 20  # the first with StringSplit; onnxruntime 1.17 and later reads it
_SECONDS = 600


def write_numeric(bundle: Bundle, path: Path) -> None:
    """Write the network without its string tables; inputs and outputs as `bundle.model` has them.

    Raises:
        SetupError: If the converter isn't installed.
        ArtifactError: If the converter refuses the network; names the operation.
    """
    for module in ("onnx", "onnxruntime", "jax2onnx"):
        optional(module, extra="onnx")
    if keras.backend.backend() == "jax":
        content = with_float_constants(bundle.files[MODEL], MODEL)
        convert(model_from_bytes(content, MODEL), path)
    else:
        _in_child(bundle, path)


def convert(model: keras.Model, path: Path) -> None:
    """Convert on JAX, in this process.

    Raises:
        ArtifactError: Naming the operation that has no counterpart.
    """
    zeros = keras.tree.map_structure(
        lambda tensor: keras.ops.zeros((2, *tensor.shape[1:]), tensor.dtype), model.input
    )
    try:
        with _silence():
            model(zeros)  # Keras exports only models that were called
            model.export(path, format="onnx", verbose=False, opset_version=OPSET)
    except Exception as refused:  # the converter has no error type of its own
        raise ArtifactError(
            "Every operation of the network must have an ONNX counterpart.",
            received=f"{type(refused).__name__}: {str(refused)[:300]}",
            remedy="export with --format keras, or fit again without that layer",
        ) from refused


def _in_child(bundle: Bundle, path: Path) -> None:
    command = [sys.executable, "-m", "composable.deploy.onnx.numeric", str(bundle.origin), str(path)]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        failure = "" if done.returncode == 0 else done.stderr[-500:] or f"exit code {done.returncode}"
    except subprocess.TimeoutExpired:
        failure = f"no result after {_SECONDS} seconds"
    if failure:
        rule = "The network must convert to ONNX."
        raise ArtifactError(rule, received=failure, remedy="export with --format keras")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The converter prints and logs at length; nothing of it helps a user."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _main() -> int:
    folder, path = sys.argv[1:]
    try:
        write_numeric(load_bundle(folder), Path(path))
    except ComposableError as error:
        sys.stderr.write(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
