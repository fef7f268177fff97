"""How a model errs, as one entry of `diagnostics.json`: small, finite, and enough for every chart."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.problem.kinds import kind_of
from composable.problem.problem import Head


def head_diagnostics(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Describe the errors of one head.

    Rows whose target or prediction is missing or not finite are left out. The caller fills `metrics`.

    Args:
        head: The question that was answered.
        observed: Targets as its kind encodes them.
        predicted: What was predicted of the same rows.

    Returns:
        JSON values: `name`, `kind`, `targets`, `metrics`, and what the kind's `diagnose` adds.
    """
    about = {"name": head.name, "kind": head.kind, "targets": list(head.targets), "metrics": {}}
    return about | kind_of(head).diagnose(head, np.asarray(observed), np.asarray(predicted))
