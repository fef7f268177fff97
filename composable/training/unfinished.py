"""Networks whose training the clock ended too early to be of use beside others of the same kind."""

from __future__ import annotations

from collections.abc import Sequence

from composable.engine.watched import History


def unfinished(history: History, others: Sequence[History]) -> bool:
    """Whether the clock ended this training while it told its held-out rows worse than any other did its own.

    Args:
        history: Of the training.
        others: Of the same network on other rotations.
    """
    return history.stopped == "deadline" and history.best > max(other.best for other in others)


def why_nothing(history: History) -> str:
    """What kept a training from coming to any weights."""
    if (diverged := history.diverged) is not None:
        return (
            f"its loss stopped being a number in epoch {diverged.epoch + 1}, step {diverged.step + 1}, "
            f"at a learning rate of {diverged.learning_rate:.3g}"
        )
    return "the time limit came before its first epoch ended"
