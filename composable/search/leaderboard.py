"""The leaderboard, read from the trials on disk, so that it can be seen while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from composable.core.errors import ArtifactError
from composable.core.workspace import read_json
from composable.problem.metrics import TIE_BREAK

TRIAL_FILE, FORMAT = "trial.json", "composable.trial/1"
_COLUMNS = ("role", "status", "metric", "higher_is_better", "parameters", "bytes", "latency_ms", "seconds")
_REMEDY = "remove its folder to leave it out, or fit again into another --out"


def read_trial(path: Path, *, remedy: str) -> dict[str, Any]:
    """What a run wrote of one of its trials, see docs/run-folder.md.

    Raises:
        ArtifactError: Naming the file, if it is missing, damaged, or of another version; with this remedy.
    """
    facts = read_json(path, remedy=remedy)
    if facts.get("format") != FORMAT:
        raise ArtifactError(
            f"{TRIAL_FILE} must have the format {FORMAT!r}.",
            received=f"{path}: {facts.get('format')!r}",
            remedy=remedy,
        )
    return facts


def leaderboard(run: Path) -> list[dict[str, Any]]:
    """Every trial, the best validation score first, or log loss where it is the same; failed ones last.

    Returns:
        Objects with `rank`, `model`, `role`, `status`, `metric`, `higher_is_better`, `validation`, `test`,
        `parameters`, `bytes`, `latency_ms`, `seconds`, `trial`, `reason`, `deployed`. A baseline or reference
        is never deployed. The deployed one has `expected`, `expected_low` and `expected_high`: the score to
        expect on new rows, with its 90 % interval, see `composable.search.expected`; its `test` is the score
        on the user's own test rows. Scores that don't exist are None.

    Raises:
        ArtifactError: If `run.json` or the file of a trial is damaged; names it.
    """
    facts = read_json(run / "run.json", remedy="name a folder that `composable fit` wrote")
    rows = [_row(path, facts) for path in (run / "trials").glob(f"*/{TRIAL_FILE}")]
    rows.sort(key=lambda row: (row["validation"] is None, _order(row), row.pop("tie_break"), row["trial"]))
    return [{"rank": position + 1, **row} for position, row in enumerate(rows)]


def _row(path: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    trial = read_trial(path, remedy=_REMEDY)
    try:
        metric, deployed = trial["metric"], trial["number"] == run.get("deployed")
        expected = (run.get("expected") or {}) if deployed else {}
        return {
            "model": trial["name"],
            **{name: trial.get(name) for name in _COLUMNS},
            "validation": trial.get("validation", {}).get(metric),
            "expected": expected.get("value"),
            "expected_low": expected.get("low"),
            "expected_high": expected.get("high"),
            "test": trial.get("test", {}).get(metric),
            "trial": trial["number"],
            "reason": trial.get("reason", ""),
            "deployed": deployed,
            "tie_break": trial.get("validation", {}).get(TIE_BREAK) or 0.0,
        }
    except (KeyError, AttributeError, TypeError) as odd:
        raise ArtifactError(
            "trial.json holds what a candidate scored.", received=f"{path}: {odd!r}", remedy=_REMEDY
        ) from odd


def _order(row: dict[str, Any]) -> float:
    value = row["validation"]
    if value is None:
        return 0.0
    return -value if row["higher_is_better"] else value
