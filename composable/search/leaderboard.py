"""The leaderboard, read from the trials on disk, so that it can be seen while a run goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_COLUMNS = ("role", "status", "metric", "higher_is_better", "parameters", "bytes", "latency_ms", "seconds")


def leaderboard(run: Path) -> list[dict[str, Any]]:
    """Every trial, the best validation score first, failed ones last.

    Returns:
        Objects with `rank`, `model`, `role`, `status`, `metric`, `higher_is_better`, `validation`, `test`,
        `parameters`, `bytes`, `latency_ms`, `seconds`, `trial`, `reason`, `deployed`. A baseline or reference
        is never deployed. Scores that don't exist are None.
    """
    deployed = json.loads((run / "run.json").read_text(encoding="utf-8")).get("deployed")
    trials = [json.loads(path.read_text(encoding="utf-8")) for path in (run / "trials").glob("*/trial.json")]
    rows = [_row(trial, deployed) for trial in trials]
    rows.sort(key=lambda row: (row["validation"] is None, _order(row), row["trial"]))
    return [{"rank": position + 1, **row} for position, row in enumerate(rows)]


def _row(trial: dict[str, Any], deployed: int | None) -> dict[str, Any]:
    metric = trial["metric"]
    return {
        "model": trial["name"],
        **{name: trial.get(name) for name in _COLUMNS},
        "validation": trial.get("validation", {}).get(metric),
        "test": trial.get("test", {}).get(metric),
        "trial": trial["number"],
        "reason": trial.get("reason", ""),
        "deployed": trial["number"] == deployed,
    }


def _order(row: dict[str, Any]) -> float:
    value = row["validation"]
    if value is None:
        return 0.0
    return -value if row["higher_is_better"] else value
