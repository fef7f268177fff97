"""Names for an ONNX file: as the columns are called where that is safe, else the nearest safe text."""

from __future__ import annotations

import re
from collections.abc import Iterable

LENGTH = 60
_SAFE = re.compile(
    r"[\w](?:[\w .()%+-]{0,58}[\w.()%+-])?"
)  # no slash: names inside the graph begin with `front/`, `back/`


def safe_names(names: Iterable[str], *, taken: Iterable[str] = ()) -> dict[str, str]:
    """A safe name for each of the names, each used once, none of them in `taken`."""
    used, safe = set(taken), {}
    for name in names:
        base = name if _SAFE.fullmatch(name) else re.sub(r"\W+", "_", name).strip("_")[:LENGTH] or "column"
        candidate, number = base, 1
        while candidate in used:
            number += 1
            candidate = f"{base}_{number}"
        used.add(candidate)
        safe[name] = candidate
    return safe
