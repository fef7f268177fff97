"""A cohort too large for the memory is trained in parts, one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from composable.core.budget import Deadline

Result = TypeVar("Result")
_SIGNS = ("RESOURCE_EXHAUSTED", "ResourceExhausted", "OutOfMemory", "out of memory")


def in_parts(
    numbers: Sequence[int],
    run: Callable[[Sequence[int], Deadline], list[Result]],
    *,
    deadline: Deadline,
    notice: Callable[[str], None],
) -> list[Result]:
    """What `run` gives for all instances; where the memory is too small, for halves of them.

    Args:
        numbers: Of the instances.
        run: Trains some of them until a deadline; one result each. What it did before the memory was used up
            is lost: that part begins again.
        deadline: Of all; halves share the time that is left.
        notice: Receives a message when a cohort is divided.

    Raises:
        MemoryError: Or what the backend raises instead, if a single instance is too much.
    """
    try:
        return run(numbers, deadline)
    except (MemoryError, RuntimeError, ValueError) as failed:
        if len(numbers) == 1 or not out_of_memory(failed):
            raise
        reason = str(failed).splitlines()[0][:200] if str(failed) else type(failed).__name__
    middle = (len(numbers) + 1) // 2
    notice(
        f"{len(numbers)} instances at once are too much for the memory ({reason}): "
        f"they are trained {middle} at a time."
    )
    first = Deadline(deadline.remaining * middle / len(numbers), deadline.clock)
    done = in_parts(numbers[:middle], run, deadline=first, notice=notice)
    return done + in_parts(numbers[middle:], run, deadline=deadline, notice=notice)


def out_of_memory(failed: BaseException) -> bool:
    """Whether a backend has failed because the memory is used up."""
    message = f"{type(failed).__name__}: {failed}"
    return isinstance(failed, MemoryError) or any(sign in message for sign in _SIGNS)
