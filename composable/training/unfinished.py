"""Why a training came to nothing, in words."""

from __future__ import annotations

from composable.engine.history import History


def why_nothing(history: History) -> str:
    """What kept a training from coming to any weights."""
    if (diverged := history.diverged) is not None:
        return (
            f"its loss stopped being a number in epoch {diverged.epoch + 1}, step {diverged.step + 1}, "
            f"at a learning rate of {diverged.learning_rate:.3g}"
        )
    return "the time limit came before its first epoch ended"
