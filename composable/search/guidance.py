"""What a person decides about a search: pinned, bounded and excluded things, and configurations to try.

`composable.search.guided` makes it hold.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from composable.core.errors import ConfigError
from composable.engine.settings import Settings
from composable.search.space import SOLVER, TRAINING
from composable.search.space_file import read_configuration, read_space

_SHORT = {one.name for one in dataclasses.fields(Settings)} - {"dropout"}  # which is also a network's rate
_ROOTS = ("prestem", "stem", "learner", "tasks", TRAINING, SOLVER)


@dataclass(frozen=True)
class Limit:
    """One decision.

    Attributes:
        origin: How it was written, for messages: `--set units=64`.
        path: As it was written; it may begin with the name of a family.
        kind: A pinned value; a range; or what a file says of one family.
        given: The text of the value; the ends of the range; the opening or value of the file.
    """

    origin: str
    path: str
    kind: Literal["set", "range", "file"]
    given: Any


@dataclass(frozen=True)
class Guidance:
    """Everything that a person decided.

    Attributes:
        limits: Pins, ranges and what a space file changes.
        excluded: Names of families and components.
        tries: Configurations to try first: origin, family, values by path.
        families: Those of the space file; None where there is no such file.
    """

    limits: tuple[Limit, ...] = ()
    excluded: tuple[str, ...] = ()
    tries: tuple[tuple[str, str, Mapping[str, Any]], ...] = ()
    families: Mapping[str, Mapping[str, Any]] | None = None
    origin: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the search is left to itself."""
        return not (self.limits or self.excluded or self.tries or self.families is not None)


def read_guidance(
    *,
    pins: Sequence[str],
    ranges: Sequence[str],
    excluded: Sequence[str],
    tries: Sequence[str],
    space: str | None,
) -> Guidance:
    """What the options of a fit decide, as far as it can be read before the data are.

    Args:
        pins: PATH=VALUE each.
        ranges: PATH=LOW:HIGH each.
        excluded: Names.
        tries: Files.
        space: A file.

    Raises:
        ConfigError: If something can't be read, or one path is decided twice; names both.
    """
    limits = [_limit("--set", text) for text in pins] + [_limit("--range", text) for text in ranges]
    refuse_pairs(limits)
    configurations = tuple((f"--try {one}", *read_configuration(Path(one))) for one in tries)
    families = None if space is None else read_space(Path(space))
    return Guidance(tuple(limits), tuple(excluded), configurations, families, f"--space {space}")


def _limit(flag: Literal["--set", "--range"], text: str) -> Limit:
    path, equals, value = (part.strip() for part in text.partition("="))
    origin = f"{flag} {text}"[:200]
    if not (path and equals and value):
        example = "--set units=64" if flag == "--set" else "--range learning_rate=1e-4:1e-2"
        raise ConfigError(
            f"{flag} takes a path and what stands there.", received=origin, remedy=f"for example {example}"
        )
    if flag == "--set":
        return Limit(origin, path, "set", value)
    return Limit(origin, path, "range", _ends(value, origin))


def _ends(text: str, origin: str) -> tuple[float, float]:
    try:
        ends = [ast.literal_eval(end.strip()) for end in text.strip("()[]").replace(",", ":").split(":")]
        low, high = ends
        if not all(type(end) in (int, float) and math.isfinite(end) for end in ends) or low >= high:
            raise ValueError(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ConfigError(
            "A range has two finite numbers, the lower one first.",
            received=origin,
            remedy="for example --range learning_rate=1e-4:1e-2; --set PATH=VALUE for a single value",
        ) from None
    return low, high


def path_in(path: str, family: str) -> str | None:
    """The path that a written one means in a family; None where it means another family's.

    `lr` and the bare name of a setting stand for `training.learning_rate` and the like.
    """
    first, _, rest = path.partition(".")
    if rest and first not in _ROOTS:
        if path.startswith(f"{family}."):
            path = path.removeprefix(f"{family}.")
        else:
            return None
    path = "learning_rate" if path == "lr" else path
    return f"{TRAINING}.{path}" if path in _SHORT else path


def refuse_pairs(limits: Sequence[Limit]) -> None:
    """Refuse decisions of which two are about the same path.

    Raises:
        ConfigError: If there are such; names both.
    """
    for number, one in enumerate(limits):
        for other in limits[:number]:
            if _meet(one.path, other.path):
                raise ConfigError(
                    "A path is pinned or bounded once.",
                    received=f"{other.origin} and {one.origin}",
                    remedy="leave one of them out",
                )


def _meet(one: str, other: str) -> bool:
    """Whether two written paths mean the same in some family."""
    families = {path.partition(".")[0] for path in (one, other)} - set(_ROOTS) | {""}
    named = [(path_in(one, family), path_in(other, family)) for family in families]
    return any(first is not None and first == second for first, second in named)
