"""The only module that lets Keras read a model file, after everything in it was checked.

A `.keras` file is data here, never a program: the archive, the configuration and the weights are each held
against what Composable itself writes, before Keras sees a byte.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import cast

import keras

from composable.core.errors import ArtifactError
from composable.deploy.archive import TOTAL_BYTES, checked_members
from composable.deploy.weights import check_weights
from composable.design.deep_graphs import deep_graphs
from composable.design.keras_configuration import checked_config


def load_model(path: str | Path) -> keras.Model:
    """Load a `.keras` file, uncompiled, on the backend in use.

    Raises:
        ArtifactError: If it's another format, or holds anything but stock layers and their weights.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ArtifactError(
            "A model is loaded only from a .keras file: older formats can hold programs.",
            received=str(path),
            remedy="export it again with Composable, or save it with model.save('model.keras')",
        )
    if not path.is_file():
        raise ArtifactError("The model file must exist.", received=str(path), remedy="check the path")
    if path.stat().st_size > TOTAL_BYTES:
        raise ArtifactError(
            f"A model file has at most {TOTAL_BYTES} bytes.", received=f"{path}: {path.stat().st_size}"
        )
    return model_from_bytes(path.read_bytes(), str(path))


def check_model(content: bytes, origin: str) -> None:
    """Refuse the content of a `.keras` file that `load_model` would refuse.

    Raises:
        ArtifactError: Naming `origin`, the path within it, and what was found there.
    """
    members = checked_members(content, origin)
    config = checked_config(members["config.json"], origin)
    check_weights(members["model.weights.h5"], config, origin)


@deep_graphs()
def model_from_bytes(content: bytes, origin: str) -> keras.Model:
    """Load the content of a `.keras` file; what was checked is what is loaded.

    Raises:
        ArtifactError: As `load_model`.
    """
    check_model(content, origin)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.keras"
        copy.write_bytes(content)
        try:
            return cast(keras.Model, keras.saving.load_model(copy, compile=False, safe_mode=True))
        except (
            Exception
        ) as broken:  # Keras raises almost every type on a configuration that doesn't fit its weights
            raise ArtifactError(
                f"The model file must fit Keras {keras.__version__}.",
                received=f"{origin}: {type(broken).__name__}: {str(broken)[:300]}",
                remedy="load it with the Keras version named in its bundle.json",
            ) from broken
