"""What a run takes on the disk and of the memory: bounded while it goes on, and cleaned when it has ended.

Weights are most of it. Those of trials that aren't deployed can go: what the trials predicted out of fold
stays, so that their scores do, but they can't be deployed any more, nor join an ensemble.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from composable.auto.options import FitOptions
from composable.auto.trial_book import TrialBook
from composable.core.errors import ConfigError, SetupError
from composable.core.machine import MEGABYTE, resident_bytes
from composable.core.workspace import locked, read_json
from composable.problem.metrics import better
from composable.search.leaderboard import TRIAL_FILE, leaderboard, read_trial
from composable.search.trial import Trial
from composable.training.own_folder import is_ours, remove
from composable.training.storage import drop_weights, stored_folds, weight_bytes

_FREE = 0.9  # of the bound, until the end: report and diagnosis need room as well
_ENDED = ("complete", "interrupted")
_NEEDLESS = ("job.json", "begin.npz")  # what processes were given; written again where it is needed
_REMEDY = "name a folder that `composable fit` wrote"


@dataclass(frozen=True)
class Removal:
    """Something of a run that nobody needs any more.

    Attributes:
        what: In words.
        path: Where it is, within the run folder.
        bytes: That it takes on the disk.
        folds: Whose networks lose their weights; none where the file or folder goes as a whole.
    """

    what: str
    path: str
    bytes: int
    folds: tuple[int, ...] = ()


@contextmanager
def needs_room(folder: Path) -> Iterator[None]:
    """Say what to do where the disk of a run folder is full.

    Raises:
        SetupError: In the place of the system's error, with the bytes that are free.
    """
    try:
        yield
    except OSError as refused:
        if refused.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SetupError(
            "The disk of a run folder must have room.",
            received=f"{folder}: {shutil.disk_usage(folder).free:,} bytes are free",
            remedy="free some: the same command goes on, nothing is lost that ended (--max-disk bounds it)",
        ) from refused


def folder_bytes(folder: Path) -> int:
    """What the files in a folder take, in bytes; links count for nothing."""
    found = (path for path in folder.rglob("*") if not path.is_symlink())
    return sum(path.stat().st_size for path in found if path.is_file())


def has_room(options: FitOptions, book: TrialBook, kept: Collection[Trial]) -> bool:
    """Whether a run may train more within the disk and the memory that it may take; what goes is told.

    Args:
        options: Of the fit.
        book: Of its trials, of which the worst lose their weights first.
        kept: Those that are deployed, or about to be.
    """
    if (
        most := options.max_memory
    ) is not None and options.workers == 1:  # others have processes of their own
        used = resident_bytes(os.getpid()) / MEGABYTE
        if used > most:
            book.warn(
                f"Nothing more is trained: the fit takes {used:,.0f} MB of memory, of {most:,} that it may "
                "(--max-memory allows more)."
            )
            return False
    if (most := options.max_disk) is None:
        return True
    dropped, fits = keep_within(most, book.recorder.folder, book.succeeded, kept, book.scorer.problem.metric)
    for trial in dropped:
        book.note(
            f"The weights of trial {trial.number}, {trial.name}, were removed to keep the run within "
            f"{most} MB; its score stays."
        )
    if not fits:
        book.warn(
            f"Nothing more is trained: the run is about to take more than {most} MB, and only what is "
            "deployed is left (--max-disk allows more)."
        )
    return fits


def keep_within(
    megabytes: float, folder: Path, trials: Sequence[Trial], kept: Collection[Trial], metric: str
) -> tuple[list[Trial], bool]:
    """Drop the weights of the worst trials until a run folder is within its bound.

    Args:
        megabytes: The bound, in 10^6 bytes; a tenth of it is left free for what comes at the end.
        folder: Of the run.
        trials: Of networks, whose weights may go.
        kept: Those that are deployed, or about to be.
        metric: That ranks them.

    Returns:
        The trials whose weights went, the worst first; and whether the folder is within the bound now.
    """
    most, dropped = _FREE * megabytes * MEGABYTE, []
    taken = folder_bytes(folder)
    left = [trial for trial in trials if trial.has_weights and trial not in kept]
    while taken > most and left:
        worst = left[0]
        for trial in left[1:]:
            worst = trial if better(metric, worst.score, trial.score) else worst
        left.remove(worst)
        for fold in stored_folds(worst.folder):
            drop_weights(worst.folder, fold)
        worst.trained = [replace(one, dropped=True) for one in worst.trained]
        worst.refit = None if worst.refit is None else replace(worst.refit, dropped=True)
        dropped.append(worst)
        taken = folder_bytes(folder)
    return dropped, taken <= most


def clean(run: Path, *, keep: int = 3, show: Callable[[Sequence[Removal]], bool]) -> tuple[Removal, ...]:
    """Remove what a run that has ended doesn't need: weights that aren't deployed, checkpoints, copied rows.

    The deployed model, every score and the report stay. Nothing is touched that isn't the run's own, nor what
    lies behind a link, nor a trial that hasn't ended.

    Args:
        run: The run folder.
        keep: How many of the best trials that aren't deployed keep their weights.
        show: Is given what would go, before anything does; whether it should go.

    Returns:
        What went, or would have gone.

    Raises:
        ConfigError: If the run hasn't ended.
        ArtifactError: If the folder is no run, is being written, or a file of it is damaged.
    """
    read_json(run / "run.json", remedy=_REMEDY)
    with locked(run):
        facts = read_json(run / "run.json", remedy=_REMEDY)
        if facts.get("status") not in _ENDED:
            raise ConfigError(
                "Only a run that has ended is cleaned.",
                received=f"{run} is {facts.get('status')}",
                remedy="run the same fit command to its end first",
            )
        found = _removals(run, facts.get("deployed"), keep)
        if show(found):
            for one in found:
                _remove(run, one)
    return found


def _removals(run: Path, deployed: int | None, keep: int) -> tuple[Removal, ...]:
    found, kept = [], _with_weights(run, deployed, keep)
    folders = [path for path in (run / "trials").glob("*") if path.name.isdecimal() and _is_own(run, path)]
    for folder in sorted(folders, key=lambda path: int(path.name)):
        if (folder / TRIAL_FILE).exists():
            found += _of_trial(run, folder, has_weights=int(folder.name) in kept)
    dataset = run / "dataset"
    if _is_own(run, dataset) and (dataset / "dataset.json").is_file():
        found.append(Removal("rows copied for other processes", "dataset", folder_bytes(dataset)))
    return tuple(found)


def _is_own(run: Path, folder: Path) -> bool:
    """Whether a folder really lies inside the run."""
    return folder.is_dir() and folder.resolve().is_relative_to(run.resolve()) and not folder.is_symlink()


def _with_weights(run: Path, deployed: int | None, keep: int) -> set[int]:
    """The numbers of the trials that keep their weights: deployed ones, and the best few besides."""
    kept = set() if deployed is None else {deployed}
    if deployed is not None:
        facts = read_trial(run / "trials" / str(deployed) / TRIAL_FILE, remedy=_REMEDY)
        kept |= {int(one["trial"]) for one in facts.get("members", [])}
    others = [
        row["trial"]
        for row in leaderboard(run)
        if row["role"] == "network" and row["status"] == "done" and row["trial"] not in kept
    ]
    return kept | set(others[:keep])


def _of_trial(run: Path, folder: Path, *, has_weights: bool) -> list[Removal]:
    """What of one trial's folder can go."""
    facts = read_trial(folder / TRIAL_FILE, remedy=_REMEDY)
    which, found = f"of trial {folder.name}, {facts.get('name')}", []
    sizes = {} if has_weights else {fold: weight_bytes(folder, fold) for fold in stored_folds(folder)}
    if folds := tuple(fold for fold, size in sizes.items() if size):
        found.append(Removal(f"weights {which}", _name(run, folder), sum(sizes.values()), folds))
    made = [*folder.glob("checkpoints-*/*"), *([] if has_weights else folder.glob("stages-*/*"))]
    for path in sorted(made):
        if is_ours(path) and not path.parent.is_symlink():
            kind = "checkpoint" if path.parent.name.startswith("checkpoints") else "outcome of a stage"
            found.append(Removal(f"{kind} {which}", _name(run, path), folder_bytes(path)))
    given = (path for path in map(folder.joinpath, _NEEDLESS) if path.is_file() and not path.is_symlink())
    what = f"what a process was given {which}"
    return found + [Removal(what, _name(run, path), path.stat().st_size) for path in given]


def _name(run: Path, path: Path) -> str:
    return path.relative_to(run).as_posix()


def _remove(run: Path, removal: Removal) -> None:
    path = run / removal.path
    for fold in removal.folds:
        drop_weights(path, fold)
    if removal.folds:
        return
    if path.is_file():
        path.unlink()
    elif not remove(path):
        shutil.rmtree(path)
    if path.parent.name.startswith(("checkpoints-", "stages-")) and not any(path.parent.iterdir()):
        path.parent.rmdir()
