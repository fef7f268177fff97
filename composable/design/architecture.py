"""An architecture is a pre-stem, a stem, a learner and tasks: a model described, not yet built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from composable.core.errors import ArtifactError, ConfigError
from composable.design.choice import Choice, Choose, Decisions, Open
from composable.design.config import from_config, parse, to_config
from composable.design.inputs import Inputs
from composable.design.metaparameters import missing, names, nearest
from composable.design.openings import close, openings
from composable.design.part import Component, Part

if TYPE_CHECKING:
    import keras

FORMAT = "composable.architecture/2"
SECTIONS = ("prestem", "stem", "learner")

Parts = Part | Open | tuple["Parts", ...]
"""One part, or several one after another; tuples in a tuple are groups."""


@dataclass(frozen=True)
class Task:
    """What is to be predicted, and from where.

    Attributes:
        part: From what it reads to the prediction.
        name: Before its taps (`age/logits`); may be empty where there is one task.
        reads: `encoding` (what the learner gives), the name of a `tapped` part of the learner, or a tap of an
            earlier task (`age/embedding`).

    Raises:
        ConfigError: If the part is none, or lacks a metaparameter.
    """

    part: Part
    name: str = ""
    reads: str = "encoding"

    def __post_init__(self) -> None:
        if not callable(self.part):
            raise ConfigError(
                "A task has a part, which may leave open what is inside it.", received=f"{self.part!r}"[:200]
            )
        if not (isinstance(self.name, str) and isinstance(self.reads, str)):
            raise ConfigError(
                "A task's name and what it reads are texts.", received=f"{self.name!r}, {self.reads!r}"[:200]
            )
        object.__setattr__(self, "part", _complete(self.part, f"task {self.name}".rstrip(), later=("name",)))


@dataclass(frozen=True, init=False)
class Architecture:
    """A model described: parts in the order in which data flows through them.

    Functions, Keras layer classes and Keras layers are taken as parts. What flows is a tensor, or a tuple or
    dict of tensors: mixed inputs, twins, skips on their way to a later group.

    Attributes:
        prestem: Raw inputs to clean ones.
        stem: Clean inputs to the first features.
        learner: The groups of blocks, or one component.
        tasks: A part, or several tasks with names.

    Raises:
        ConfigError: If a part lacks a metaparameter, or two tasks share a name.
    """

    prestem: Parts
    stem: Parts
    learner: Parts
    tasks: tuple[Task, ...]

    def __init__(
        self,
        *,
        prestem: Parts | Component = (),
        stem: Parts | Component = (),
        learner: Parts | Component = (),
        tasks: Part | Task | Component | tuple[Part | Task, ...] = (),
    ) -> None:
        for section, parts in zip(SECTIONS, (prestem, stem, learner), strict=True):
            object.__setattr__(self, section, _as_section(parts, section))
        object.__setattr__(self, "tasks", _as_tasks(tasks))

    def build(self, inputs: Inputs, *, name: str | None = None) -> keras.Model:
        """An ordinary functional Keras model.

        Args:
            inputs: The shape of one row, or shapes by name.
            name: Of the model.

        Returns:
            A model from the input, or a dict of inputs, to what the task gives; with several tasks, to a dict
            by task.

        Raises:
            ConfigError: If a choice is open, or a part doesn't fit what it is given, naming its path.
        """
        from composable.design.building import build

        return build(self, inputs, name=name)[0]

    def fill(self, choose: Choose) -> Architecture:
        """Close everything open with `choose(path, opening)`, which gives an option, or a number between.

        What lies open inside an option that isn't chosen is never asked for.

        Raises:
            ConfigError: If `choose` gives what isn't on offer.
        """
        return self.with_parts(close(self.to_parts(), choose))

    def openings(self) -> dict[str, Open]:
        """Everything left open, by path (`learner.1.filters`), or by name where several share one."""
        return openings(self.to_parts())

    def decided(self, decisions: Decisions) -> Architecture:
        """Close what `decisions` names by path; the rest stays open.

        Raises:
            ConfigError: If nothing is open at such a path, or that isn't on offer.
        """
        known = self.openings()
        for path in decisions:
            if path not in known:
                raise ConfigError(
                    f"Nothing is open at {path[:100]!r}.",
                    received=f"open: {', '.join(known) or 'nothing'}"[:300],
                    remedy=f"take a path of `openings()`{nearest(path, known)}",
                )
        return self.fill(lambda path, opening: decisions.get(path, opening))

    def with_tasks(self, *tasks: Part | Task) -> Architecture:
        """The same trunk for other tasks.

        What a new task doesn't say and the first one here says (how features are pooled), it keeps.
        """
        defaults = self.tasks[0].part.metaparameters if self.tasks else {}
        return replace(self, tasks=tuple(_with_defaults(task, defaults) for task in _as_tasks(tasks)))

    def to_parts(self) -> dict[str, Any]:
        """The parts by section: `prestem`, `stem`, `learner`, and those of the `tasks`."""
        sections = {section: getattr(self, section) for section in SECTIONS}
        return {**sections, "tasks": tuple(task.part for task in self.tasks)}

    def with_parts(self, parts: Mapping[str, Any]) -> Architecture:
        """The same tasks and sections with other parts, as `to_parts` gives them."""
        sections = {section: parts[section] for section in SECTIONS}
        tasks = zip(self.tasks, parts["tasks"], strict=True)
        return Architecture(**sections, tasks=tuple(replace(task, part=part) for task, part in tasks))

    def to_config(self) -> dict[str, Any]:
        """The architecture as plain JSON values.

        Raises:
            ConfigError: If a component isn't registered.
        """
        config = {section: to_config(getattr(self, section), section) for section in SECTIONS}
        tasks = [
            {"name": task.name, "reads": task.reads, "part": to_config(task.part, f"tasks.{number}")}
            for number, task in enumerate(self.tasks)
        ]
        return {"format": FORMAT, **config, "tasks": tasks}

    def to_json(self) -> str:
        """The architecture as canonical JSON: equal architectures give equal text."""
        return json.dumps(self.to_config(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """Rebuild what `to_json` wrote, from anywhere: it names components, and runs no code.

        Raises:
            ArtifactError: If it is malformed, of another format, or names a component that isn't there.
            ConfigError: If a component doesn't take what it is given, or a section doesn't consist of parts.
        """
        config = parse(text)
        if not isinstance(config, dict) or config.get("format") != FORMAT:
            found = config.get("format") if isinstance(config, dict) else type(config).__name__
            raise ArtifactError(
                f"A design's JSON has the format {FORMAT!r}.",
                received=f"{found!r}"[:200],
                remedy="write it with this version's `to_json`",
            )
        if set(config) != {"format", *SECTIONS, "tasks"} or not isinstance(config["tasks"], list):
            raise ArtifactError(
                "A design's JSON has prestem, stem, learner and a list of tasks.",
                received=", ".join(map(str, config))[:200],
            )
        sections = {section: from_config(config[section], section) for section in SECTIONS}
        return cls(
            **sections, tasks=tuple(_task(task, f"tasks.{i}") for i, task in enumerate(config["tasks"]))
        )

    def identity(self) -> str:
        """A fingerprint of the JSON: equal architectures have the same, others don't (SHA-256)."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def in_order(parts: Parts, path: str) -> list[tuple[str, Part]]:
    """The parts one after another, with their paths: `stem`, `learner.0`, `learner.1.2`."""
    match parts:
        case Part():
            return [(path, parts)]
        case tuple():
            return [found for i, each in enumerate(parts) for found in in_order(each, f"{path}.{i}")]
    return []  # an open choice


def _as_section(value: Any, path: str) -> Any:
    """What a section consists of: a part, several one after another, or options of these."""
    match value:
        case Choice(options, name):
            return Choice(
                tuple(_as_section(option, f"{path}[{i}]") for i, option in enumerate(options)), name
            )
        case tuple() | list():
            return tuple(_as_section(item, f"{path}.{i}") for i, item in enumerate(value))
    if not callable(value):
        raise ConfigError(
            "A pre-stem, stem or learner consists of parts.",
            received=f"{path}: {value!r}"[:200],
            remedy="give a function, a Keras layer or Part(...), or a tuple of these",
        )
    return _complete(value, path)


def _complete(component: Component, path: str, later: tuple[str, ...] = ()) -> Part:
    part = component if isinstance(component, Part) else Part(component)
    if lacking := missing(part.component, (*part.metaparameters, *later)):
        raise ConfigError(
            f"`{path}` needs every metaparameter that has no default.",
            received=f"{part!r:.200} without {', '.join(lacking)}",
            remedy=f"give {lacking[0]}=...",
        )
    return part


def _as_tasks(tasks: Any) -> tuple[Task, ...]:
    several = tasks if isinstance(tasks, tuple | list) else (tasks,)
    found = tuple(task if isinstance(task, Task) else Task(task) for task in several)
    names = [task.name for task in found]
    if len(set(names)) < len(names) or any("/" in name for name in names) or (len(names) > 1 and "" in names):
        raise ConfigError(
            "Several tasks have different names, without a slash.",
            received=", ".join(map(repr, names)),
            remedy="Task(part, name='age')",
        )
    return found


def _with_defaults(task: Task, defaults: Mapping[str, Any]) -> Task:
    takes = names(task.part.component)
    kept = {k: v for k, v in defaults.items() if k in takes and k not in task.part.metaparameters}
    return replace(task, part=task.part.replace(**kept))


def _task(config: Any, path: str) -> Task:
    match config:
        case {"name": str() as name, "reads": str() as reads, "part": {"component": _} as part, **more} if (
            not more
        ):
            return Task(from_config(part, path), name, reads)
    raise ArtifactError("A task has a name, what it reads, and a part.", received=f"{path}: {config!r}"[:200])
