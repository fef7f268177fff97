"""What a run folder says, as plain values: the only part of the report that reads files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composable.report.reading import (
    count,
    mapping,
    number,
    numbers,
    objects,
    read_object,
    text,
    texts,
)

ROLES = ("network", "ensemble", "baseline", "reference")
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class HeadFacts:
    """One question of the run."""

    name: str
    kind: str
    targets: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many classes it has, or labels where it has several targets."""
        return len(self.targets) if len(self.targets) > 1 else len(self.labels)


@dataclass(frozen=True)
class NoticeFacts:
    """A choice or a warning."""

    text: str
    level: str
    column: str
    remedy: str


@dataclass(frozen=True)
class Expected:
    """The cross-fitted score of the deployed model, with its 90 % interval and on how many rows."""

    metric: str
    value: float
    low: float
    high: float
    rows: int | None


@dataclass(frozen=True)
class RunFacts:
    """The problem and its outcome: `run.json`. `status` is "unreadable" where the file is."""

    name: str
    status: str = UNREADABLE
    created: str = ""
    seconds: float | None = None
    origin: str = ""
    test_origin: str = ""
    fingerprint: str = ""
    rows: int | None = None
    columns: int | None = None
    heads: tuple[HeadFacts, ...] = ()
    metric: str = ""
    expected: Expected | None = None
    notices: tuple[NoticeFacts, ...] = ()
    split: str = ""
    split_rows: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    deployed: int | None = None


@dataclass(frozen=True)
class Trial:
    """One candidate: what the leaderboard needs; `read_detail` gives the rest."""

    number: int
    path: Path
    name: str
    role: str
    status: str
    reason: str
    metric: str
    higher_is_better: bool
    validation: Mapping[str, float]
    test: Mapping[str, float]
    spread: float | None
    seconds: float | None
    parameters: int | None
    bytes: int | None
    latency_ms: float | None

    @property
    def score(self) -> float | None:
        """The validation score that ranks it, None where it has none."""
        return self.validation.get(self.metric)

    @property
    def is_ranked(self) -> bool:
        """Whether it has a place on the leaderboard."""
        return self.status == "done" and self.score is not None

    @property
    def test_score(self) -> float | None:
        """The same metric on the test rows."""
        return self.test.get(self.metric)


@dataclass(frozen=True)
class FoldHistory:
    """The training of one network, on all folds but one.

    Attributes:
        fold: Which network it is.
        best_epoch: Of whose end the weights were kept.
        epochs: Their numbers.
        losses: On the rows that it learned from.
        held_out: On rows held out.
    """

    fold: int
    best_epoch: int | None
    epochs: tuple[int, ...]
    losses: tuple[float | None, ...]
    held_out: tuple[float | None, ...]


@dataclass(frozen=True)
class Member:
    """A network of an ensemble: the number of its trial, its name, its weight."""

    trial: int
    name: str
    weight: float


@dataclass(frozen=True)
class Detail:
    """The large part of a trial.

    Attributes:
        members: Of an ensemble, which has no architecture of its own.
        stages: Before the fit, as they were written.
        stopped: Why the training of each network ended.
    """

    architecture: Mapping[str, Any]
    settings: Mapping[str, Any]
    calibration: Mapping[str, Any]
    histories: tuple[FoldHistory, ...]
    members: tuple[Member, ...] = ()
    stages: tuple[Mapping[str, Any], ...] = ()
    stopped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Everything the report shows.

    Attributes:
        run: The problem and its outcome.
        trials: The candidates.
        files: The content of each JSON file in the run folder, by its name without the ending; see `file`.
    """

    run: RunFacts
    trials: tuple[Trial, ...]
    files: Mapping[str, Mapping[str, Any]]

    def file(self, name: str) -> Mapping[str, Any]:
        """The content of a JSON file of the run folder, `{}` where there is none."""
        return self.files.get(name, {})

    @property
    def deployed(self) -> Trial | None:
        """The trial in the bundle."""
        found = (trial for trial in self.trials if trial.number == self.run.deployed)
        return next(found, None)

    @property
    def features(self) -> Counter[str]:
        """How many columns there are to learn from, by kind; empty where that isn't known."""
        columns = objects(self.file("profile").get("columns"))
        return Counter(text(c.get("kind"), 20) for c in columns if c.get("role") == "feature")

    @property
    def ranked(self) -> list[Trial]:
        """The trials that have a score, best first."""
        scored = [(trial.score or 0.0, trial) for trial in self.trials if trial.is_ranked]
        scored.sort(key=lambda pair: (-pair[0] if pair[1].higher_is_better else pair[0], pair[1].number))
        return [trial for _, trial in scored]

    def shown(self, limit: int) -> list[tuple[int, Trial]]:
        """Ranks and trials: the best ones, and besides the deployed one and the best of each role."""
        ranked = list(enumerate(self.ranked, 1))
        best = (next((trial.number for _, trial in ranked if trial.role == role), None) for role in ROLES)
        wanted = {self.run.deployed, *best}
        return [(rank, trial) for rank, trial in ranked if rank <= limit or trial.number in wanted]

    def best(self, role: str) -> Trial | None:
        """The best trial of a role."""
        return next((trial for trial in self.ranked if trial.role == role), None)


def read_facts(run: Path) -> Facts:
    """Read a run folder; whatever is missing or broken in it is left out."""
    return Facts(
        run=_run(run),
        trials=_trials(run / "trials"),
        files={path.stem: read_object(path) for path in sorted(run.glob("*.json"))},
    )


def read_detail(trial: Trial) -> Detail:
    """Read the architecture, the settings and the histories of one trial."""
    content = read_object(trial.path)
    return Detail(
        architecture=mapping(content.get("architecture")),
        settings=mapping(content.get("settings")),
        calibration=mapping(content.get("calibration")),
        histories=tuple(_history(history) for history in objects(content.get("histories"))),
        members=tuple(_member(member) for member in objects(content.get("members"))),
        stages=tuple(objects(content.get("stages"))),
        stopped=tuple(text(one.get("stopped"), 40) for one in objects(content.get("histories"))),
    )


def _run(folder: Path) -> RunFacts:
    name = text(folder.resolve().name) or "run"
    content = read_object(folder / "run.json")
    if not content:
        return RunFacts(name)
    data, problem, split = (mapping(content.get(key)) for key in ("data", "problem", "split"))
    return RunFacts(
        name=name,
        status=text(content.get("status")) or UNREADABLE,
        created=text(content.get("created")),
        seconds=number(content.get("seconds")),
        origin=text(data.get("origin")),
        test_origin=text(data.get("test_origin")),
        fingerprint=text(data.get("fingerprint")),
        rows=count(data.get("rows")),
        columns=count(data.get("columns")),
        heads=tuple(_head(head) for head in objects(problem.get("heads"))),
        metric=text(problem.get("metric")),
        expected=_expected(mapping(content.get("expected"))),
        notices=_notices([*objects(content.get("notices")), *objects(problem.get("notices"))]),
        split=text(split.get("text")) or text(split.get("kind")),
        split_rows=numbers(split.get("rows")),
        options=mapping(content.get("options")),
        versions=_named(content.get("versions")),
        machine=_named(content.get("machine")),
        deployed=count(content.get("deployed")),
    )


def _expected(found: Mapping[str, Any]) -> Expected | None:
    """What new rows are expected to score; None where it isn't known, or the interval can't be."""
    value, low, high = (number(found.get(name)) for name in ("value", "low", "high"))
    if value is None or low is None or high is None or not low <= value <= high:
        return None
    return Expected(text(found.get("metric")), value, low, high, count(found.get("rows")))


def _head(head: Mapping[str, Any]) -> HeadFacts:
    targets, labels = texts(head.get("targets")), texts(head.get("labels"))
    return HeadFacts(text(head.get("name")), text(head.get("kind")), targets, labels)


def _notices(found: list[dict[str, Any]]) -> tuple[NoticeFacts, ...]:
    """Warnings first; what the run and the problem both say, once."""
    notices = dict.fromkeys(
        NoticeFacts(text(n.get("text")), text(n.get("level")), text(n.get("column")), text(n.get("remedy")))
        for n in found
        if text(n.get("text"))
    )
    return tuple(sorted(notices, key=lambda notice: notice.level != "warning"))


def _named(value: object) -> dict[str, str]:
    return {text(name): text(item) for name, item in mapping(value).items() if text(item)}


def _trials(folder: Path) -> tuple[Trial, ...]:
    paths = folder.glob("*/trial.json") if folder.is_dir() else ()
    found = [(path, read_object(path)) for path in paths]
    return tuple(
        sorted((_trial(path, c) for path, c in found if c), key=lambda trial: (trial.number, trial.path))
    )


def _trial(path: Path, content: Mapping[str, Any]) -> Trial:
    name, given = path.parent.name, count(content.get("number"))
    return Trial(
        number=given if given is not None else int(name) if name.isdecimal() else 0,
        path=path,
        name=text(content.get("name")) or "(no name)",
        role=text(content.get("role")),
        status=text(content.get("status")),
        reason=text(content.get("reason")),
        metric=text(content.get("metric")),
        higher_is_better=content.get("higher_is_better") is True,
        validation=numbers(content.get("validation")),
        test=numbers(content.get("test")),
        spread=number(content.get("validation_spread")),
        seconds=number(content.get("seconds")),
        parameters=count(content.get("parameters")),
        bytes=count(content.get("bytes")),
        latency_ms=number(content.get("latency_ms")),
    )


def _member(member: Mapping[str, Any]) -> Member:
    return Member(
        trial=count(member.get("trial")) or 0,
        name=text(member.get("name"), 60),
        weight=number(member.get("weight")) or 0.0,
    )


def _history(history: Mapping[str, Any]) -> FoldHistory:
    epochs = objects(history.get("epochs"))
    indices = [count(epoch.get("epoch")) for epoch in epochs]
    return FoldHistory(
        fold=count(history.get("fold")) or 0,
        best_epoch=count(history.get("best_epoch")),
        epochs=tuple(known if known is not None else index for index, known in enumerate(indices)),
        losses=tuple(number(epoch.get("loss")) for epoch in epochs),
        held_out=tuple(number(epoch.get("held_out")) for epoch in epochs),
    )
