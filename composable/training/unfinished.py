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
