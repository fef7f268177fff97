"""`trial.json`: its format, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from composable.core.errors import ArtifactError
from composable.core.workspace import read_json

TRIAL_FILE, FORMAT = "trial.json", "composable.trial/1"


def read_trial(path: Path, *, remedy: str) -> dict[str, Any]:
    """What a run wrote of one of its trials, see docs/run-folder.md.

    Raises:
        ArtifactError: Naming the file, if it is missing, damaged, or of another version; with this remedy.
    """
    facts = read_json(path, remedy=remedy)
    if facts.get("format") != FORMAT:
        raise ArtifactError(
            f"{TRIAL_FILE} must have the format {FORMAT!r}.",
            received=f"{path}: {facts.get('format')!r}",
            remedy=remedy,
        )
    return facts
