"""Train a cohort, epoch by epoch: measure, keep the best, slow down, stop; within one deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import numpy as np

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.engine.augment import draws
from composable.engine.cohort import Cohort
from composable.engine.history import Divergence, Epoch, History, InstanceState, Stopped
from composable.engine.segments import Segment, segments
from composable.engine.settings import Settings, curves
from composable.engine.training_options import Options

PIECE = 0.5  # seconds of steps between two looks at the clock
_REHEARSED = 16  # steps
_LATELY = 8  # epochs
_WORTH = 2.0  # times the seconds of compiling that packing has to save
_ROOM = 1.05  # epochs are planned to end a little before the deadline
_LEAST, _FEW = 0.2, 20  # of an epoch, worth measuring after; epochs, of which a part counts
Regulate = Callable[[int, Sequence[InstanceState]], Sequence[Settings]]


def train(cohort: Cohort, *, deadline: Deadline, options: Options | None = None) -> list[History]:
    """Train every instance; its best values are then in `cohort.weights()`.

    Args:
        cohort: Is trained from where it is, or from its last checkpoint.
        deadline: Reached inside an epoch, it ends the training there. Instances that follow a schedule
            without patience have as few epochs as fit, so that the schedule comes to its end.
        options: What else happens.

    Returns:
        One history per instance.

    Raises:
        ConfigError: If the regulation of the settings changes what the instances share.
    """
    training = Training(cohort, deadline, options or Options())
    training.resume()
    training.rehearse()
    if training.options.callbacks:
        training.options.callbacks.begin(cohort)
    while training.active.any() and training.epoch < training.planned:
        if not training.take_epoch():
            break
    if training.options.callbacks:
        training.options.callbacks.end()
    if training.options.checkpointer and training.options.checkpointer.due:
        training.keep()
    return [one.history() for one in training.states]


@dataclass(eq=False)
class Training:
    """The training of one cohort while it goes on.

    Attributes:
        epoch: The next one, or the one that is under way.
        step: Of the epoch, done so far.
        planned: How many epochs there will be.
        last: How many steps the last one of them has.
    """

    cohort: Cohort
    deadline: Deadline
    options: Options
    epoch: int = 0
    step: int = 0
    states: list[InstanceState] = field(init=False)
    planned: int = field(init=False)
    last: int = field(init=False)

    def __post_init__(self) -> None:
        pairs = zip(self.cohort.instances, self.cohort.held_out[1], strict=True)
        self.states = [InstanceState(one.settings, bool(counted.any())) for one, counted in pairs]
        self.planned = max(one.settings.epochs for one in self.cohort.instances)
        self.last = self.cohort.batch_plan.steps
        self._per_step, self._compiling, self._improved = math.nan, self.cohort.compiling, False
        self._packed, self._seconds = self.active, []
        regulation = self.cohort.settings.regulation
        self._regulation: Regulate | None = None if regulation is None else regulation(self.cohort)
        self._kept = self.deadline.remaining * (1.0 - self.options.share)  # what a schedule leaves

    @property
    def active(self) -> np.ndarray:
        """Which instances are still trained."""
        return np.array([one.stopped is None for one in self.states])

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        found = self.options.checkpointer.load() if self.options.checkpointer else None
        if found is None:
            return
        arrays, facts = found
        self.epoch, self.step = facts["epoch"], facts["step"]
        self.planned, self.last = facts["planned"], facts["last"]
        pairs = zip(facts["instances"], self.states, strict=True)
        self.states = [InstanceState.of(one, fresh.settings) for one, fresh in pairs]
        self.cohort.program.restore(arrays)

    def keep(self) -> None:
        """Save all that a training goes on from."""
        if self.options.checkpointer is None:
            return
        states = [one.facts() for one in self.states]
        facts = {"epoch": self.epoch, "step": self.step, "instances": states}
        facts |= {"planned": self.planned, "last": self.last}
        arrays = self.cohort.program.snapshot()
        self.options.checkpointer.save(arrays, facts, improved=self._improved)
        self._improved = False

    def rehearse(self) -> None:
        """Take some steps to compile them and to learn how long they take, and undo them.

        The end of a schedule has to be known from the first step on. Planned anew after two epochs, that of
        RealMLP was worse by a tenth.
        """
        feed = self.cohort.feed
        if self.epoch or self.step or not self._timed_schedule or (feed and feed.rows is None):
            return
        with self._undone() as (steps, reading):
            self._try(1)  # that one is compiled
            seconds = reading + self._try(min(steps, _REHEARSED))
        self._kept = self.deadline.remaining * (1.0 - self.options.share)
        self._plan(seconds)

    def compile(self, queries: Sequence[np.ndarray]) -> None:
        """Compile all programs that the training will use, and undo what they did.

        Args:
            queries: For each instance the rows that it will predict in the end.
        """
        began = time.monotonic()
        with self._undone():
            self._try(1)
            self.cohort.program.outputs(queries)
        self.cohort.compiling = time.monotonic() - began

    @contextmanager
    def _undone(self) -> Iterator[tuple[int, float]]:
        """Steps of the first epoch may be tried, and are undone; how many, and how long an epoch is read."""
        program, began = self.cohort.program, time.monotonic()
        with closing(segments(self.cohort, 0, 0)) as found:
            segment = next(found)
        reading = (time.monotonic() - began) * self.cohort.batch_plan.steps / segment.steps
        segment.show()
        program.begin_epoch(segment.order, segment.counted, self._of_segment(segment, self._together()))
        before = program.snapshot()
        yield segment.steps, reading
        program.restore(before)

    def _try(self, count: int) -> float:
        """Take so many steps and measure; the seconds that an epoch would take by that."""
        program, idle = self.cohort.program, np.zeros(len(self.states), bool)
        began = time.monotonic()
        program.advance(0, count)
        program.wait()
        self._timed(began, count)
        began = time.monotonic()
        self._reached(idle)
        self._keep(idle)
        program.wait()
        return self._per_step * self.cohort.batch_plan.steps + time.monotonic() - began

    @property
    def _timed_schedule(self) -> bool:
        """Whether schedules, not patience, end the training, and have to be made to fit the deadline."""
        scheduled = all(one.settings.patience is None for one in self.states)
        return scheduled and math.isfinite(self.deadline.remaining)

    def take_epoch(self) -> bool:
        """One epoch of all instances, or the rest of one; whether it was whole."""
        began = time.monotonic()
        if self.options.callbacks:
            self.options.callbacks.begin_epoch(self.epoch, self.states, self._curves())
        together, losses = self._together(), []
        with closing(segments(self.cohort, self.epoch, self.step)) as found:
            reached = (segment for segment in found if segment.first < self._steps)
            whole = all(self._take(segment, together, losses) for segment in reached)
        measures = self._reached(self.active)
        seconds = time.monotonic() - began
        self._take_in(np.concatenate(losses, axis=1), measures, together["rate"], seconds)
        self._between_epochs(seconds)
        if not whole or self.deadline.remaining <= 0:
            self._stop_all("deadline")
            return False
        if self.options.checkpointer and self.options.checkpointer.due:
            self.keep()
        return True

    def _reached(self, active: np.ndarray) -> np.ndarray:
        """(instances,) the measures on held-out rows; where each stops by itself, the best are kept."""
        program, held_out = self.cohort.program, self.cohort.held_out
        return program.measured(held_out) if self.options.as_one else program.watch(held_out, active)

    def _keep(self, improved: np.ndarray) -> None:
        """Where all stop as one, keep the values of those (instances,) that improved."""
        if self.options.as_one:
            self.cohort.program.keep(improved)

    @property
    def _steps(self) -> int:
        """Of the epoch."""
        return self.last if self.epoch == self.planned - 1 else self.cohort.batch_plan.steps

    def _curves(self) -> list[Mapping[str, np.ndarray]]:
        steps = self.cohort.batch_plan.steps
        planned = (self.planned - 1) * steps + self.last
        return [
            curves(
                state.settings,
                first=self.epoch * steps,
                count=steps,
                total=min(state.settings.epochs * steps, planned),
                seed=instance.seed,
                rate=state.factor,
            )
            for instance, state in zip(self.cohort.instances, self.states, strict=True)
        ]

    def _together(self) -> Mapping[str, np.ndarray]:
        curve = self._curves()
        return {name: np.stack([one[name] for one in curve]) for name in curve[0]}

    def _of_segment(self, segment: Segment, curve: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """What changes from step to step of a segment, the numbers that augment its rows included."""
        part = slice(segment.first, segment.first + segment.steps)
        found = {name: values[:, part] for name, values in curve.items()}
        if augment := self.cohort.settings.augment:
            each = zip(self.cohort.instances, segment.order, strict=True)
            found["augment"] = np.stack(
                [
                    draws(augment, order, seed=one.seed, epoch=self.epoch, first=segment.first)
                    for one, order in each
                ]
            )
        return found

    def _take(self, segment: Segment, curve: Mapping[str, np.ndarray], losses: list[np.ndarray]) -> bool:
        """The steps of a segment that are left, in pieces; whether the deadline let them be."""
        program, callbacks, checkpointer = (
            self.cohort.program,
            self.options.callbacks,
            self.options.checkpointer,
        )
        part = slice(segment.first, min(segment.first + segment.steps, self._steps))
        segment.show()
        program.begin_epoch(segment.order, segment.counted, self._of_segment(segment, curve))
        whole = True
        while whole and self.step < part.stop:
            count = 1 if callbacks and callbacks.every_batch else self._piece(part.stop - self.step)
            started = time.monotonic()
            program.advance(self.step - part.start, count)
            self.step += count
            if callbacks and callbacks.every_batch:
                callbacks.end_batch(self.step - 1 - part.start)
            if self.step == self._steps:
                break
            program.wait()
            self._timed(started, count)
            if checkpointer and checkpointer.due:
                self.keep()
            whole = self.deadline.remaining > 0
        done = self.step - part.start
        losses.append(program.epoch_losses()[:, :done])
        return whole

    def _take_in(self, losses: np.ndarray, measures: np.ndarray, rates: np.ndarray, seconds: float) -> None:
        """Record the results of the epoch for each instance that was trained in it."""
        self.step = 0
        measured = np.array([one.measured for one in self.states])
        sound = np.isfinite(losses).all(axis=1) & self.active & (np.isfinite(measures) | ~measured)
        together = sound & measured & self.options.as_one
        common = float(measures[together].mean()) if together.any() else math.nan
        for number, one in enumerate(self.states):
            if one.stopped is not None:
                continue
            wrong = np.flatnonzero(~np.isfinite(losses[number]))
            step = int(wrong[0]) if len(wrong) else -1
            diverged = Divergence(self.epoch, step, float(rates[number, step])) if len(wrong) else None
            epoch = Epoch(self.epoch, float(losses[number].mean()), float(measures[number]), seconds)
            one.take(epoch, diverged, common if together[number] else epoch.held_out)
            self._improved |= one.best_epoch == epoch.epoch
            self.options.on_epoch(number, epoch)
        self._keep(sound & np.array([one.best_epoch == self.epoch for one in self.states]))

    def _piece(self, left: int) -> int:
        """As many steps as take about half a second; a few where that hasn't been measured yet."""
        if math.isnan(self._compiling):
            return min(left, 1)
        if math.isinf(self.deadline.remaining) and self.options.checkpointer is None:
            return left
        if math.isnan(self._per_step):
            return min(left, 8)
        return max(1, min(left, int(PIECE / max(self._per_step, 1e-6))))

    def _timed(self, started: float, count: int) -> None:
        """The first piece was compiled: only those after it measure how long a step takes."""
        seconds = time.monotonic() - started
        if math.isnan(self._compiling):
            self._compiling = seconds
        else:
            self._per_step = seconds / count

    def _between_epochs(self, seconds: float) -> None:
        if self.options.callbacks:
            self.options.callbacks.end_epoch(self.epoch, self.states)
        back = np.array([one.lose_patience() for one in self.states])
        if back.any():
            self.cohort.program.restart_from_best(back)
        self.epoch += 1
        for one in self.states:
            if one.stopped is None and self.epoch >= one.settings.epochs:
                one.stopped = "epochs"
        self._halve()
        self._pack(seconds)
        self._regulate()
        if self.epoch < self.planned:
            self._plan(self._usual(seconds))

    def _usual(self, seconds: float) -> float:
        """Seconds of an epoch: the mean of the last ones, lest a single slow one cut the training."""
        self._seconds = [*self._seconds, seconds][-_LATELY:]
        return float(np.mean(self._seconds))

    def _halve(self) -> None:
        share = self.options.halvings.get(self.epoch)
        if share is None:
            return
        running = [one for one in self.states if one.stopped is None]
        kept = max(1, math.ceil(share * len(running)))
        for one in sorted(running, key=lambda one: one.best)[kept:]:
            one.stopped = "dropped"

    def _pack(self, seconds: float) -> None:
        """Leave those that stopped behind, if that saves more time than compiling for fewer takes."""
        running, kept = self._packed.sum(), int(self.active.sum())
        saved = seconds * (1 - kept / running) * (self.planned - self.epoch)
        if 0 < kept <= running / 2 and saved > _WORTH * self._compiling:
            self.cohort.program.pack(self.active)
            self._packed = self.active

    def _regulate(self) -> None:
        if self._regulation is None:
            return
        for one, settings in zip(self.states, self._regulation(self.epoch, self.states), strict=True):
            if settings.shared != one.settings.shared:
                raise ConfigError(
                    "What the instances of a cohort share can't change while they train.",
                    received=f"{settings.shared}, before {one.settings.shared}",
                    remedy="train on in a new cohort",
                )
            one.settings = settings

    def _plan(self, seconds: float) -> None:
        """Fewer epochs, if not all fit: only where a schedule, not patience, ends the training.

        Where there are few of them, the last one is a part of one, lest much of the time be left.
        """
        if not self._timed_schedule:
            return
        most = max(one.settings.epochs for one in self.states)
        fit = self.epoch + (self.deadline.remaining - self._kept) / (seconds * _ROOM)
        fit = min(float(most), max(self.epoch, fit, _LEAST))
        whole = math.floor(fit)
        part = fit - whole if whole < _FEW and fit - whole >= _LEAST else 0.0
        steps = self.cohort.batch_plan.steps
        self.planned, self.last = (whole + 1, max(1, int(part * steps))) if part else (whole, steps)

    def _stop_all(self, why: Stopped) -> None:
        for one in self.states:
            one.stopped = one.stopped or why
