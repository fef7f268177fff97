"""Where jobs are done: in this process, or in local processes of their own."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Protocol

from composable.core.machine import resident_bytes
from composable.core.workspace import write_atomically
from composable.training.candidate import REFIT, from_plain, modules_of
from composable.training.dataset import Dataset, save_dataset
from composable.training.job import Fitted, Job, save_job
from composable.training.run_job import run_job
from composable.training.storage import stored_network
from composable.training.trainers import FAILURES, Trainers

Notify = Callable[[Job, str, Mapping[str, Any]], None]
_GRACE = 60.0  # seconds over a job's time before its process is killed
_LOOK = 0.25  # seconds between two looks at the processes
_ATTEMPTS = 2  # of a job whose process a signal ends, as when the system has no memory left for it


class Executor(Protocol):
    """The only way to start a training."""

    @property
    def workers(self) -> int:
        """How many jobs are done at once."""
        ...

    def prepare(self, job: Job) -> None:
        """Get ready for a job that will probably come, beside those that run; may do nothing."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job; it begins as soon as fewer jobs run than may run at once."""
        ...

    def poll(self) -> Fitted:
        """Wait for the next job that ends, and give what came of it."""
        ...

    def cancel(self) -> None:
        """Stop all jobs that run, and forget those that wait."""
        ...


@dataclass(eq=False)
class InProcess:
    """Does one job after the other in this process, each when it is waited for."""

    trainers: Trainers
    notify: Notify
    _waiting: deque[Job] = field(default_factory=deque)

    @property
    def workers(self) -> int:
        """One."""
        return 1

    def prepare(self, job: Job) -> None:
        """Compile what it needs while others train."""
        self.trainers.compile_ahead(job)

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._waiting.append(job)

    def poll(self) -> Fitted:
        """Do the oldest job."""
        job, began = self._waiting.popleft(), time.monotonic()
        try:
            return run_job(job, self.trainers, lambda event, facts: self.notify(job, event, facts))
        except FAILURES as failed:
            write_atomically(job.folder / "traceback.txt", traceback.format_exc())
            return _failed(job, f"{type(failed).__name__}: {failed}"[:500], began)

    def cancel(self) -> None:
        """Forget the jobs that wait."""
        self._waiting.clear()
        self.trainers.forget()


@dataclass(eq=False)
class _Running:
    job: Job
    process: subprocess.Popen[str]
    events: queue.Queue[dict[str, Any]]
    reader: threading.Thread
    began: float
    attempt: int = 1
    failure: str = ""
    outcome: dict[str, Any] = field(default_factory=dict)  # the event by which the job ended


@dataclass(eq=False)
class LocalProcesses:
    """Does each job in a new process; one that takes too much memory or time is killed.

    A job whose process ends by a signal of others is done once more, from its last checkpoint.

    Attributes:
        dataset: The rows and folds; they are written to `folder` once.
        notify: Is given each event of each job.
        folder: For the rows.
        workers: How many processes run at once.
        most_bytes: Of resident memory that one may have.
    """

    dataset: Dataset
    notify: Notify
    folder: Path
    workers: int
    most_bytes: float
    _waiting: deque[Job] = field(default_factory=deque)
    _running: list[_Running] = field(default_factory=list)

    def __post_init__(self) -> None:
        save_dataset(self.dataset, self.folder)

    def prepare(self, job: Job) -> None:
        """Do nothing: a process compiles for itself."""

    def submit(self, job: Job) -> None:
        """Take a job, and begin it if fewer processes run than may run at once."""
        self._waiting.append(job)
        self._begin_waiting()

    def poll(self) -> Fitted:
        """Wait for the next process that ends."""
        while True:
            for running in self._running:
                self._take_events(running)
                self._watch(running)
                if running.process.poll() is not None:
                    self._running.remove(running)
                    if self._is_tried_again(running):
                        break
                    self._begin_waiting()
                    return self._ended(running)
            time.sleep(_LOOK)

    def cancel(self) -> None:
        """Kill the processes."""
        self._waiting.clear()
        for running in self._running:
            running.process.kill()
            running.process.wait()
            _close(running.process)
        self._running.clear()

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._running) < self.workers:
            self._begin(self._waiting.popleft(), time.monotonic(), attempt=1)

    def _begin(self, job: Job, began: float, attempt: int) -> None:
        path = save_job(replace(job, seconds=job.seconds - (time.monotonic() - began)))
        modules = sorted(modules_of((job.candidate, job.stages, job.settings)))
        with (job.folder / "worker.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "composable.training.worker", str(path), str(self.folder), *modules],
                stdin=subprocess.PIPE,  # closed by the system if this process is killed: the other one ends
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        events: queue.Queue[dict[str, Any]] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process.stdout, events), daemon=True)
        reader.start()
        self._running.append(_Running(job, process, events, reader, began, attempt))

    def _take_events(self, running: _Running) -> None:
        """Pass the events on, but for the one that holds how the job ended."""
        while not running.events.empty():
            facts = running.events.get()
            event = facts.pop("event")
            if event in ("fitted", "failed"):
                running.outcome = {"event": event, **facts}
            else:
                self.notify(running.job, event, facts)

    def _watch(self, running: _Running) -> None:
        used = resident_bytes(running.process.pid)
        if used > self.most_bytes:
            limit = self.most_bytes / 1e9
            running.failure = (
                f"it took {used / 1e9:.1f} GB of memory, of {limit:.1f} at most, and was stopped"
            )
        elif time.monotonic() - running.began > running.job.seconds + _GRACE:
            running.failure = f"it did not end {_GRACE:.0f} s after its time; it was stopped"
        if running.failure and running.process.poll() is None:
            running.process.kill()
            running.process.wait()

    def _is_tried_again(self, running: _Running) -> bool:
        """Begin a job once more whose process a signal ended that wasn't ours; whether it was."""
        if running.failure or running.process.returncode >= 0 or running.attempt == _ATTEMPTS:
            return False
        running.reader.join()
        self._take_events(running)
        _close(running.process)
        job = running.job
        if running.outcome or time.monotonic() - running.began >= job.seconds:
            return False
        text = f"{job.candidate.name}: {_how_it_ended(running)}"[:300]
        self.notify(job, "warning", {"text": f"{text}; it is tried once more"})
        self._begin(job, running.began, running.attempt + 1)
        return True

    def _ended(self, running: _Running) -> Fitted:
        job = running.job
        running.process.wait()
        running.reader.join()
        self._take_events(running)
        _close(running.process)
        outcome = running.outcome
        if running.failure or outcome.get("event") != "fitted":
            reason = running.failure or outcome.get("reason") or _how_it_ended(running)
            return _failed(job, str(reason)[:500], running.began)
        folds = (REFIT,) if job.refit else job.folds
        networks = tuple(stored_network(job.folder, n) for n in folds if not outcome["skipped"])
        return Fitted(
            job,
            networks,
            from_plain(outcome["settings"]),
            tuple(outcome["stages"]),
            outcome["seconds"],
            outcome["skipped"],
        )


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in filter(None, (process.stdin, process.stdout)):
        pipe.close()


def _failed(job: Job, reason: str, began: float) -> Fitted:
    return Fitted(job, seconds=time.monotonic() - began, failure=reason)


def _read(stream: IO[str] | None, events: queue.Queue[dict[str, Any]]) -> None:
    """Put each line that is an event into the queue, until the stream ends."""
    with suppress(ValueError):  # the stream was closed, as its process was killed
        for line in stream or ():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a library printed something
            if isinstance(event, dict) and "event" in event:
                events.put(event)


def _how_it_ended(running: _Running) -> str:
    """The signal that ended a process, and the last line that it wrote to standard error."""
    path, code = running.job.folder / "worker.log", running.process.returncode
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.exists() else []
    said = lines[-1] if lines else "without a word"
    if code is None or code >= 0:
        return f"its process ended: {said}"
    known = {one.value: one.name for one in signal.Signals}
    return f"its process was ended by {known.get(-code, f'signal {-code}')}: {said}"
