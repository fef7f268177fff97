"""Reading JSON that may be half written, edited or hostile: a value comes back well typed or not at all."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Control characters, line separators, direction overrides, lone surrogates and non-characters: none can be
# seen, and each of them can break a page or make one name read as another.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+"
)
_BASE_64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_LONGEST_PICTURE = 60_000  # characters
_LARGEST = 1e100  # larger numbers overflow when a chart squares or subtracts them
_LONGEST = 4000


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; `{}` where the file is missing, unreadable or something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [item for item in sequence(value) if isinstance(item, dict)]


def number(value: object) -> float | None:
    """A finite number a chart can hold, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= _LARGEST and math.isfinite(value) else None


def count(value: object) -> int | None:
    """A whole number that is not negative, else None."""
    found = number(value)
    return int(found) if found is not None and found >= 0 else None


def numbers(value: object) -> dict[str, float]:
    """The finite numbers of an object, by name."""
    pairs = ((text(name), number(item)) for name, item in mapping(value).items())
    return {name: item for name, item in pairs if item is not None}


def text(value: object, longest: int = _LONGEST) -> str:
    """What a user may see of a value: one line, no invisible characters, cut at `longest` characters."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, str):
        return shortened(_INVISIBLE.sub(" ", value[: longest * 2]).strip(), longest)
    if isinstance(value, bool) or number(value) is not None:
        return str(value)
    return ""


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(text(item) for item in sequence(value))


def shortened(name: str, longest: int) -> str:
    """The name, or its beginning and an ellipsis."""
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def paired(pairs: Iterable[object]) -> list[tuple[float, float]]:
    """The pairs of finite numbers in a list of lists."""
    found = [tuple(map(number, pair)) for pair in pairs if isinstance(pair, list) and len(pair) == 2]
    return [(a, b) for a, b in found if a is not None and b is not None]


def picture(value: object) -> str:
    """A picture in base 64 that may go into a page, "" for anything that isn't one."""
    if isinstance(value, str) and len(value) <= _LONGEST_PICTURE and _BASE_64.fullmatch(value):
        return value
    return ""
