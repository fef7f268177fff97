"""Column names: what makes them usable, and which known name a user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from composable.core.errors import ComposableError, ConfigError, DataError

MAX_COLUMNS = 20_000
SHOWN = 80  # characters of a value that an error or a profile shows


def shown(value: object, limit: int = SHOWN) -> str:
    """The value as text between quotes, cut at `limit` characters."""
    return repr(cut(value, limit))


def cut(value: object, limit: int = SHOWN) -> str:
    """The value as text, cut at `limit` characters."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(values: Iterable[object], limit: int = 10) -> str:
    """The first values between quotes, and how many more there are."""
    every = list(values)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(shown(value) for value in every[:limit]) + more


def nearest(name: str, names: Sequence[str], count: int = 3) -> list[str]:
    """The known names most like `name`, whatever its case; the best first."""
    folded: dict[str, str] = {}
    for known in names:
        folded.setdefault(known.strip().casefold()[:200], known)
    near = difflib.get_close_matches(name.strip().casefold()[:200], list(folded), n=count, cutoff=0.5)
    return [folded[key] for key in near]


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """A remedy for a name that isn't there: the nearest known names, or some of them all."""
    if near := nearest(name, names):
        return f"did you mean {' or '.join(map(shown, near))}?"
    return f"the columns are {listed(names)}"


def require_column(
    name: str, names: Sequence[str], *, rule: str, origin: str, error: type[ComposableError] = ConfigError
) -> None:
    """Refuse a name that isn't among those of a table.

    Args:
        name: The column that is asked for.
        names: Those of the table.
        rule: What the error says first.
        origin: The file.
        error: What is raised.

    Raises:
        ComposableError: With the nearest names.
    """
    if name not in names:
        raise error(rule, received=f"{origin} has no column {shown(name)}", remedy=did_you_mean(name, names))


def check_names(names: Sequence[str], *, origin: str) -> None:
    """Refuse names that would make one column stand for another; positions count from 1.

    Raises:
        DataError: For a blank name, two equal names, two that differ in case alone, or too many.
    """
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"A table may have at most {MAX_COLUMNS:,} columns.",
            received=f"{origin}: {len(names):,} columns",
            remedy="keep the columns that can matter, or reduce them first, for example by PCA",
        )
    blank = [position for position, name in enumerate(names, 1) if not name.strip()]
    if blank:
        raise DataError(
            "Every column needs a name.",
            received=f"{origin}: no name at column {_positions(blank)} of {len(names)}",
            remedy="write a name into the header; a nameless first column is often the row number "
            "that pandas writes, which frame.to_csv(path, index=False) leaves out",
        )
    _refuse_equal(names, names, "Column names must differ.", origin)
    _refuse_equal(
        names, [name.casefold() for name in names], "Column names must differ in more than case.", origin
    )


def _refuse_equal(names: Sequence[str], keys: Sequence[str], rule: str, origin: str) -> None:
    positions: dict[str, list[int]] = {}
    for position, key in enumerate(keys, 1):
        positions.setdefault(key, []).append(position)
    clashes = [found for found in positions.values() if len(found) > 1]
    if clashes:
        texts = [
            " and ".join(dict.fromkeys(shown(names[p - 1]) for p in at)) + f" at columns {_positions(at)}"
            for at in clashes[:5]
        ]
        more = f"; and {len(clashes) - 5} more names" if len(clashes) > 5 else ""
        raise DataError(
            rule, received=f"{origin}: {'; '.join(texts)}{more}", remedy="rename them in the header"
        )


def _positions(positions: Sequence[int]) -> str:
    texts = [str(position) for position in positions[:10]]
    return ", ".join(texts) + (f" and {len(positions) - 10} more" if len(positions) > 10 else "")
