"""Presets: values of several options for one aim; they differ in how the budget is used, not in honesty.

A preset sets what a user left at its default; the options that come about are written into the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[Any, Mapping[str, Any]] = {
    "fast": {"max_trials": 3, "no_more_folds": True},
    "balanced": {},
    "best": {"max_trials": 200},
    "small": {"single": True, "tolerance": 0.02, "one_network": True},
    "interpretable": {"interpretable": True, "single": True},
}
"""By name, the options that each sets.

fast: three candidates, and no further folds of what won. balanced: the defaults. best: up to 200 candidates,
also where rows are many; a time limit ends them sooner. small: one network, of the candidate with the fewest
weights among those that lose at most 2 % of the best one's gain over the constant predictor. interpretable:
the best of the linear models.
"""
