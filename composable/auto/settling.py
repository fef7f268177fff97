"""What was solved for fold by fold, solved for once more: one network in the place of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from composable.core.budget import Deadline
from composable.data.split import Split
from composable.search.trial import Trial
from composable.training.folds import Workbench
from composable.training.storage import load_refit, save_trained

_LONGER = 4  # times as long as a fold: of more rows, and with no other beside it


def settle(
    trials: Sequence[Trial],
    bench: Callable[[Trial], Workbench],
    split: Split,
    *,
    seed: int,
    deadline: Deadline,
) -> list[Trial]:
    """Give trials whose weights are solved for the network that learned from the rows of all folds.

    It knows more than each of them, and is as large and as fast as one.

    Args:
        trials: Of networks, on folds of `split`.
        bench: That of a trial.
        split: Of the table.
        seed: For everything random.
        deadline: By which they must be there, or the networks of the folds answer as they are.

    Returns:
        Those that have one now and had none before.
    """
    changed = []
    for trial in trials:
        if trial.network.solver is None or trial.refit is not None or len(trial.trained) < 2:
            continue
        found = load_refit(trial.folder, trial.network)
        if found is None and deadline.remaining > _LONGER * max(one.seconds for one in trial.trained):
            folds = [split.folds[one.fold] for one in trial.trained]
            found = bench(trial).refit(trial.trained, folds, seed=seed, deadline=deadline)
            save_trained(trial.folder, found, trial.network)
        if found is not None:
            trial.refit = replace(found, weights=[])
            changed.append(trial)
    return changed
