"""The only module that lets Keras read a model file, after everything in it was checked.

A `.keras` file is data here, never a program: the archive (exactly three plain members of a believable
size), the configuration and the weights are each held against what Composable itself writes, before Keras
sees a byte.
"""

from __future__ import annotations

import io
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import cast

import keras

from composable.core.errors import ArtifactError
from composable.deploy.weights import check_weights
from composable.design.graph import deep_graphs
from composable.design.keras_configuration import checked_config

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
TOTAL_BYTES = 2 * 2**30
EXPANSION = 100  # Keras stores members as they are; anything beyond this is a decompression bomb
SMALL = 2**20  # members below this can't hurt, however well they compress


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


def checked_members(content: bytes, origin: str) -> dict[str, bytes]:
    """The members of a `.keras` file, by name.

    Raises:
        ArtifactError: If it's no zip archive, or its members aren't exactly `MEMBERS` within the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive.infolist(), origin)
            return {name: archive.read(name) for name in MEMBERS}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError) as broken:
        if isinstance(broken, ArtifactError):
            raise
        raise _archive_refusal(origin, f"no readable archive ({broken})") from broken


def _check(members: list[zipfile.ZipInfo], origin: str) -> None:
    if len(members) != len(MEMBERS):
        raise _archive_refusal(origin, f"{len(members)} members")
    names = [member.filename for member in members]
    if odd := sorted(set(names) - set(MEMBERS)):
        raise _archive_refusal(origin, f"the member {odd[0][:100]!r}")
    if len(set(names)) != len(names):
        raise _archive_refusal(origin, "two members of one name")
    if sum(member.file_size for member in members) > TOTAL_BYTES:
        raise _archive_refusal(origin, f"more than {TOTAL_BYTES} bytes unpacked")
    for member in members:
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _archive_refusal(origin, f"{member.filename!r} is a link or a special file")
        if member.file_size > max(SMALL, EXPANSION * member.compress_size):
            raise _archive_refusal(
                origin, f"{member.filename!r} unpacks {member.compress_size} bytes to {member.file_size}"
            )


def _archive_refusal(origin: str, found: str) -> ArtifactError:
    return ArtifactError(
        f"A .keras file is a zip archive of exactly {', '.join(MEMBERS)}.",
        received=f"{origin}: {found}",
        remedy="load only files that Composable wrote and that nobody altered since",
    )
