"""Opening a run folder from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from composable.core.backend import choose_backend

if TYPE_CHECKING:  # importing a run imports Keras, and the backend has to be chosen before
    from composable.auto.run import Run


def open_run(path: str, backend: str | None = None) -> Run:
    """The run in a folder, on the backend asked for.

    Raises:
        ArtifactError: If there is no run there.
        SetupError: If the backend isn't there.
    """
    choose_backend(backend)
    from composable.auto.run import Run

    return Run(path)
