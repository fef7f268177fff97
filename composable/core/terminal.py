"""What is shown on a terminal: lines beside the answer of a command, numbers, and a user's own texts."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # rich is imported when something is drawn, so that a help page comes at once
    from rich.console import Console

PIPE_WIDTH = 200  # characters per line where the output isn't a terminal, wide enough not to break cells


def say(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 (what this function is for)


def console(*, stderr: bool = False) -> Console:
    """A rich console that neither reads markup in a user's texts nor breaks lines in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def plain(text: object) -> str:
    """One line, in which a control character or a mark that turns the writing direction shows as its code."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def number(value: float | None, unit: str = "") -> str:
    """Four significant digits, grouped from five on; a dash where there is no number."""
    if value is None or not math.isfinite(value):
        return "-"
    digits = f"{value:,.0f}" if abs(value) >= 9999.5 else f"{value:.4g}"  # four digits may be a year
    return f"{digits} {unit}".rstrip()


def whole(count: float | None) -> str:
    """A count, thousands grouped; a dash where there is none."""
    return "-" if count is None else f"{count:,.0f}"


def size(count: float | None) -> str:
    """A number of bytes in kB or MB."""
    if count is None:
        return "-"
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


def amount(count: float | None) -> str:
    """A large number in thousands, millions, billions, to three digits: 25.6 M."""
    if count is None:
        return "-"
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= unit * 0.9995:
            return f"{count / unit:.3g} {name}"
    return f"{count:.3g}"


def duration(seconds: float) -> str:
    """Seconds below two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
