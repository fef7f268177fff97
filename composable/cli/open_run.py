"""Opening a run folder from the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from composable.core.backend import choose_backend

if TYPE_CHECKING:  # importing a run imports Keras, and the backend has to be chosen before
    from composable.auto.run import Run

_UNUSED = ("matplotlib", "sklearn")


def open_run(path: str, backend: str | None = None) -> Run:
    """The run in a folder, on the backend asked for.

    Raises:
        ArtifactError: If there is no run there.
        SetupError: If the backend isn't there.
    """
    choose_backend(backend)
    _import_keras()
    from composable.auto.run import Run

    return Run(path)


def _import_keras() -> None:
    """Without what Keras brings along for pictures and for scikit-learn, which takes longer than itself."""
    unused = [name for name in _UNUSED if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules |= dict.fromkeys(unused)  # None stands for a module that isn't installed
    try:
        import keras  # noqa: F401
    finally:
        for name in unused:
            del modules[name]
