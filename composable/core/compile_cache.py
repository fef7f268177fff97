"""Where compiled programs are kept, so that the next process needn't compile them again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from composable.core.machine import processor

MOST_BYTES = 2 * 10**9


def compile_cache() -> Path | None:
    """Where they are; None where nothing can be written.

    A program fits one processor alone: where a home is shared between machines each kind has its folder.
    """
    return user_cache(f"compiled-{hashlib.sha256(processor().encode()).hexdigest()[:8]}")


def user_cache(name: str) -> Path | None:
    """A folder in the user's cache, `$XDG_CACHE_HOME` or `~/.cache`; None where nothing can be written."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = root / "composable" / name
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if writable(folder) else None


def prune(folder: Path, most_bytes: int = MOST_BYTES) -> None:
    """Delete what was written longest ago, until the rest fits; another process may be doing the same."""
    found = []
    for path in folder.iterdir():
        try:
            found.append((path.stat().st_mtime, path.stat().st_size, path))
        except OSError:
            continue
    excess = sum(size for _, size, _ in found) - most_bytes
    for _, size, path in sorted(found):
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size


def writable(folder: Path) -> bool:
    """Whether a file can be made there; tried, since permission bits don't show read-only mounts."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
