"""The graphs of the candidates of a run: the last few are kept, and one is compiled while another trains."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from composable.training.candidate import Candidate
from composable.training.dataset import Dataset
from composable.training.folds import FoldTrainer
from composable.training.job import Job, identity_of

_MOST_MEGABYTES = 500  # of rows, which each cohort holds: with more, two at once take too much memory
_KEPT = 4  # built networks: each takes memory
# Of one candidate, whose components may be a user's own; the others go on.
FAILURES = (ValueError, RuntimeError, MemoryError, TypeError, ArithmeticError, LookupError, AttributeError)


@dataclass(eq=False)
class Trainers:
    """What trains the candidates on the rows of a run.

    Attributes:
        dataset: The rows and their folds.
    """

    dataset: Dataset
    _kept: dict[str, FoldTrainer] = field(default_factory=dict)
    _ahead: tuple[str, Future[None]] | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "compiling"))

    def of(self, candidate: Candidate) -> FoldTrainer:
        """The candidate's trainer; where it is being compiled, once it is."""
        key = identity_of(candidate, 0)
        if self._ahead is not None and self._ahead[0] == key:
            self._ahead[1].result()
            self._ahead = None
        if key not in self._kept:
            self._keep(key, FoldTrainer(candidate, self.dataset.material))
        found = self._kept[key]
        return found if found.candidate == candidate else found.of(candidate)

    def compile_ahead(self, job: Job) -> None:
        """Begin to compile what a job will need, in a thread of its own, unless the thread is busy."""
        key = identity_of(job.network, 0)
        if self._ahead is not None and self._ahead[1].done():
            self._ahead = None
        idle = self._ahead is None and key not in self._kept and not job.stages
        if idle and self.dataset.material.megabytes < _MOST_MEGABYTES:
            self._ahead = key, self._thread.submit(self._compile, key, job)

    def forget(self) -> None:
        """Compile nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _compile(self, key: str, job: Job) -> None:
        try:
            trainer = FoldTrainer(job.network, self.dataset.material)
            if trainer.compiles_ahead:
                trainer.compile_ahead({n: self.dataset.folds[n] for n in job.folds}, seed=job.seed)
        except FAILURES:  # the training will meet it as well, and say so
            return
        self._keep(key, trainer)

    def _keep(self, key: str, trainer: FoldTrainer) -> None:
        while len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = trainer
