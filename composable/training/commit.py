"""The end of a stage: its last state and its outcome become visible together, once.

`commit` may be called again after a kill at any moment: the result that is visible first stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composable.core.errors import ArtifactError
from composable.core.workspace import sync_folder
from composable.training.generation import Generation, read_generation, write_generation
from composable.training.identity import Identity, check_identity
from composable.training.manifest import DamagedError
from composable.training.own_folder import partial_name, remove
from composable.training.state import State


@dataclass(frozen=True, eq=False)
class StageResult:
    """What a stage left: its last state and its outcome, as `outcome.json` has it."""

    state: State
    outcome: Mapping[str, Any]


def commit(folder: Path, result: StageResult, identity: Identity) -> bool:
    """Make a stage's result visible as `folder`, unless one is.

    Args:
        folder: Of the stage's result.
        result: The state, and the outcome as plain JSON (numbers that aren't finite become null).
        identity: Of the training.

    Returns:
        Whether it is this result that is visible now. If not, there was one, and it stays.

    Raises:
        ArtifactError: If something else lies at `folder`, or the result of another training.
        DiskFullError: With nothing visible.
        OSError: As the system raises it; likewise.
    """
    if committed(folder, identity, notice=lambda _: None) is not None:
        sync_folder(folder.parent)  # the kill may have come before the rename was there to last
        return False
    for path in (partial_name(folder), folder):
        if (path.exists() or path.is_symlink()) and not remove(path):
            raise ArtifactError(
                "A stage's result replaces nothing but a damaged one of its own.",
                received=f"{path}, which isn't Composable's",
                remedy="move it elsewhere",
            )
    write_generation(folder, Generation(result.state, identity, outcome=result.outcome))
    return True


def committed(folder: Path, identity: Identity, *, notice: Callable[[str], None]) -> StageResult | None:
    """The result of a stage that has ended; None if it has not, or, with a notice, if the result is damaged.

    Raises:
        ArtifactError: If it is the result of another training, naming the first difference.
    """
    if not folder.exists():
        return None
    try:
        generation = read_generation(folder)
    except DamagedError as broken:
        notice(f"A damaged result is skipped, its stage is done again: {broken.received}.")
        return None
    check_identity(generation.identity, identity, origin=str(folder))
    return StageResult(generation.state, generation.outcome or {})
