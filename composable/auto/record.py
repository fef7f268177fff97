"""The run folder as it grows: `run.json`, the trials, the events; and whether an earlier run may go on."""

from __future__ import annotations

import datetime as dt
import json
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras

from composable.auto.options import FitOptions
from composable.core.errors import ArtifactError, ConfigError
from composable.core.packages import version
from composable.core.workspace import LOCK, append_event, write_json
from composable.data.schema import Notice
from composable.design import Architecture

FORMAT = "composable.run/1"
GUIDING = ("pins", "ranges", "exclude", "tries", "space", "sampler")
"""The options that guide a search: what was tried stays, what comes obeys the new ones."""
_MAY_CHANGE = (
    "preset",
    "time_limit",
    "max_trials",
    "max_disk",
    "max_memory",
    "study",
    "workers",
    "allow_other_versions",
    *GUIDING,
)  # while a run goes on
_BEGINNING = (LOCK, "run.json.tmp")  # all that a kill leaves before there is a run.json
Progress = Callable[[dict[str, Any]], None]


@dataclass(eq=False)
class Recorder:
    """Writes what happens to the run folder and notifies the user's progress function."""

    folder: Path
    progress: Progress
    facts: dict[str, Any] = field(default_factory=dict)

    def happened(self, event: str, **facts: Any) -> None:
        """Append to `events.jsonl` and show."""
        append_event(self.folder, event, facts)
        self.progress({"event": event, **facts})

    def notice(self, notice: Notice) -> None:
        """Remember something the user should know; the same text once."""
        known = self.facts.setdefault("notices", [])
        if asdict(notice) not in known:
            known.append(asdict(notice))
            self.happened("notice", **asdict(notice))

    def write(self, **facts: Any) -> None:
        """Bring `run.json` up to date."""
        self.facts |= facts
        write_json(self.folder / "run.json", {"format": FORMAT, **self.facts})


def run_folder(out: Path | None, origin: str) -> Path:
    """`--out`, or `runs/` and the data's name."""
    if out is not None:
        return Path(out)
    name = re.sub(r"[^\w.-]+", "_", Path(origin).name.split(".")[0]) or "data"
    return Path("runs") / name


def numbered(folder: Path, identity: Mapping[str, Any], *, other_versions: bool) -> Path:
    """The default folder, or the first of `name-2`, `name-3`, ... that is free or holds the same fit.

    Args:
        folder: The default.
        identity: Of the fit at hand.
        other_versions: Whether a fit by other versions of the libraries counts as the same.
    """
    number, candidate = 1, folder
    while (earlier := read_run(candidate)) is not None and (
        differences(earlier, identity, other_versions=other_versions)
    ):
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate


def read_run(folder: Path) -> dict[str, Any] | None:
    """`run.json` of an earlier run, None where there is none, or none that got as far as a first trial.

    Raises:
        ArtifactError: If it can't be read, or the folder holds something else.
    """
    path = folder / "run.json"
    if not path.exists():
        if folder.is_dir() and any(path.name not in _BEGINNING for path in folder.iterdir()):
            raise ArtifactError(
                "A run folder must be new, empty, or a run.",
                received=f"{folder} holds other files",
                remedy="choose another --out",
            )
        if folder.exists() and not folder.is_dir():
            raise ArtifactError(
                "--out must be a folder.", received=f"{folder} is a file", remedy="choose another --out"
            )
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(found["format"])
    except (ValueError, KeyError, TypeError, OSError) as broken:
        raise ArtifactError(
            f"{path} must be a run of this version.", received=repr(broken), remedy="choose another --out"
        ) from broken
    stopped_early = found.get("status") in ("failed", "interrupted") and not (folder / "trials").exists()
    return None if stopped_early else found


def identity(
    options: FitOptions,
    fingerprint: str,
    test_fingerprint: str | None,
    design: Architecture | None,
    start: str | None = None,
) -> dict[str, Any]:
    """What makes two fits the same: the data, the options that matter, the design, the versions."""
    plain = _plain(options)
    for name in _MAY_CHANGE:
        plain.pop(name)
    for name in ("schema", "test", "design", "start"):  # by content, not by path
        plain.pop(name)
    return {
        "data": {"fingerprint": fingerprint, "test_fingerprint": test_fingerprint},
        "options": plain,
        "versions": versions(),
        "schema": text_of(options.schema),
        "design": None if design is None else design.identity(),
        "start": start,
    }


def differences(
    earlier: Mapping[str, Any], now: Mapping[str, Any], *, other_versions: bool = False
) -> list[str]:
    """Where two fits differ, in words; without their versions if other ones are allowed."""
    before = earlier.get("identity", {})
    # A run that was begun before there was an option was begun with its default.
    usual = {name: one for name, one in _plain(FitOptions()).items() if name in now.get("options", {})}
    before = {**before, "options": usual | before.get("options", {})}
    return [
        f"{path}: was {_short(old)}, now {_short(new)}"
        for path, old, new in _walk("", before, now)
        if old != new and not (other_versions and path.startswith("versions."))
    ]


def refuse_difference(
    folder: Path, earlier: Mapping[str, Any], now: Mapping[str, Any], *, other_versions: bool
) -> Notice | None:
    """Let a run go on only with the same data and options, and the same versions or allowed ones.

    Returns:
        The warning that other versions go on with the run, if they do.

    Raises:
        ConfigError: Showing every difference.
    """
    found = differences(earlier, now)
    if not found:
        return None
    remedy = "choose another --out, or the old data and options"
    if not differences(earlier, now, other_versions=True):
        if other_versions:
            return Notice(f"The run goes on with other versions than before: {'; '.join(found)}.", "warning")
        remedy = "--allow-other-versions goes on all the same; or choose another --out"
    raise ConfigError(
        f"A run goes on only with the same data, options and versions; {folder} was another fit.",
        received="; ".join(found[:8]),
        remedy=remedy,
    )


def versions() -> dict[str, str]:
    """Of everything that takes part in the training."""
    backend = keras.backend.backend()
    packages = ("composable", "keras", backend, "numpy", "pandas", "scikit-learn")
    return {"python": platform.python_version(), "backend": backend} | {
        name: version(name) for name in packages
    }


def now() -> str:
    """The time in UTC, ISO 8601."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(options: FitOptions) -> dict[str, Any]:
    """The options as JSON holds them."""
    return json.loads(json.dumps(options.shown))


def text_of(path: str | None) -> str | None:
    """The text in a file; None where there is none."""
    return None if path is None else Path(path).read_text(encoding="utf-8")


def _walk(path: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted(set(old) | set(new))
        return [
            found for key in keys for found in _walk(f"{path}.{key}".lstrip("."), old.get(key), new.get(key))
        ]
    return [(path, old, new)]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
