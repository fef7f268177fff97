"""A picture in a run's files, read with care: it goes into a page."""

from __future__ import annotations

import re

_BASE_64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_LONGEST = 60_000  # characters of a picture


def picture_text(value: object) -> str:
    """A picture's text, "" for anything that isn't one."""
    if isinstance(value, str) and len(value) <= _LONGEST and _BASE_64.fullmatch(value):
        return value
    return ""
